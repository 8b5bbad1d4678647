/** Runs commands in this process against the fake agent, with streams, time and terminal of the test's choice. */
import type { ShellAgent } from '../../src/main/api-types.ts';
import type { CliParts } from '../../src/main/headless/cli/context.ts';
import type { Io } from '../../src/main/headless/cli/io.ts';
import { runCli } from '../../src/main/headless/cli/program.ts';
import { connect } from '../../src/main/headless/client.ts';
import { settingsSchema } from '../../src/shared/settings.ts';
import { createFakeApi, type FakeApi } from './fake-api.ts';
import { FAKE_NOW_MS, FAKE_ROOTS } from './fake-data.ts';

export type CliRun = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
};
export type CliOptions = {
  readonly io?: Partial<Io>;
  readonly parts?: Partial<CliParts>;
  readonly api?: FakeApi;
  readonly tty?: boolean;
  readonly columns?: number;
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  /** Answers to questions, in order. */
  readonly answers?: readonly string[];
  readonly onOutput?: (stream: 'stdout' | 'stderr', text: string) => void;
};

export async function cli(argv: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const output = (chunks: Buffer[], name: 'stdout' | 'stderr'): Io['stdout'] => ({
    write: (chunk) => {
      chunks.push(Buffer.from(chunk));
      options.onOutput?.(name, Buffer.from(chunk).toString('utf8'));
    },
    isTTY: options.tty === true,
    columns: options.columns ?? 80,
  });
  const answers = [...(options.answers ?? [])];
  const io: Io = {
    stdout: output(out, 'stdout'),
    stderr: output(err, 'stderr'),
    readStdin: async () => options.stdin ?? '',
    askLine: async (question) => {
      err.push(Buffer.from(question));
      return answers.shift() ?? null;
    },
    askHidden: async (question) => {
      err.push(Buffer.from(question));
      return answers.shift() ?? null;
    },
    stdinIsTTY: options.tty === true,
    env: options.env ?? {},
    cwd: '/home/mira',
    homedir: '/home/mira',
    nowMs: () => FAKE_NOW_MS,
    timeZone: 'UTC',
    onSignal: () => () => undefined,
    onBug: () => () => undefined,
    exitNow: (code) => {
      throw new Error(`exit ${code}`);
    },
    openBrowser: () => false,
    editText: async () => null,
    ...options.io,
  };
  const api = options.api ?? createFakeApi();
  const parts: CliParts = {
    version: '0.1.0',
    dataFolder: '/nonexistent/angles',
    connect,
    openAgent: async () => createFakeAgent(api),
    rendererFolder: '/nonexistent/renderer',
    heldWaitMs: 0,
    ...options.parts,
  };
  const code = await runCli(argv, io, parts);
  const bytes = Buffer.concat(out);
  return { code, stdout: bytes.toString('utf8'), stderr: Buffer.concat(err).toString('utf8'), bytes };
}

export type FakeAgent = ShellAgent & {
  readonly log: ShellAgent['log'];
  readonly events: string[];
  readonly requestStop: () => void;
};

/** An agent around a fake api; `events` tells what the shell did with it. */
export function createFakeAgent(api: FakeApi, change: Partial<ShellAgent> = {}): FakeAgent {
  const events: string[] = [];
  const listeners: (() => void)[] = [];
  return {
    api,
    events,
    start: async () => void events.push('start'),
    stop: async () => void events.push('stop'),
    settings: () => settingsSchema.parse({ roots: FAKE_ROOTS.map((path) => ({ path })), dashboard: { port: 0 } }),
    log: { component: () => ({ warn: () => undefined, error: (message) => void events.push(`error ${message}`) }) },
    setDashboardUrl: (url) => void events.push(`dashboard ${url === null ? 'none' : 'set'}`),
    setLinkMaker: () => void events.push('link maker'),
    onStopRequested: (listener) => void listeners.push(listener),
    describeStart: () => ({ createdFirstRoot: null }),
    requestStop: () => {
      for (const listener of listeners) listener();
    },
    ...change,
  };
}
