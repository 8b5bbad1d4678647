/** A bare git repository: made, its branches and tags read and moved. Works on what `git clone` makes, too. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { syncFolder, writeAll } from '../durable.ts';
import { damaged } from './crypto.ts';
import { inRepository } from './pack-writer.ts';

const CONFIG = '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n';

/** Makes an empty bare repository that stock git accepts. Safe to repeat, also after a kill in the middle. */
export function initRepository(gitFolder: string, branch: string): void {
  inRepository(() => {
    for (const folder of ['objects/pack', 'objects/info', 'refs/heads', 'refs/tags']) {
      mkdirSync(join(gitFolder, folder), { recursive: true, mode: 0o700 });
    }
    writeDurably(join(gitFolder, 'config'), CONFIG);
    // HEAD comes last: a folder with it is a repository.
    writeDurably(join(gitFolder, 'HEAD'), `ref: refs/heads/${branch}\n`);
    syncFolder(dirname(gitFolder));
  });
}

/** The folder that has the objects: of a bare repository itself, of a clone its `.git`. Throws `backup.foreign`. */
export function findGitFolder(folder: string): string {
  for (const each of [folder, join(folder, '.git')]) {
    if (existsSync(join(each, 'HEAD')) && existsSync(join(each, 'objects'))) return each;
  }
  throw new AppError('backup.foreign', `${folder} is not a git repository.`);
}

const OID = /^[0-9a-f]{40}$/;

/** All refs by full name, the packed ones, too. Refs with names that git would refuse are left out. */
export function readRefs(gitFolder: string): ReadonlyMap<string, string> {
  const refs = new Map<string, string>();
  for (const line of readText(join(gitFolder, 'packed-refs')).split('\n')) {
    const [oid, name] = line.split(' ');
    if (oid !== undefined && name !== undefined && OID.test(oid) && isRefName(name)) refs.set(name, oid);
  }
  const walk = (name: string): void => {
    for (const entry of listFolder(join(gitFolder, name))) {
      const child = `${name}/${entry.name}`;
      if (entry.isFolder) walk(child);
      else if (isRefName(child)) {
        const oid = readText(join(gitFolder, child)).trim();
        if (OID.test(oid)) refs.set(child, oid);
      }
    }
  };
  walk('refs');
  return refs;
}

/** Branches by name without `refs/heads/`; of a clone also those it only follows (`refs/remotes/origin/`). */
export function readBranches(gitFolder: string): ReadonlyMap<string, string> {
  const branches = new Map<string, string>();
  for (const [name, oid] of readRefs(gitFolder)) {
    const remote = /^refs\/remotes\/[^/]+\/(.+)$/.exec(name)?.[1];
    if (remote !== undefined && remote !== 'HEAD' && !branches.has(remote)) branches.set(remote, oid);
  }
  for (const [name, oid] of readRefs(gitFolder)) {
    if (name.startsWith('refs/heads/')) branches.set(name.slice('refs/heads/'.length), oid);
  }
  return branches;
}

export function readTags(gitFolder: string): ReadonlyMap<string, string> {
  return new Map(
    [...readRefs(gitFolder)]
      .filter(([name]) => name.startsWith('refs/tags/'))
      .map(([name, oid]) => [name.slice('refs/tags/'.length), oid]),
  );
}

/**
 * Points a ref at a commit that is durable already; atomic, durable when this returns. `expected` is what it must
 * point at now (null: nothing). Throws `backup.busy` when somebody else moved it or is moving it.
 */
export function updateRef(gitFolder: string, name: string, oid: string, expected: string | null): void {
  if (!isRefName(name)) throw new Error(`${name} is no name of a ref`);
  const file = join(gitFolder, name);
  const lock = `${file}.lock`;
  inRepository(() => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    let descriptor: number;
    try {
      descriptor = openSync(lock, 'wx', 0o600);
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
      throw new AppError('backup.busy', `${name} is being moved by another program.`, { cause, retryable: true });
    }
    try {
      const current = readRefs(gitFolder).get(name) ?? null;
      if (current !== expected) {
        throw new AppError('backup.busy', `${name} was moved by another program.`, { retryable: true });
      }
      writeAll(descriptor, Buffer.from(`${oid}\n`));
      fsyncSync(descriptor);
      renameSync(lock, file);
      syncFolder(dirname(file));
    } finally {
      closeSync(descriptor);
      rmSync(lock, { force: true });
    }
  });
}

