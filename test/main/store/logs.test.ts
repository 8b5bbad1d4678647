import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore, type Store } from '../../../src/main/store/database.ts';
import { createLogStore, type LogStore, type NewLogRecord } from '../../../src/main/store/logs.ts';
import { agentMethods } from '../../../src/shared/contract.ts';

let folder: string;
let store: Store;
let logs: LogStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'angles-logs-'));
  store = openStore({ dataFolder: folder, nowMs: () => 1_000 });
  logs = createLogStore(store);
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const record = (message: string, more: Partial<NewLogRecord> = {}): NewLogRecord => ({
  timeMs: 1_000,
  level: 'info',
  component: 'watch',
  message,
  runId: null,
  durationMs: null,
  data: {},
  ...more,
});

const messages = (query: Parameters<LogStore['list']>[0]): string[] => logs.list(query).map((one) => one.message);

describe('the log store', () => {
  test('gives back what was stored, numbered in order', () => {
    const full = record('a', {
      level: 'error',
      runId: 'scan-1',
      durationMs: 1.5,
      data: { path: '/x', list: [1, null] },
    });
    expect(logs.append([full, record('b')])).toEqual([
      { seq: 1, ...full },
      { seq: 2, ...record('b') },
    ]);
    expect(logs.list({})).toEqual([
      { seq: 1, ...full },
      { seq: 2, ...record('b') },
    ]);
    expect(() => agentMethods['logs.list'].out.parse({ records: logs.list({}) })).not.toThrow();
  });

  test('stores all of a batch or none', () => {
    const bad = { ...record('bad'), level: null as unknown as 'info' };
    expect(() => logs.append([record('good'), bad])).toThrow();
    expect(messages({})).toEqual([]);
    expect(logs.append([])).toEqual([]);
  });

  test('lists by level and worse, component, run, time and text', () => {
    logs.append([
      record('debug one', { level: 'debug' }),
      record('warn 100% sure', { level: 'warn', component: 'sync' }),
      record('error_one', { level: 'error', timeMs: 5_000, runId: 'r' }),
      record('with data', { data: { path: '/Notes/a_b.md' } }),
    ]);
    expect([
      messages({ level: 'warn' }),
      messages({ component: 'sync' }),
      messages({ runId: 'r' }),
      messages({ sinceMs: 1_001 }),
      messages({ text: '100%' }),
      messages({ text: 'r_o' }),
      messages({ text: 'notes/A_b' }),
      messages({ text: '%' }),
      messages({ component: "' OR 1=1 --" }),
      messages({ component: 'watch', level: 'error', text: '' }),
    ]).toEqual([
      ['warn 100% sure', 'error_one'],
      ['warn 100% sure'],
      ['error_one'],
      ['error_one'],
      ['warn 100% sure'],
      ['error_one'],
      ['with data'],
      ['warn 100% sure'],
      [],
      ['error_one'],
    ]);
  });

  test('shows the newest, but a follower gets the next ones without a gap', () => {
    logs.append(Array.from({ length: 10 }, (_, n) => record(`${n + 1}`)));
    expect(messages({ limit: 3 })).toEqual(['8', '9', '10']);
    expect(messages({ limit: 3, afterSeq: 2 })).toEqual(['3', '4', '5']);
    expect(messages({ afterSeq: 10 })).toEqual([]);
  });

  test('prunes by age and by number, and never uses a number twice', () => {
    logs.append(Array.from({ length: 10 }, (_, n) => record(`${n + 1}`, { timeMs: n })));
    expect(logs.prune(3, 5)).toBe(5);
    expect(messages({})).toEqual(['6', '7', '8', '9', '10']);
    expect(logs.prune(3, 5)).toBe(0);
    expect(logs.prune(100, 5)).toBe(5);
    expect(logs.append([record('next')])[0]?.seq).toBe(11);
  });
});
