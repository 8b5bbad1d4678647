/** The entry of the built program: `out/main/main.js`. It loads little, because every command waits for it. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { packageRoot } from '../package-root.ts';
import { defaultDataFolder } from '../settings/data-folder.ts';
import { becomeLean, LEAN_COMMANDS } from './lean.ts';
import { programVersion } from './version.ts';

/** Runs one command line in this process and ends it with the command's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const version = programVersion();
  // The one question that is answered without loading the commands.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${version}\n`);
    return;
  }
  if (LEAN_COMMANDS.includes(argv[0])) becomeLean(fileURLToPath(import.meta.url), argv);
  const { connect, createProcessIo, runCli } = await import('./cli/command-line.ts');
  const io = createProcessIo();
  const code = await runCli(argv, io, {
    version,
    dataFolder: defaultDataFolder(process.env, process.platform, homedir()),
    connect,
    openAgent: async (host, mode) => (await import('../agent.ts')).openAgent(host, mode),
    rendererFolder: join(packageRoot(), 'out', 'renderer'),
    heldWaitMs: 3_000,
  });
  await io.flush();
  process.exit(code);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  void main(process.argv.slice(2));
}
