/** What a service says of a failure may repeat what was sent, or a key: it is stored and shown, so secrets are taken out here. */
import { AppError } from '../../shared/errors.ts';
import type { Connector, PullPage, PushOutcome } from './connector.ts';
import type { SyncShell } from './parts.ts';

type Redact = SyncShell['redact'];

/** The same connector; no message, hint or finding of it holds a secret. */
export function quietConnector(connector: Connector, redact: Redact): Connector {
  const hide = (text: string): string => redact(text).text;
  const quiet = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (cause) {
      throw quietError(cause, redact);
    }
  };
  const { readLinked } = connector;
  return {
    ...connector,
    identity: (signal) => quiet(connector.identity(signal)),
    push: async (records, signal) =>
      (await quiet(connector.push(records, signal))).map((outcome) => quietOutcome(outcome, redact)),
    pull: async (cursor, signal) => quietPage(await quiet(connector.pull(cursor, signal)), redact),
    read: (table, ids, signal) => quiet(connector.read(table, ids, signal)),
    ...(readLinked === undefined
      ? {}
      : { readLinked: async (links, signal) => quietPage(await quiet(readLinked(links, signal)), redact) }),
    check: async (signal) =>
      (await quiet(connector.check(signal))).map((step) => ({
        ...step,
        detail: hide(step.detail),
        fix: step.fix === null ? null : hide(step.fix),
      })),
    prepare: async (signal) => {
      const { steps, apply } = await quiet(connector.prepare(signal));
      return { steps: steps.map(hide), apply: (later) => quiet(apply(later)) };
    },
  };
}

/** The same error where nothing has to be hidden. */
export function quietError(cause: unknown, redact: Redact): unknown {
  if (!(cause instanceof AppError)) return cause;
  const [message, hint] = [redact(cause.message), redact(cause.hint)];
  if (message.redactions + hint.redactions === 0) return cause;
  const { code, retryable, retryAfterMs } = cause;
  return new AppError(code, message.text, {
    hint: hint.text,
    retryable,
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

const quietOutcome = (outcome: PushOutcome, redact: Redact): PushOutcome =>
  outcome.kind === 'failed' ? { ...outcome, error: quietError(outcome.error, redact) as AppError } : outcome;

function quietPage(page: PullPage, redact: Redact): PullPage {
  if (page.failed === undefined) return page;
  const failed = page.failed.map(({ table, error }) => ({ table, error: quietError(error, redact) as AppError }));
  return { ...page, failed };
}