/** Locks that a killed writer left below `refs`. Only the one writer of the repository may call this. */
export function removeRefLocks(gitFolder: string): void {
  const walk = (folder: string): void => {
    for (const entry of listFolder(folder)) {
      if (entry.isFolder) walk(join(folder, entry.name));
      else if (entry.name.endsWith('.lock')) rmSync(join(folder, entry.name), { force: true });
    }
  };
  walk(join(gitFolder, 'refs'));
}

/** What git allows (git-check-ref-format(1)), and nothing that a program could take for an option. */
export function isRefName(name: string): boolean {
  return (
    /^refs\/[A-Za-z0-9][\w./@+-]*$/.test(name) &&
    !/(^|\/)[.-]|\.\.|\/\/|\.lock(\/|$)|[./]$|@\{/.test(name) &&
    name.length <= 250
  );
}

/** A name that a person may give to a backup. */
export function isTagName(name: string): boolean {
  return /^[A-Za-z0-9][\w.+-]{0,99}$/.test(name) && isRefName(`refs/tags/${name}`);
}

export function writeDurably(file: string, text: string): void {
  const temporary = `${file}.new`;
  const descriptor = openSync(temporary, 'w', 0o600);
  try {
    writeAll(descriptor, Buffer.from(text));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  syncFolder(dirname(file));
}

export type TreeEntry = { readonly mode: '100644' | '40000'; readonly name: string; readonly oid: Buffer };

/** The bytes of a tree; git's order: by the bytes of the name, a folder as if its name ended with `/`. */
export function formatTree(entries: readonly TreeEntry[]): Buffer {
  const sortable = entries.map((entry) => ({
    entry,
    key: Buffer.from(entry.mode === '40000' ? `${entry.name}/` : entry.name, 'utf8'),
  }));
  sortable.sort((a, b) => a.key.compare(b.key));
  return Buffer.concat(
    sortable.flatMap(({ entry }) => [Buffer.from(`${entry.mode} ${entry.name}\0`, 'utf8'), entry.oid]),
  );
}

export type ReadTreeEntry = { readonly isFolder: boolean; readonly oid: string };

/** Entries by name. Throws `backup.damaged` for anything that Angles does not write, a name twice among it. */
export function parseTree(data: Buffer): ReadonlyMap<string, ReadTreeEntry> {
  const entries = new Map<string, ReadTreeEntry>();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const end = data.indexOf(0, space);
    if (space < 0 || end < 0 || end + 21 > data.length) throw damaged('a tree is cut off');
    const mode = data.toString('latin1', at, space);
    const name = data.toString('utf8', space + 1, end);
    if (mode !== '100644' && mode !== '40000') throw damaged(`a tree has an entry of mode ${mode}`);
    if (entries.has(name)) throw damaged('a tree has a name twice');
    entries.set(name, { isFolder: mode === '40000', oid: data.toString('hex', end + 1, end + 21) });
    at = end + 21;
  }
  return entries;
}

export type Commit = {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly timeMs: number;
  readonly message: string;
};

export function formatCommit(commit: Commit): Buffer {
  const who = `Angles <angles@localhost> ${Math.floor(commit.timeMs / 1_000)} +0000`;
  const parents = commit.parents.map((parent) => `parent ${parent}\n`).join('');
  return Buffer.from(`tree ${commit.tree}\n${parents}author ${who}\ncommitter ${who}\n\n${commit.message}\n`);
}

export function parseCommit(data: Buffer): Commit {
  const text = data.toString('utf8');
  const end = text.indexOf('\n\n');
  const lines = text.slice(0, Math.max(end, 0)).split('\n');
  const tree = /^tree ([0-9a-f]{40})$/.exec(lines[0] ?? '')?.[1];
  const parents = lines.flatMap((line) => /^parent ([0-9a-f]{40})$/.exec(line)?.[1] ?? []);
  const time = lines.flatMap((line) => /^committer .* (\d{1,12}) [+-]\d{4}$/.exec(line)?.[1] ?? [])[0];
  if (tree === undefined || time === undefined) throw damaged('a commit cannot be read');
  return { tree, parents, timeMs: Number(time) * 1_000, message: text.slice(end + 2).trimEnd() };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function listFolder(folder: string): { readonly name: string; readonly isFolder: boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).map((entry) => ({
      name: entry.name,
      isFolder: entry.isDirectory(),
    }));
  } catch {
    return [];
  }
}
