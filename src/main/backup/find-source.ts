/** From what a person asks to restore to an opened backup: here, in a file, on a git server, in a bucket. */
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BackupItem } from '../../shared/contract-backup.ts';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { parseArchiveName } from './archive-format.ts';
import type { Archives } from './archives.ts';
import { BUCKET_FOLDERS, type Bucket } from './bucket.ts';
import type { Catalog } from './catalog.ts';
import { fetchBackups } from './fetch.ts';
import type { GitPlace } from './git-place.ts';
import type { KeySource } from './key-source.ts';
import { parseSecret } from './keys.ts';
import { openRepository } from './open-repository.ts';
import { openRepositorySource } from './repository-source.ts';
import type { BackupSecret, BackupSummary, RepositoryReader } from './repository-types.ts';
import type { BackupSource } from './source.ts';
import { BACKUPS_FOLDER } from './vault-repository.ts';
import { makeWorkFolder } from './work-folder.ts';

export type SourceWish = {
  readonly source?: 'local' | 'github' | 'supabase' | undefined;
  readonly backup?: string | undefined;
  readonly file?: string | undefined;
  readonly atMs?: number | undefined;
  readonly key?: string | undefined;
};

/** `item` is what faces show of it. Closing the source closes everything that was opened for it. */
export type FoundSource = { readonly source: BackupSource; readonly item: BackupItem };

export type FindSource = (
  wish: SourceWish,
  report: (phase: string, bytes: number) => void,
  signal: AbortSignal,
) => Promise<FoundSource>;

export type FindSourceDeps = {
  readonly dataFolder: string;
  readonly keys: KeySource;
  readonly catalog: Catalog;
  readonly archives: Archives;
  readonly git: () => GitPlace | null;
  readonly bucket: () => Promise<Bucket | null>;
  readonly stallMs: number;
};

export function createFindSource(deps: FindSourceDeps): FindSource {
  return async (wish, report, signal) => {
    const secret = wish.key === undefined ? (deps.keys.current()?.secret ?? null) : parseSecret(wish.key);
    if (wish.source === 'github') return fromGit(wish, secret, deps, report, signal);
    if (wish.source === 'supabase') return fromBucket(wish, secret, deps, report, signal);
    if (wish.file !== undefined) return fromFile(wish.file, wish, secret, deps.archives);
    const found =
      wish.atMs === undefined ? await deps.catalog.find(wish.backup ?? 'latest') : await deps.catalog.findAt(wish.atMs);
    return { source: await deps.catalog.open(found), item: deps.catalog.item(found) };
  };
}

/** An archive, or the folder of a repository (a clone, a copy of another machine's). */
async function fromFile(
  file: string,
  wish: SourceWish,
  secret: BackupSecret | null,
  archives: Archives,
): Promise<FoundSource> {
  if (isAbsolute(file) && existsSync(file) && statSync(file).isDirectory()) return fromRepository(file, wish, secret);
  const source = await archives.open(file, secret);
  const path = isAbsolute(file) ? file : join(archives.folder, basename(file));
  return { source, item: describeSource(source, statSync(path).size, ['folder']) };
}

function fromRepository(gitFolder: string, wish: SourceWish, secret: BackupSecret | null): FoundSource {
  const reader = openRepository({ gitFolder, secret });
  try {
    const summary = choose(reader, wish);
    const source = openRepositorySource(reader, summary);
    return { source: { ...source, close: async () => reader.close() }, item: describeSummary(summary, ['repository']) };
  } catch (cause) {
    reader.close();
    throw cause;
  }
}

function choose(reader: RepositoryReader, { backup, atMs }: SourceWish): BackupSummary {
  return atMs === undefined ? reader.find(backup ?? 'latest') : reader.findAt(atMs);
}

/** Brings the backups here first; what was brought before is not sent again. */
async function fromGit(
  wish: SourceWish,
  secret: BackupSecret | null,
  deps: FindSourceDeps,
  report: (phase: string, bytes: number) => void,
  signal: AbortSignal,
): Promise<FoundSource> {
  const git = deps.git();
  if (git === null) throw notConfigured('GitHub', 'GITHUB_REPO (and GITHUB_TOKEN for a private one)');
  const gitFolder = await fetchInto(git, deps, report, signal);
  const found = fromRepository(gitFolder, wish, secret);
  return { ...found, item: { ...found.item, where: ['github'] } };
}

