import { expect, test } from 'vitest';
import { quietConnector, quietError } from '../../../src/main/sync/quiet-connector.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { createMemoryRemote } from '../../support/memory-connector.ts';

const redact = (text: string) => ({
  text: text.replaceAll('hunter2', '[REDACTED:test]'),
  redactions: text.split('hunter2').length - 1,
  kinds: [],
});
const signal = new AbortController().signal;
const refusal = () => new AppError('remote.rate_limited', 'no, hunter2', { retryAfterMs: 9, hint: 'not hunter2' });
const quietRefusal = {
  code: 'remote.rate_limited',
  message: 'no, [REDACTED:test]',
  hint: 'not [REDACTED:test]',
  retryAfterMs: 9,
};

test('what a service says of a failure is told without the secrets that it repeats, and means the same', async () => {
  const memory = createMemoryRemote({ remote: 'supabase', nowMs: () => 1 });
  const own = memory.connect();
  const connector = quietConnector(
    {
      ...own,
      push: async () => [{ kind: 'failed', id: 'a', error: refusal() }],
      pull: async () => ({
        records: [],
        gone: [],
        failed: [{ table: 'memories', error: refusal() }],
        cursor: '1',
        hasMore: false,
      }),
      read: () => Promise.reject(refusal()),
      identity: () => Promise.reject(refusal()),
      check: async () => [
        {
          id: 'key',
          title: 'Key',
          verdict: 'failed',
          detail: 'hunter2',
          fix: 'hunter2',
          canPrepare: false,
          code: null,
        },
      ],
      prepare: async () => ({ steps: ['hunter2'], apply: () => Promise.reject(refusal()) }),
    },
    redact,
  );
  expect(await connector.push([], signal)).toMatchObject([{ error: quietRefusal }]);
  expect(await connector.pull(null, signal)).toMatchObject({ failed: [{ error: quietRefusal }] });
  await expect(connector.read('memories', [], signal)).rejects.toMatchObject(quietRefusal);
  await expect(connector.identity(signal)).rejects.toMatchObject(quietRefusal);
  expect(await connector.check(signal)).toMatchObject([{ detail: '[REDACTED:test]', fix: '[REDACTED:test]' }]);
  const { steps, apply } = await connector.prepare(signal);
  expect(steps).toEqual(['[REDACTED:test]']);
  await expect(apply(signal)).rejects.toMatchObject(quietRefusal);
});

test('an error that says nothing secret is left as it is', () => {
  const error = new AppError('remote.unavailable', '503');
  expect(quietError(error, redact)).toBe(error);
  const bug = new TypeError('hunter2');
  expect(quietError(bug, redact)).toBe(bug);
});
