/** The manifest of a backup, the commit that holds it, and the branch that points at it. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import type { Run } from './backup-run.ts';
import {
  ANGLES_FOLDER,
  FORMAT_FILE,
  MANIFEST_FILE,
  type Manifest,
  README_FILE,
  RESTORE_FILE,
  SETTINGS_FILE,
  TABLES_FOLDER,
  toJson,
} from './format.ts';
import { formatCommit, readBranches, type TreeEntry, updateRef } from './git-repository.ts';
import { FORMAT_VERSION } from './keys.ts';
import { readmeText } from './repository-readme.ts';
import type { BackupReason } from './repository-types.ts';
import type { WrittenRoot } from './root-writer.ts';
import type { WrittenTable } from './table-writer.ts';

export function describeBackup(
  run: Run,
  roots: readonly WrittenRoot[],
  tables: readonly WrittenTable[],
  settingsSha256: Buffer,
): Manifest {
  const { base, repository, source, deps, request, tag } = run;
  const sum = (key: 'files' | 'sizeBytes' | 'incomplete' | 'redacted'): number =>
    roots.reduce((all, root) => all + root[key], 0);
  return {
    format: FORMAT_VERSION,
    repository: repository.format().repository,
    deviceId: source.deviceId,
    sequence: (base?.manifest.sequence ?? 0) + 1,
    parent: base?.commit ?? null,
    previous: base?.manifestSha256.toString('hex') ?? null,
    createdAtMs: Math.trunc(deps.nowMs()),
    reason: request.reason,
    tag,
    agentVersion: deps.agentVersion,
    isEncrypted: repository.unlocked.keys !== null,
    vaultChange: source.change,
    roots: roots.map(({ tree: _, incomplete: __, redacted: ___, ...root }) => root),
    files: sum('files'),
    sizeBytes: sum('sizeBytes'),
    incomplete: sum('incomplete'),
    redacted: sum('redacted'),
    tables: tables.map(({ name, rows, index }) => ({ name, rows, index: index.toString('hex') })),
    settings: settingsSha256.toString('hex'),
    tool: hash('sha256', restoreTool(), 'hex'),
  };
}

function restoreTool(): Buffer {
  return readFileSync(join(packageRoot(), 'assets', RESTORE_FILE));
}

/** What only tells of the agent itself does not make a backup by itself: each backup would cause the next one. */
const TOLD_TABLES = new Set(['activities', 'run_artifacts']);

export function isWorthACommit(base: Manifest, next: Manifest, reason: BackupReason): boolean {
  // What a person asks for in need is to be seen over there, even when nothing is new.
  if (reason === 'rotation' || reason === 'emergency') return true;
  const essence = ({ roots, tables, settings, incomplete, redacted }: Manifest): string =>
    JSON.stringify([
      roots.map(({ rootId, path, node, mode, mtimeUs }) => [rootId, path, node, mode, mtimeUs]),
      tables.filter(({ name }) => !(reason === 'change' && TOLD_TABLES.has(name))),
      settings,
      incomplete,
      redacted,
    ]);
  return essence(base) !== essence(next);
}

export function writeCommit(
  { repository, out, base, deps }: Run,
  made: {
    readonly manifest: Manifest;
    readonly roots: readonly WrittenRoot[];
    readonly tables: readonly WrittenTable[];
    readonly settings: Buffer;
  },
): string {
  const file = (name: string, oid: Buffer): TreeEntry => ({ mode: '100644', name, oid });
  const folder = (name: string, oid: Buffer): TreeEntry => ({ mode: '40000', name, oid });
  const tables = out.putTree(made.tables.map(({ name, tree }) => folder(name, tree)));
  const angles = out.putTree([
    file(FORMAT_FILE, out.putBlob(Buffer.from(`${JSON.stringify(repository.format(), null, 2)}\n`))),
    file(MANIFEST_FILE, out.putData('manifest', toJson(made.manifest)).oid),
    file(SETTINGS_FILE, made.settings),
    folder(TABLES_FOLDER, tables),
  ]);
  const tree = out.putTree([
    folder(ANGLES_FOLDER, angles),
    file(README_FILE, out.putBlob(Buffer.from(readmeText(made.manifest.isEncrypted)))),
    file(RESTORE_FILE, out.putBlob(restoreTool())),
    ...made.roots.map((root) => folder(root.entry, root.tree)),
  ]);
  const commit = out.putCommit(
    formatCommit({
      tree: tree.toString('hex'),
      parents: base === null ? [] : [base.commit],
      timeMs: deps.nowMs(),
      message: messageOf(made.manifest),
    }),
  );
  return commit.toString('hex');
}

function messageOf({ sequence, reason, tag, createdAtMs }: Manifest): string {
  if (reason === 'emergency')
    return `Emergency backup ${new Date(createdAtMs).toISOString().slice(0, 19)}Z${tag === null ? '' : ` (${tag})`}`;
  return `Backup ${sequence} (${reason}${tag === null ? '' : `, ${tag}`})`;
}

/** Takes the objects back when the branch could not be moved: nothing refers to them then. */
export function pointAt({ repository, out, branch, base, tag }: Run, commit: string): void {
  try {
    updateRef(repository.gitFolder, `refs/heads/${branch}`, commit, base?.commit ?? null);
  } catch (cause) {
    if (readBranches(repository.gitFolder).get(branch) !== commit) out.abandon();
    throw cause;
  }
  if (tag !== null) updateRef(repository.gitFolder, `refs/tags/${tag}`, commit, null);
}