/** The folder that has what the git server has. */
export async function fetchInto(
  git: GitPlace,
  deps: Pick<FindSourceDeps, 'dataFolder' | 'stallMs'>,
  report: (phase: string, bytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const folder = join(deps.dataFolder, BACKUPS_FOLDER, 'fetched');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const gitFolder = join(folder, `${createHash('sha256').update(git.url).digest('hex').slice(0, 16)}.git`);
  const remote = { url: git.url, token: git.token, stallMs: deps.stallMs, signal };
  await fetchBackups({ remote, gitFolder, onProgress: (bytes) => report('fetching', bytes) });
  return gitFolder;
}

async function fromBucket(
  wish: SourceWish,
  secret: BackupSecret | null,
  deps: FindSourceDeps,
  report: (phase: string, bytes: number) => void,
  signal: AbortSignal,
): Promise<FoundSource> {
  const bucket = await deps.bucket();
  if (bucket === null) throw notConfigured('Supabase', 'SUPABASE_URL and SUPABASE_KEY');
  const name = await chooseObject(bucket, wish, signal);
  const work = makeWorkFolder(deps.dataFolder);
  const file = join(work, basename(name));
  const remove = (): void => rmSync(work, { recursive: true, force: true });
  try {
    let bytes = 0;
    const pieces = Readable.from(await bucket.download(name, signal), { objectMode: false });
    pieces.on('data', (piece: Buffer) => {
      bytes += piece.length;
      report('fetching', bytes);
    });
    await pipeline(pieces, createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal });
    const source = await deps.archives.open(file, secret);
    const close = async (): Promise<void> => {
      await source.close();
      remove();
    };
    return { source: { ...source, close }, item: describeSource(source, bytes, ['supabase']) };
  } catch (cause) {
    remove();
    throw cause;
  }
}

async function chooseObject(bucket: Bucket, wish: SourceWish, signal: AbortSignal): Promise<string> {
  const objects = (await Promise.all(BUCKET_FOLDERS.map((folder) => bucket.list(folder, signal)))).flat();
  const known = objects
    .flatMap(({ name }) => {
      const parsed = parseArchiveName(basename(name));
      return parsed === null ? [] : [{ name, ...parsed }];
    })
    .sort((a, b) => b.createdAtMs - a.createdAtMs);
  const wanted = wish.file ?? (wish.backup === 'latest' ? undefined : wish.backup);
  const found = known.find(({ name, tag, createdAtMs }) => {
    if (wanted !== undefined) return name === wanted || basename(name) === wanted || tag === wanted;
    return wish.atMs === undefined || createdAtMs <= wish.atMs;
  });
  if (found !== undefined) return found.name;
  const hint =
    known.length === 0
      ? {}
      : {
          hint: `There are ${known
            .slice(0, 3)
            .map(({ name }) => basename(name))
            .join(', ')}.`,
        };
  throw new AppError('not_found.backup', `The bucket has no backup ${displayPath(wanted ?? 'of that time')}.`, hint);
}

function notConfigured(what: string, needs: string): AppError {
  return new AppError('usage.bad_argument', `${what} is not configured.`, { hint: `Set ${needs}.` });
}

export function describeSummary(summary: BackupSummary, where: BackupItem['where']): BackupItem {
  return {
    id: summary.commit,
    kind: 'repository',
    createdAtMs: summary.createdAtMs,
    reason: summary.reason,
    tag: summary.tag,
    deviceId: summary.deviceId,
    files: summary.files,
    sizeBytes: summary.sizeBytes,
    tables: { ...summary.tables },
    isEncrypted: summary.isEncrypted,
    incomplete: summary.incomplete,
    redacted: summary.redacted,
    verifiedAtMs: null,
    where,
  };
}

function describeSource(source: BackupSource, sizeBytes: number, where: BackupItem['where']): BackupItem {
  const { info, tables } = source;
  let files = 0;
  let redacted = 0;
  for (const entry of source.entries()) {
    if (entry.kind === 'file') files += 1;
    if (entry.redactions > 0) redacted += 1;
  }
  return {
    id: info.name,
    kind: 'archive',
    createdAtMs: info.createdAtMs ?? 0,
    reason: info.reason ?? info.shape,
    tag: info.tag,
    deviceId: info.deviceId,
    files,
    sizeBytes,
    tables: Object.fromEntries(tables.map(({ name, recordCount }) => [name, recordCount])),
    isEncrypted: info.isEncrypted,
    incomplete: 0,
    redacted,
    verifiedAtMs: null,
    where,
  };
}
