import { setTimeout as delay } from 'node:timers/promises';
import type { AgentClient } from '../../../shared/contract.ts';
import { AppError } from '../../../shared/errors.ts';
import type { ShellAgent } from '../../api-types.ts';
import type { Host } from '../../host.ts';
import type { Connection } from '../client.ts';
import type { Endpoint } from '../endpoint.ts';
import type { CliParts } from './context.ts';
import type { Io } from './io.ts';

/** Where the answers of a command come from. */
export type Session = { readonly kind: 'running'; readonly endpoint: Endpoint } | { readonly kind: 'offline' };

type Needs = { readonly io: Io; readonly parts: CliParts; readonly say: (line: string) => void };
const RETRY_EVERY_MS = 100;

/**
 * Runs `work` against the running agent; when none runs, on the vault in this process, which holds the data folder's
 * lock until the work is done. Throws `agent.not_answering` when another process holds it and does not answer.
 */
export async function withSession<T>(
  needs: Needs,
  work: (client: AgentClient, session: Session) => Promise<T>,
): Promise<T> {
  const connection = await needs.parts.connect(needs.parts.dataFolder);
  if (connection !== null) return useConnection(needs, connection, work);
  const opened = await openOffline(needs);
  if ('client' in opened) return useConnection(needs, opened, work);
  // Loaded here only: it brings the schemas with it, which a call to a running agent does not need.
  const { inProcessClient } = await import('../dispatch.ts');
  const client = inProcessClient(opened.api);
  try {
    await opened.start();
    return await work(client, { kind: 'offline' });
  } finally {
    client.close();
    await opened.stop();
  }
}

async function useConnection<T>(
  { parts, say }: Needs,
  { client, endpoint, version }: Connection,
  work: (client: AgentClient, session: Session) => Promise<T>,
): Promise<T> {
  if (version !== parts.version) {
    say(`Warning: the running agent has version ${version}, this command ${parts.version}. Restart the agent.`);
  }
  try {
    return await work(client, { kind: 'running', endpoint });
  } finally {
    client.close();
  }
}

/** Opens the vault, or finds the agent that took it just now (it may have been starting, or about to end). */
async function openOffline({ io, parts }: Needs): Promise<ShellAgent | Connection> {
  for (let waitedMs = 0; ; waitedMs += RETRY_EVERY_MS) {
    try {
      return await parts.openAgent(makeHost(io, parts, 'command'), 'offline');
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'data.held') throw error;
      const connection = await parts.connect(parts.dataFolder);
      if (connection !== null) return connection;
      if (waitedMs >= parts.heldWaitMs) {
        throw new AppError('agent.not_answering', `${error.message} It does not answer.`, { cause: error });
      }
    }
    await delay(RETRY_EVERY_MS);
  }
}

export function makeHost(io: Io, parts: CliParts, shell: Host['shell']): Host {
  return {
    dataFolder: parts.dataFolder,
    environment: io.env,
    version: parts.version,
    shell,
    nowMs: io.nowMs,
    // A terminal shows problems as lines of `angles start`; it knows nothing of sleep.
    notify: () => undefined,
    onPower: () => () => undefined,
  };
}

/** The running agent, for commands that make no sense without one. Throws `agent.not_running`. */
export async function requireRunning(parts: CliParts): Promise<Connection> {
  const connection = await parts.connect(parts.dataFolder);
  if (connection === null) throw new AppError('agent.not_running', `No agent runs on ${parts.dataFolder}.`);
  return connection;
}
