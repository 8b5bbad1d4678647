/** What a test needs of the machine. In CI everything must be there; elsewhere a test that cannot run says why. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { canRunServers } from './supabase/packages.ts';

/** How to find out whether something is usable here, not only installed. */
const PROBES = {
  strace: () => succeeds('strace', ['-f', '-qq', '-o', '/dev/null', 'true']),
  sqlite3: () => succeeds('sqlite3', ['-version']),
  mount: () => succeeds('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64k angles-probe /mnt']),
  setpriv: () => succeeds('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'true']),
  unshare: () => succeeds('unshare', ['-Ur', 'true']),
  /** A terminal for a program that asks. */
  script: () => succeeds('script', ['-qec', 'true', '/dev/null']),
  faketime: () => statSync(FAKETIME_LIBRARY, { throwIfNoEntry: false }) !== undefined,
  /** PostgreSQL and PostgREST from npm: there are packages for Linux x64. */
  'postgres and postgrest': canRunServers,
} as const satisfies Record<string, () => boolean>;

export type Need = keyof typeof PROBES;

export const FAKETIME_LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

/**
 * Options for `test` or `describe`: skipped where something is missing, with its name printed. In CI a missing tool
 * throws, so that a proof is never left out unseen.
 */
export function needs(...names: readonly Need[]): { readonly skip: boolean } {
  const missing = names.filter((name) => !PROBES[name]());
  if (missing.length === 0) return { skip: false };
  if (process.env.CI) throw new Error(`this machine lacks what the tests need: ${missing.join(', ')}`);
  process.stderr.write(`Skipped, as this machine lacks: ${missing.join(', ')}\n`);
  return { skip: true };
}

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
