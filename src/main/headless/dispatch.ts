import { z } from 'zod';
import { type AgentClient, agentMethods, type MethodName } from '../../shared/contract.ts';
import { AppError } from '../../shared/errors.ts';
import type { AgentApi } from '../api-types.ts';

/**
 * Calls one method by name after checking its input against the contract.
 * Throws `server.unknown_method`, `usage.bad_argument` (naming every field that is wrong) and what the method throws.
 */
export async function callMethod(api: AgentApi, method: string, input: unknown): Promise<unknown> {
  if (!isMethod(method)) throw new AppError('server.unknown_method', `There is no call ${JSON.stringify(method)}.`);
  const checked = agentMethods[method].in.safeParse(input);
  if (!checked.success) throw new AppError('usage.bad_argument', describeIssues(checked.error));
  // The one cast of the carriers: the schema of `method` has just been checked against its handler's input.
  const handler = api.methods[method] as (input: unknown) => Promise<unknown>;
  return handler(checked.data);
}

/** The carrier inside one process: checks inputs like the others do. `close` ends its subscriptions only. */
export function inProcessClient(api: AgentApi): AgentClient {
  const stops = new Set<() => void>();
  return {
    call: (async (method: MethodName, input: unknown) => callMethod(api, method, input)) as AgentClient['call'],
    on: (event, listener) => {
      const stop = api.subscribe((happened) => {
        if (happened.event === event) (listener as (payload: unknown) => void)(happened.payload);
      });
      stops.add(stop);
      return () => {
        stops.delete(stop);
        stop();
      };
    },
    close: () => {
      for (const stop of stops) stop();
      stops.clear();
    },
  };
}

function isMethod(method: string): method is MethodName {
  return Object.hasOwn(agentMethods, method);
}

function describeIssues(error: z.ZodError): string {
  const lines = error.issues.map((issue) => {
    const path = z.core.toDotPath(issue.path);
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  return [...new Set(lines)].slice(0, 10).join('; ');
}
