import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io, Output } from './io.ts';

/** Loaded by the few commands that need them: both together cost a short command a tenth of its time. */
const childProcess = () => process.getBuiltinModule('node:child_process');
const readline = () => process.getBuiltinModule('node:readline');

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The surroundings of this very process. `flush` resolves when all output has left it. */
export function createProcessIo(): Io & { readonly flush: () => Promise<void> } {
  for (const stream of [process.stdout, process.stderr]) {
    // The reader has seen enough (`angles files | head`): that is a good end.
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  }
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    readStdin,
    askLine,
    askHidden: async (question) => (await import('./ask-hidden.ts')).askHidden(question),
    // Only when asked: the first look at standard input loads what reads it.
    get stdinIsTTY() {
      return process.stdin.isTTY === true;
    },
    env: process.env,
    cwd: process.cwd(),
    homedir: homedir(),
    nowMs: Date.now,
    timeZone: 'local',
    onSignal: (listener) => {
      for (const name of SIGNALS) process.on(name, listener);
      return () => {
        for (const name of SIGNALS) process.off(name, listener);
      };
    },
    onBug: (listener) => {
      process.on('uncaughtException', listener).on('unhandledRejection', listener);
      return () => void process.off('uncaughtException', listener).off('unhandledRejection', listener);
    },
    exitNow: (code) => process.exit(code),
    openBrowser,
    editText,
    flush: async () => {
      for (const stream of [process.stdout, process.stderr])
        await new Promise<void>((resolve) => void stream.write('', () => resolve()));
    },
  };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (chunk) => void stream.write(chunk),
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 80;
    },
  };
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function askLine(question: string): Promise<string | null> {
  return new Promise((resolve) => {
    const reader = readline().createInterface({ input: process.stdin, output: process.stderr });
    reader.question(question, (answer) => {
      resolve(answer);
      reader.close();
    });
    reader.on('close', () => resolve(null));
  });
}

/** Hands the address to the desktop. A machine without one (a server, an SSH session) has none to open. */
function openBrowser(url: string): boolean {
  const [command, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['explorer.exe', [url]]
        : ['xdg-open', [url]];
  const hasDesktop = process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY);
  if (!hasDesktop) return false;
  const found =
    process.platform !== 'linux' ||
    childProcess().spawnSync('sh', ['-c', 'command -v xdg-open'], { stdio: 'ignore' }).status === 0;
  if (found) childProcess().spawn(command, args, { stdio: 'ignore', detached: true }).unref();
  return found;
}

async function editText(text: string): Promise<string | null> {
  const editor = process.env.VISUAL ?? process.env.EDITOR;
  if (editor === undefined || editor === '' || process.stdin.isTTY !== true || process.stderr.isTTY !== true)
    return null;
  const folder = mkdtempSync(join(tmpdir(), 'angles-edit-'));
  try {
    const file = join(folder, 'text.md');
    writeFileSync(file, text, { mode: 0o600 });
    // The variable may hold arguments (`code --wait`), so a shell reads it, as git does.
    const done = childProcess().spawnSync('sh', ['-c', `${editor} "$1"`, editor, file], {
      stdio: ['inherit', process.stderr.fd, 'inherit'],
    });
    return done.status === 0 ? readFileSync(file, 'utf8') : null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
