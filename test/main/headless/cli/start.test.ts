import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ShellAgent } from '../../../../src/main/api-types.ts';
import { connect } from '../../../../src/main/headless/client.ts';
import { endpointFile, readEndpoint } from '../../../../src/main/headless/endpoint.ts';
import { AppError } from '../../../../src/shared/errors.ts';
import { createFakeApi, type FakeApi } from '../../../support/fake-api.ts';
import { type CliOptions, type CliRun, cli, createFakeAgent, type FakeAgent } from '../../../support/server-cli.ts';

let dataFolder: string;
let api: FakeApi;
let signal: (name: string) => void;
let exits: number[];
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'angles-start-'));
  api = createFakeApi();
  exits = [];
  signal = () => undefined;
});
afterEach(() => rmSync(dataFolder, { recursive: true }));

type Started = {
  readonly agent: FakeAgent;
  readonly ended: Promise<CliRun>;
  readonly ready: Promise<void>;
  readonly output: () => string;
};

function start(argv: readonly string[] = [], change: Partial<ShellAgent> = {}, options: CliOptions = {}): Started {
  const agent = createFakeAgent(api, change);
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  let output = '';
  const ended = cli(['start', ...argv], {
    ...options,
    api,
    parts: { dataFolder, openAgent: async () => agent },
    io: {
      onSignal: (listener) => {
        signal = listener;
        return () => undefined;
      },
      exitNow: (code) => void exits.push(code),
      ...options.io,
    },
    onOutput: (_, text) => {
      output += text;
      if (output.includes('Ready after')) resolve();
    },
  });
  return { agent, ended, ready, output: () => output };
}

describe('start', () => {
  test('says where the vault is, what it watches, the dashboard with a link, and what to do next', async () => {
    const { agent, ended, ready } = start();
    await ready;
    signal('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    expect(stdout).toContain(
      `Vault      ${dataFolder}\nWatching   /home/mira/notes\n           /home/mira/projects/atlas/docs\n`,
    );
    expect(stdout).toMatch(/Dashboard {2}http:\/\/127\.0\.0\.1:\d+\/open\/[\w-]{43}\n/);
    expect(stdout).toContain('Next       Save a file');
    expect(stderr).toContain('36 files');
    expect(stderr).toContain('Needs you: /home/mira/assistant-exports: 64 of 70 files are gone at once.');
    expect(stderr).toContain('Stopping.');
    expect(stderr).toContain('The agent has stopped. Kept for its next start: 2 entries to index.');
    expect(agent.events).toEqual(['dashboard set', 'link maker', 'start', 'stop']);
  });

  test('commands find it while it runs, and no longer after it stopped', async () => {
    const { ended, ready } = start();
    await ready;
    expect(readEndpoint(dataFolder)?.pid).toBe(process.pid);
    const status = await cli(['status', '--json'], {
      parts: { dataFolder, connect, openAgent: () => Promise.reject(new Error('not offline')) },
    });
    expect(JSON.parse(status.stdout)).toMatchObject({ schema: 1, mode: 'running' });
    signal('SIGTERM');
    await ended;
    expect(existsSync(endpointFile(dataFolder))).toBe(false);
    expect(await connect(dataFolder)).toBeNull();
  });

  test('another version of the command is a warning', async () => {
    const { ended, ready } = start();
    await ready;
    const { code, stderr } = await cli(['roots'], { parts: { dataFolder, connect, version: '0.2.0' } });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'Warning: the running agent has version 0.1.0, this command 0.2.0. Restart the agent.\n',
    });
    signal('SIGINT');
    await ended;
  });

  test('a second signal ends it at once with 130', async () => {
    const stuck = Promise.withResolvers<void>();
    const { ended, ready } = start([], { stop: () => stuck.promise });
    await ready;
    signal('SIGINT');
    signal('SIGINT');
    expect(exits).toEqual([130]);
    stuck.resolve();
    await ended;
  });

  test('a stop that comes during the first capture is a clean stop', async () => {
    const capture = Promise.withResolvers<void>();
    const { agent, ended } = start([], { start: () => capture.promise });
    await expect.poll(() => existsSync(endpointFile(dataFolder))).toBe(true);
    agent.requestStop();
    expect((await ended).code).toBe(0);
    expect(agent.events).toContain('stop');
    capture.reject(new Error('aborted'));
  });

  test('the first folder it made is named', async () => {
    const { ended, ready } = start([], { describeStart: () => ({ createdFirstRoot: '/home/mira/notes' }) });
    await ready;
    signal('SIGINT');
    expect((await ended).stdout).toContain('/home/mira/notes (made for you, as no folder was configured)');
  });

  test('folders given are watched, those that are already are no error', async () => {
    const { ended, ready } = start(['--root', dataFolder, '--root', tmpdir(), '--json']);
    await ready;
    signal('SIGINT');
    const { stdout } = await ended;
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, dataFolder, pid: process.pid });
    expect(JSON.parse(stdout).roots).toContain(dataFolder);
    expect(api.calls.filter((call) => call.method === 'roots.add').map((call) => call.input)).toEqual([
      { path: dataFolder },
      { path: tmpdir() },
    ]);
  });

  test.each([
    ['/nonexistent', 'root.missing'],
    [new URL(import.meta.url).pathname, 'root.not_a_directory'],
  ])('the folder %s is refused before anything is opened', async (path, code) => {
    const { agent, ended } = start(['--root', path, '--json']);
    const result = await ended;
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout).error.code).toBe(code);
    expect(agent.events).toEqual([]);
  });

  test('a failure closes what was opened', async () => {
    const { agent, ended } = start([], { start: () => Promise.reject(new AppError('data.full', 'No space is left.')) });
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toContain('The disk is full.');
    expect(agent.events).toContain('stop');
    expect(existsSync(endpointFile(dataFolder))).toBe(false);
  });

  test('a data folder that another agent holds ends with 8', async () => {
    const held = async (): Promise<never> => {
      throw new AppError('data.held', 'The agent with process id 77 (http://127.0.0.1:5000/) holds /vault.');
    };
    const { code, stderr } = await cli(['start'], { parts: { openAgent: held } });
    expect(code).toBe(8);
    expect(stderr).toContain('process id 77');
  });

  test('progress is a bar on a terminal, and problems are a line each', async () => {
    const capture = Promise.withResolvers<void>();
    const { ended, ready, output } = start(
      [],
      { start: () => capture.promise },
      { tty: true, columns: 100, env: { NO_COLOR: '1' } },
    );
    await expect.poll(output).toContain('Dashboard');
    const progress = {
      rootId: 1,
      root: '/notes',
      phase: 'capturing',
      doneFiles: 5,
      totalFiles: 10,
      doneBytes: 50,
      totalBytes: 100,
      filesPerSecond: 1,
      bytesPerSecond: 10,
      etaMs: null,
    } as const;
    api.emit({ event: 'progress', payload: progress });
    api.emit({
      event: 'log',
      payload: {
        seq: 1,
        timeMs: 0,
        level: 'warn',
        component: 'watch',
        message: 'evil\u001b[2J\nname',
        runId: null,
        durationMs: null,
        data: {},
      },
    });
    api.emit({
      event: 'log',
      payload: {
        seq: 2,
        timeMs: 0,
        level: 'info',
        component: 'watch',
        message: 'calm',
        runId: null,
        durationMs: null,
        data: {},
      },
    });
    capture.resolve();
    await ready;
    api.emit({ event: 'progress', payload: progress });
    signal('SIGINT');
    const { stderr } = await ended;
    expect(stderr).toContain('\rCapturing [##########..........] 50 %  5 of 10 files, 50 B of 100 B, 10 B/s\u001b[K');
    expect(stderr).toContain('\r\u001b[K1970-01-01 00:00:00 WARN  watch: evil\\e[2J\\nname\n');
    expect(stderr).not.toContain('calm');
    expect(stderr.match(/Capturing/g)).toHaveLength(1);
  });
});

