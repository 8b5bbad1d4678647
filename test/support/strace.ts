/** Faults at an exact system call, and what a process asked of the kernel in which order (strace(1)). */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const NODE = process.execPath;
export const CRASH_CHILD = join(import.meta.dirname, 'crash-child.ts');

/** Where a process is struck: at the `when`-th (`3`, `3+`) call of this name that one of its threads makes. */
export type FaultPoint = {
  readonly call: string;
  readonly when: string;
  /** Counts only calls on these paths. */
  readonly paths?: readonly string[];
};

/** A signal at the entry of the call, or the error that the call answers without being made. */
export type Fault = { readonly signal: 'SIGKILL' } | { readonly error: string };

export type ProcessEnd = {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
};

/**
 * The kernel ignores a signal that is handed over where a seccomp filter stops a process (ptrace(2)), so only errors
 * can take that faster way.
 */
export function faultArgs({ call, when, paths = [] }: FaultPoint, fault: Fault): string[] {
  const effect = 'signal' in fault ? `signal=${fault.signal}` : `error=${fault.error}`;
  return [
    '-f',
    ...('error' in fault ? ['--seccomp-bpf'] : []),
    '-qq',
    '-o',
    '/dev/null',
    ...paths.flatMap((path) => ['-P', path]),
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:${effect}:when=${when}`,
  ];
}

/** strace ends as its process does, with a signal or with the exit code of a shell for it. */
export function wasKilled(end: ProcessEnd): boolean {
  return end.signal === 'SIGKILL' || end.code === 137;
}

export function nodeArgs(script: string, args: readonly string[]): string[] {
  return [NODE, '--no-warnings', script, ...args];
}

export function run(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: options.env ?? process.env });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ stdout, stderr, code, signal }));
  });
}

/** One call of a trace, in the order in which the calls were made. */
export type TraceEvent = {
  readonly thread: number;
  readonly call: string;
  /** Everything between the brackets, as strace prints it (`-y`: descriptors with their paths). */
  readonly args: string;
  readonly failed: boolean;
  /** Position at which it began and at which it had ended; another thread's calls may lie between. */
  readonly begin: number;
  readonly end: number;
};

const WHOLE = /^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)/s;
const UNFINISHED = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/s;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|\?)/s;

/** Reads the output of `strace -f -y -o`; a call that never returned is left out. */
export function parseTrace(text: string): TraceEvent[] {
  const events: TraceEvent[] = [];
  const open = new Map<string, { begin: number; args: string }>();
  for (const [line, content] of text.split('\n').entries()) {
    const whole = WHOLE.exec(content);
    const unfinished = whole === null ? UNFINISHED.exec(content) : null;
    const resumed = whole === null && unfinished === null ? RESUMED.exec(content) : null;
    const [, thread = '', call = '', args = '', answer = ''] = whole ?? unfinished ?? resumed ?? [];
    const key = `${thread} ${call}`;
    if (unfinished !== null) open.set(key, { begin: line, args });
    if (whole === null && resumed === null) continue;
    const started = resumed === null ? undefined : open.get(key);
    events.push({
      thread: Number(thread),
      call,
      args: (started?.args ?? '') + args,
      failed: answer.startsWith('-'),
      begin: started?.begin ?? line,
      end: line,
    });
  }
  return events.sort((a, b) => a.begin - b.begin);
}

/** How often the busiest thread makes each call: strace counts by thread. */
export function countCalls(events: readonly TraceEvent[]): Map<string, number> {
  const byThread = new Map<string, number>();
  const most = new Map<string, number>();
  for (const { thread, call } of events) {
    const count = (byThread.get(`${thread} ${call}`) ?? 0) + 1;
    byThread.set(`${thread} ${call}`, count);
    most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  return most;
}
