import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { syncFolder } from '../durable.ts';
import { fsPath } from '../path-names.ts';
import { openBackupSnapshot } from '../store/backup-snapshot.ts';
import { type ArchiveContents, type ArchiveTotals, createArchiveContents } from './archive-contents.ts';
import { type ArchiveKey, archiveFileName, COMMENT_BYTES, COMMENT_PREFIX } from './archive-format.ts';
import { openArchive } from './archive-read.ts';
import { encryptStream } from './openpgp.ts';
import { assertMayLeave, createRedactor, type Redact, type RedactionReport, type Redactor } from './redact-copy.ts';
import { clearWorkFolders, makeWorkFolder } from './work-folder.ts';
import { writeZip } from './zip-write.ts';

export type ArchiveRequest = {
  readonly reason: string;
  readonly tag: string | null;
  /** The folder that archives are kept in; the name follows from time and tag. Or exactly this file. */
  readonly to: { readonly folder: string } | { readonly file: string };
  /** null: neither encrypted nor sealed. */
  readonly key: ArchiveKey | null;
  readonly isEncrypted: boolean;
  /** 0 to 9. */
  readonly compressionLevel: number;
  /** Takes secrets out; asked only for an archive that is not encrypted. null leaves them in. */
  readonly redact: Redact | null;
  /** Refuse an archive that is not encrypted when something secret could not be taken out (`backup.refused`). */
  readonly sanityCheck: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ArchiveProgress) => void) | undefined;
};

export type ArchiveProgress = {
  readonly phase: 'reading' | 'writing' | 'verifying';
  readonly filesDone: number;
  readonly filesAll: number;
};

export type ArchiveDeps = {
  readonly dataFolder: string;
  readonly agentVersion: string;
  readonly nowMs: () => number;
  /** For `state.json`: settings without secrets, and what else a person needs to set up the same agent again. */
  readonly state: () => Readonly<Record<string, unknown>>;
};

export type ArchiveReceipt = ArchiveTotals & {
  readonly file: string;
  readonly id: string;
  readonly createdAtMs: number;
  readonly sizeBytes: number;
  /** Of the file as it lies there. */
  readonly sha256: string;
  readonly isEncrypted: boolean;
  readonly redactions: RedactionReport | null;
  readonly warnings: readonly string[];
  readonly durationMs: number;
};

/**
 * Writes the whole vault as one archive: to a temporary name, fsync, read back and proven, renamed, fsync of the
 * folder. Bounded memory. Saves that come meanwhile are not in it. When it rejects, nothing is left behind.
 * Errors: `data.full`, `file.exists`, `backup.refused`, `backup.damaged` when what was read back differs,
 * `backup.unreadable`, `interrupted`.
 */
export async function writeArchive(request: ArchiveRequest, deps: ArchiveDeps): Promise<ArchiveReceipt> {
  const startedMs = performance.now();
  const createdAtMs = deps.nowMs();
  const file = chooseFile(request, createdAtMs);
  const folder = dirname(file);
  const work = explained(
    () => makeWorkFolder(deps.dataFolder),
    (cause) => explain(cause, file, request.signal),
  );
  const partial = join(folder, `.${basename(file).slice(0, 150)}.${randomBytes(6).toString('hex')}.partial`);
  try {
    if ('folder' in request.to) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const redactor = request.redact !== null && !request.isEncrypted ? createRedactor(request.redact) : null;
    const totals = await writePartial(partial, work, createdAtMs, redactor, request, deps);
    const report = redactor?.report() ?? null;
    if (report !== null && request.sanityCheck) assertMayLeave(report);
    request.onProgress?.({ phase: 'verifying', filesDone: totals.files, filesAll: totals.files });
    await proveReadable(partial, totals, request, deps.dataFolder);
    const sha256 = await hashFile(partial);
    if (existsSync(fsPath(file))) throw new AppError('file.exists', `${displayPath(file)} exists already.`);
    renameSync(fsPath(partial), fsPath(file));
    syncFolder(folder);
    const { size: sizeBytes } = statSync(fsPath(file));
    const { isEncrypted } = request;
    const durationMs = performance.now() - startedMs;
    return { ...totals, file, createdAtMs, sizeBytes, sha256, isEncrypted, redactions: report, durationMs };
  } catch (cause) {
    throw explain(cause, file, request.signal);
  } finally {
    rmSync(fsPath(partial), { force: true });
    rmSync(work, { recursive: true, force: true });
  }
}

