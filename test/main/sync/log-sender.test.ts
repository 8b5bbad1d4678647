import { expect, test } from 'vitest';
import {
  createLogSender,
  LOGS_EVERY_MS,
  type LogSender,
  type LogSenderParts,
  type LogService,
  MOST_BEHIND,
  type SentLog,
  type SentRun,
} from '../../../src/main/sync/log-sender.ts';
import { AppError } from '../../../src/shared/errors.ts';
import type { LogRecord } from '../../../src/shared/model.ts';

const line = (seq: number, message = `line ${seq}`): LogRecord => ({
  seq,
  timeMs: 1_790_000_000_000 + seq,
  level: 'info',
  component: 'sync',
  message,
  runId: null,
  durationMs: null,
  data: { path: '/notes', nested: [{ note: `pass ${'SECRET'}` }] },
});

type World = {
  readonly sender: LogSender;
  readonly sent: (SentLog | SentRun)[];
  readonly warnings: string[];
  readonly clock: { nowMs: number };
  readonly memory: Map<string, string>;
};
function world(lines: readonly LogRecord[], more: Partial<LogSenderParts> = {}, push?: LogService['pushLogs']): World {
  const sent: (SentLog | SentRun)[] = [];
  const warnings: string[] = [];
  const clock = { nowMs: 0 };
  const memory = new Map<string, string>();
  const sender = createLogSender({
    service: () => ({ pushLogs: push ?? (async (rows) => void sent.push(...rows)) }),
    level: () => 'info',
    logs: (afterSeq, _, limit) => lines.filter(({ seq }) => seq > afterSeq).slice(0, limit),
    newestLogSeq: () => lines.at(-1)?.seq ?? 0,
    runs: () => [],
    redact: (text) => ({ text: text.replaceAll('SECRET', '[REDACTED:x]'), redactions: 0, kinds: [] }),
    memory: { get: () => memory.get('place') ?? null, set: (value) => void memory.set('place', value) },
    log: { info: () => undefined, warn: (message) => void warnings.push(message), error: () => undefined },
    random: () => 0,
    monotonicMs: () => clock.nowMs,
    ...more,
  });
  return { sender, sent, warnings, clock, memory };
}

test('every line once, in order, redacted wherever a secret stands', async () => {
  const { sender, sent } = world([line(1, 'a SECRET'), line(2)]);
  await sender.send();
  await sender.send();
  expect(sent.map((row) => ('seq' in row ? row.seq : null))).toEqual([1, 2]);
  expect(JSON.stringify(sent)).not.toContain('SECRET');
  expect(sent[0]).toMatchObject({ message: 'a [REDACTED:x]', data: { nested: [{ note: 'pass [REDACTED:x]' }] } });
});

test('a turn sends a bounded part, and the next one goes on', async () => {
  const { sender, sent } = world(Array.from({ length: 7_000 }, (_, index) => line(index + 1)));
  await sender.send();
  expect(sent).toHaveLength(5_000);
  await sender.send();
  expect(sent).toHaveLength(7_000);
});

test('far behind it begins with the newer ones', async () => {
  const lines = Array.from({ length: 100 }, (_, index) => line(MOST_BEHIND + index + 1));
  const { sender, sent } = world([line(1), ...lines]);
  await sender.send();
  expect(sent).toHaveLength(100);
});

test('what failed is sent later, not before its time, and said once', async () => {
  let isDown = true;
  const sent: unknown[] = [];
  const { sender, warnings, clock } = world([line(1)], {}, async (rows) => {
    if (isDown) throw new AppError('remote.unavailable', 'not now', { retryable: true });
    sent.push(...rows);
  });
  await sender.send();
  isDown = false;
  await sender.send();
  expect([sent.length, warnings.length]).toEqual([0, 1]);
  clock.nowMs = LOGS_EVERY_MS + 1;
  await sender.send();
  expect([sent.length, warnings.length]).toEqual([1, 1]);
});

test.each([
  ['when it is off', { level: () => 'off' as const }],
  ['while there is nowhere to send to', { service: () => null }],
])('nothing is sent %s, and nothing is lost by it', async (_, more) => {
  const { sender, sent, memory } = world([line(1)], more);
  await sender.send();
  expect([sent.length, memory.size]).toEqual([0, 0]);
});

test('runs go along with their own place', async () => {
  const run = {
    id: 'r',
    kind: 'drill',
    startedMs: 1,
    finishedMs: 2,
    outcome: 'ok' as const,
    data: { said: 'SECRET' },
    changeSeq: 9,
  };
  const { sender, sent } = world([line(4)], { runs: (after) => (after < 9 ? [run] : []) });
  await sender.send();
  await sender.send();
  expect(sent).toHaveLength(2);
  expect(sent[1]).toEqual({
    table: 'run_artifacts',
    id: 'r',
    kind: 'drill',
    startedAtMs: 1,
    finishedAtMs: 2,
    outcome: 'ok',
    data: { said: '[REDACTED:x]' },
  });
});