describe('commands to a running agent', () => {
  test('open prints a link that works once', async () => {
    const { agent, ended, ready } = start();
    await ready;
    const opened: string[] = [];
    const run = await cli(['open'], {
      tty: true,
      parts: { dataFolder, connect },
      io: { openBrowser: (url) => opened.push(url) > 0 },
    });
    expect(run).toMatchObject({ code: 0, stderr: 'The dashboard opens in your browser.\n' });
    expect(run.stdout.trim()).toBe(opened[0]);
    expect((await cli(['open', '--print'], { tty: true, parts: { dataFolder, connect } })).stderr).toContain(
      'works once',
    );
    agent.requestStop();
    await ended;
  });

  test('logs --follow goes on with what comes, as one JSON document a line, until Ctrl-C', async () => {
    const { ended, ready } = start();
    await ready;
    let stopFollowing = (): void => undefined;
    const lines: string[] = [];
    const newRecord = {
      seq: 91,
      timeMs: 0,
      level: 'error',
      component: 'watch',
      message: 'new',
      runId: null,
      durationMs: null,
      data: {},
    } as const;
    const following = cli(['logs', '--follow', '--json', '--level', 'error', '--limit', '2'], {
      parts: { dataFolder, connect },
      io: {
        onSignal: (listener) => {
          stopFollowing = () => listener('SIGINT');
          return () => undefined;
        },
      },
      onOutput: (stream, text) => void (stream === 'stdout' && lines.push(text)),
    });
    await expect.poll(() => lines.length).toBe(2);
    const repeat = setInterval(() => {
      api.emit({ event: 'log', payload: { ...newRecord, seq: 90, level: 'info' } });
      api.emit({ event: 'log', payload: newRecord });
    }, 10);
    await expect.poll(() => lines.length).toBe(3);
    clearInterval(repeat);
    stopFollowing();
    expect((await following).code).toBe(130);
    expect(JSON.parse(lines[2] ?? '')).toEqual({ schema: 1, ...newRecord });
    signal('SIGINT');
    await ended;
  });
});