/** Removes what a killed process left of archives it was writing or reading. For the start, before anything else runs. */
export function clearArchiveWork(dataFolder: string, archiveFolder: string): void {
  clearWorkFolders(dataFolder);
  if (!existsSync(archiveFolder)) return;
  for (const name of readdirSync(archiveFolder))
    if (/^\.memory_backup_.*\.[0-9a-f]{12}\.partial$/.test(name)) rmSync(join(archiveFolder, name), { force: true });
}

function chooseFile(request: ArchiveRequest, createdAtMs: number): string {
  if ('file' in request.to) {
    if (existsSync(fsPath(request.to.file)))
      throw new AppError('file.exists', `${displayPath(request.to.file)} exists already.`);
    return request.to.file;
  }
  const name = archiveFileName(createdAtMs, request.tag, request.isEncrypted);
  const [, stem = name, extension = ''] = /^(.*?)(\.zip(?:\.gpg)?)$/.exec(name) ?? [];
  for (let number = 1; ; number += 1) {
    const file = join(request.to.folder, `${stem}${number === 1 ? '' : `-${number}`}${extension}`);
    if (!existsSync(fsPath(file))) return file;
  }
}

async function writePartial(
  partial: string,
  work: string,
  createdAtMs: number,
  redactor: Redactor | null,
  request: ArchiveRequest,
  deps: ArchiveDeps,
): Promise<ArchiveTotals & { readonly id: string; readonly warnings: readonly string[] }> {
  const longTermFile = join(work, 'long_term.db');
  const snapshot = openBackupSnapshot(deps.dataFolder, longTermFile);
  try {
    const contents = await createArchiveContents({
      snapshot,
      longTermFile,
      work,
      createdAtMs,
      redactor,
      request,
      deps,
    });
    const plain = Readable.from(zip(contents, request.compressionLevel), { objectMode: false });
    const output = createWriteStream(fsPath(partial), {
      flags: 'wx',
      mode: 0o600,
      flush: true,
      highWaterMark: 1_048_576,
    });
    const signal = request.signal === undefined ? {} : { signal: request.signal };
    if (request.isEncrypted) {
      if (request.key === null)
        throw new AppError('backup.key_missing', 'There is no key to encrypt the archive with.');
      await pipeline(await encryptStream(plain, request.key.passphrase), output, signal);
    } else {
      await pipeline(plain, output, signal);
    }
    return contents.totals();
  } finally {
    snapshot.close();
  }
}

/** The bytes of the zip in few large pieces; its comment ends with the SHA-256 of everything before it. */
async function* zip(contents: ArchiveContents, level: number): AsyncGenerator<Buffer> {
  const digest = createHash('sha256');
  let held: Buffer[] = [];
  let heldBytes = 0;
  const take = (): Buffer => {
    const block = Buffer.concat(held, heldBytes);
    held = [];
    heldBytes = 0;
    digest.update(block);
    return block;
  };
  for await (const piece of writeZip(contents.entries, { level, commentBytes: COMMENT_BYTES })) {
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes >= BLOCK_BYTES) yield take();
  }
  yield take();
  yield Buffer.from(COMMENT_PREFIX + digest.digest('hex'), 'latin1');
}

const BLOCK_BYTES = 262_144;

/** What was written is read again from the disk, opened as a restore would, and every entry is proven. */
async function proveReadable(
  partial: string,
  totals: { readonly id: string; readonly files: number },
  request: ArchiveRequest,
  dataFolder: string,
): Promise<void> {
  const source = await openArchive(partial, { key: request.key, fernetKey: null, dataFolder, verify: 'all' });
  try {
    let files = 0;
    for (const entry of source.entries()) if (entry.kind === 'file') files += 1;
    if (source.info.id !== totals.id || files !== totals.files)
      throw new AppError('backup.damaged', 'The archive that was read back is not the one that was written.');
  } finally {
    await source.close();
  }
}

async function hashFile(file: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const piece of createReadStream(fsPath(file), { highWaterMark: 1_048_576 }))
    digest.update(piece as Buffer);
  return digest.digest('hex');
}

function explained<T>(work: () => T, explain: (cause: unknown) => unknown): T {
  try {
    return work();
  } catch (cause) {
    throw explain(cause);
  }
}

function explain(cause: unknown, file: string, signal: AbortSignal | undefined): unknown {
  if (cause instanceof AppError) return cause;
  if (signal?.aborted === true) return new AppError('interrupted', 'The backup was stopped.', { cause });
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const shown = displayPath(file);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AppError('data.full', `No space is left to write ${shown}.`, { cause, retryable: true });
  if (code === 'ENOENT') return new AppError('usage.bad_argument', `The folder of ${shown} does not exist.`, { cause });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'EIO')
    return new AppError('file.unwritable', `${shown} cannot be written: ${code}.`, { cause });
  return cause;
}
