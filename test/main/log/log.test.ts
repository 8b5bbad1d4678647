import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog, type Log, type LogEntry, type LogOptions } from '../../../src/main/log/log.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal or a viewer obeys must not be there
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;
const DAY_MS = 86_400_000;
const NOON = Date.UTC(2026, 10, 21, 12);
const LIMITS = { maxFileBytes: 5_000_000, maxTotalBytes: 50_000_000, compressAfterDays: 7, deleteAfterDays: 30 };

let folder: string;
let nowMs: number;
let entries: LogEntry[];
const open: Log[] = [];

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'angles-log-')), 'logs');
  nowMs = NOON;
  entries = [];
});
afterEach(() => {
  for (const log of open.splice(0)) log.close();
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

function create(options: Partial<LogOptions> = {}): Log {
  const log = createLog({
    folder,
    level: 'debug',
    limits: LIMITS,
    nowMs: () => nowMs,
    onRecord: (entry) => entries.push(entry),
    ...options,
  });
  open.push(log);
  return log;
}

const raw = (name = 'angles.log'): string => readFileSync(join(folder, name), 'utf8');
const lines = (text = raw()): Record<string, unknown>[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const names = (): string[] => readdirSync(folder).sort();

describe('a record', () => {
  test('is one JSON line, on the disk when the call returns, and handed on', () => {
    const log = create();
    log.component('watch').info('Captured a file.', { path: '/a', files: 2 });
    expect(lines()).toEqual([
      {
        level: 'info',
        time: '2026-11-21T12:00:00.000Z',
        component: 'watch',
        data: { path: '/a', files: 2 },
        msg: 'Captured a file.',
      },
    ]);
    expect(entries).toEqual([
      {
        timeMs: NOON,
        level: 'info',
        component: 'watch',
        message: 'Captured a file.',
        runId: null,
        durationMs: null,
        data: { path: '/a', files: 2 },
      },
    ]);
    expect([statSync(folder).mode & 0o777, statSync(join(folder, 'angles.log')).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  test('of a run carries its id, and the last one its duration', () => {
    let monotonicMs = 5;
    const run = create({ monotonicMs: () => monotonicMs, randomId: () => 'a1b2' })
      .component('scan')
      .run('rescan');
    run.warn('One file could not be read.');
    monotonicMs = 1_239.56;
    run.done('Scanned.', { files: 3 });
    expect(lines().map(({ msg, runId, durationMs }) => [msg, runId, durationMs])).toEqual([
      ['One file could not be read.', 'rescan-a1b2', undefined],
      ['Scanned.', 'rescan-a1b2', 1_234.6],
    ]);
  });

  test('below the level is not made, and the level can change', () => {
    const log = create({ level: 'warn' });
    const logger = log.component('x');
    logger.info('no');
    log.setLevel('debug');
    logger.debug('yes');
    expect(entries.map((entry) => entry.message)).toEqual(['yes']);
  });

  test('cannot forge a line, colour a terminal or turn the reading direction, by any of its fields', () => {
    const evil = fc.string({
      unit: fc.constantFrom(
        '\n',
        '\r',
        '\u001b[31m',
        '\u009b31m',
        '\u007f',
        '\u2028',
        '\u202e',
        '\ufeff',
        '"',
        '\\',
        '%s',
        '%j',
        '{',
        'a',
        '\ud800',
      ),
    });
    const log = create();
    fc.assert(
      fc.property(evil, evil, evil, (component, message, value) => {
        const before = lines(raw0()).length;
        log
          .component(component)
          .run(value)
          .error(message, { [value]: value, error: new Error(message) });
        const text = raw();
        expect(lines(text).length).toBe(before + 1);
        expect(text.replaceAll('\n', '')).not.toMatch(OBEYED);
        const entry = entries.at(-1);
        expect(`${entry?.component}${entry?.message}${entry?.runId}`).not.toMatch(OBEYED);
      }),
    );
  });

  const raw0 = (): string => (entries.length === 0 ? '' : raw());

  test('holds no secret, wherever it came in, in the file or in what is handed on', () => {
    const canaries = ['correct-horse-battery', 'https://hooks.slack.com/services/T0/B0/canarycanary'];
    const log = create();
    for (const canary of canaries) log.addSecret(canary);
    for (const canary of canaries) {
      const error = new Error(`request to https://x/?q=${encodeURIComponent(canary)} failed`, { cause: canary });
      log
        .component(canary)
        .run(canary)
        .error(`message ${canary}`, {
          error,
          [canary]: [canary],
          basic: Buffer.from(`ada:${canary}`).toString('base64'),
        });
    }
    const text = raw() + JSON.stringify(entries) + JSON.stringify(log.newest());
    for (const canary of canaries) {
      for (const form of [canary, encodeURIComponent(canary), Buffer.from(canary).toString('base64').slice(4, -4)]) {
        expect(text).not.toContain(form);
      }
    }
    expect(text).not.toContain('canarycanary');
  });

  test('with values that throw, a broken clock and percent signs is still written', () => {
    nowMs = Number.NaN;
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
        get: () => {
          throw new Error('no');
        },
      },
    );
    create().component('x').error('100 %s %d %o', { hostile });
    expect(lines()).toMatchObject([
      { msg: '100 %s %d %o', time: '1970-01-01T00:00:00.000Z', data: { hostile: '[unreadable]' } },
    ]);
  });
});

describe('rotation', () => {
  const fill = (log: Log, count: number): void => {
    for (let n = 0; n < count; n += 1) log.component('fill').info('x'.repeat(900));
  };

  test('happens at the size limit, loses no line, and never exceeds the cap', () => {
    const limits = { ...LIMITS, maxFileBytes: 10_000, maxTotalBytes: 50_000 };
    const log = create({ limits });
    for (let round = 0; round < 20; round += 1) {
      fill(log, 5);
      const sizes = names().map((name) => statSync(join(folder, name)).size);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(limits.maxFileBytes);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(limits.maxTotalBytes);
    }
    expect(names()).toEqual([
      'angles-2026-11-21.7.log',
      'angles-2026-11-21.8.log',
      'angles-2026-11-21.9.log',
      'angles.log',
    ]);
    expect(names().flatMap((name) => lines(raw(name))).length).toBe(3 * 10 + 10);
  });

  test('happens with the day, also over a restart', () => {
    create().component('x').info('first day');
    utimesSync(join(folder, 'angles.log'), NOON / 1_000, NOON / 1_000);
    nowMs += DAY_MS;
    const log = create();
    log.component('x').info('second day');
    nowMs += DAY_MS;
    log.component('x').info('third day');
    expect(names().map((name) => [name, lines(raw(name)).map((line) => line.msg)])).toEqual([
      ['angles-2026-11-21.1.log', ['first day']],
      ['angles-2026-11-22.1.log', ['second day']],
      ['angles.log', ['third day']],
    ]);
  });

  test('does not follow a clock that jumps back', () => {
    const log = create();
    log.component('x').info('a');
    nowMs -= 10 * DAY_MS;
    log.component('x').info('b');
    expect(names()).toEqual(['angles.log']);
  });

  test('tidy compresses after 7 days, deletes after 30 and touches nothing else', async () => {
    mkdirSync(folder, { recursive: true });
    const day = (age: number): string => new Date(NOON - age * DAY_MS).toISOString().slice(0, 10);
    for (const age of [0, 7, 8, 30, 31]) writeFileSync(join(folder, `angles-${day(age)}.1.log`), `{"age":${age}}\n`);
    writeFileSync(join(folder, `angles-${day(9)}.1.log.gz.new`), 'half');
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await create({ level: 'error' }).tidy();
    expect(names()).toEqual(
      [
        'notes.txt',
        `angles-${day(0)}.1.log`,
        `angles-${day(7)}.1.log`,
        `angles-${day(8)}.1.log.gz`,
        `angles-${day(30)}.1.log.gz`,
      ].sort(),
    );
    expect(gunzipSync(readFileSync(join(folder, `angles-${day(8)}.1.log.gz`))).toString()).toBe('{"age":8}\n');
    expect(statSync(join(folder, `angles-${day(8)}.1.log.gz`)).mode & 0o777).toBe(0o600);
  });

  test('tidy keeps the newest within the cap, by number and not by spelling', async () => {
    mkdirSync(folder, { recursive: true });
    for (let n = 1; n <= 12; n += 1) writeFileSync(join(folder, `angles-2026-11-20.${n}.log`), 'x'.repeat(1_000));
    await create({ level: 'error', limits: { ...LIMITS, maxFileBytes: 1_000, maxTotalBytes: 5_000 } }).tidy();
    expect(names()).toEqual(['angles-2026-11-20.10.log', 'angles-2026-11-20.11.log', 'angles-2026-11-20.12.log']);
  });

  test('tidy of a folder that is not there only says so', async () => {
    await create().tidy();
    expect(entries.map((entry) => [entry.level, entry.message])).toEqual([
      ['warn', 'The log folder could not be read.'],
    ]);
  });
});

describe('a disk that does not take the log', () => {
  const block = (): void => writeFileSync(folder, 'a file where the folder should be');
  const unblock = (): void => unlinkSync(folder);

  test('never stops the caller; what was kept follows when it works again, and what is lost is counted', () => {
    block();
    const log = create();
    const logger = log.component('x');
    for (let n = 1; n <= 250; n += 1) logger.info(`record ${n}`);
    expect(log.stats()).toEqual({ failing: expect.stringMatching(/EEXIST|ENOTDIR/), dropped: 50 });
    expect(log.newest().map((entry) => entry.message)).toEqual(
      Array.from({ length: 200 }, (_, n) => `record ${n + 51}`),
    );
    expect(entries.length).toBe(250);

    unblock();
    logger.info('not asked again so soon');
    nowMs += 10_000;
    logger.info('works');
    expect(log.stats()).toEqual({ failing: null, dropped: 51 });
    const written = lines().map((line) => line.msg);
    expect(written[0]).toBe(
      'The log could not be written for a while: 51 records are lost, the 201 after this one were kept in memory.',
    );
    expect(written.slice(1)).toEqual([
      ...Array.from({ length: 199 }, (_, n) => `record ${n + 52}`),
      'not asked again so soon',
      'works',
    ]);
  });

  test('gets a last chance when the log is closed', () => {
    block();
    const log = create();
    log.component('x').info('kept');
    unblock();
    log.close();
    expect(lines().map((line) => line.msg)).toEqual(['kept']);
  });

  test('full in the middle of a line leaves only whole lines', () => {
    const log = create();
    log.component('x').info('before');
    log.close();
    appendFileSync(join(folder, 'angles.log'), '{"level":"info","torn');
    create().component('x').info('after');
    const [first, torn, last] = raw().split('\n');
    expect([JSON.parse(first ?? '').msg, torn, JSON.parse(last ?? '').msg]).toEqual([
      'before',
      '{"level":"info","torn',
      'after',
    ]);
  });

  test('that takes half a line has that half cut off again', () => {
    // A limit on the size of a file makes the kernel take part of a write, as a full disk does.
    const script = `
      import { createLog } from ${JSON.stringify(join(import.meta.dirname, '../../../src/main/log/log.ts'))};
      const limits = ${JSON.stringify(LIMITS)};
      const log = createLog({ folder: ${JSON.stringify(folder)}, level: 'debug', limits, nowMs: () => ${NOON}, onRecord: () => {} });
      for (let n = 0; n < 30; n += 1) log.component('x').info('y'.repeat(300));
      process.stdout.write(JSON.stringify(log.stats()));
      process.exit(0);`;
    const command = ['-c', 'ulimit -f 4; exec "$0" --input-type=module -e "$1"', process.execPath, script];
    expect(JSON.parse(execFileSync('bash', command, { encoding: 'utf8' }))).toMatchObject({
      failing: expect.stringMatching(/EFBIG/),
    });
    expect(raw()).toMatch(/\}\n$/);
    expect(lines().length).toBeGreaterThan(5);
  });

  test('whose file was removed or opened to others gets a new one, for the owner only', () => {
    const log = create();
    log.component('x').info('one');
    unlinkSync(join(folder, 'angles.log'));
    nowMs += 10_000;
    log.component('x').info('two');
    expect(lines().map((line) => line.msg)).toEqual(['two']);
    chmodSync(join(folder, 'angles.log'), 0o644);
    create().component('x').info('three');
    expect(statSync(join(folder, 'angles.log')).mode & 0o777).toBe(0o600);
  });
});
