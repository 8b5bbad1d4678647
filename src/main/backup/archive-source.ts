import { basename } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import {
  type ArchiveMetadata,
  archiveMetadata,
  COMMENT_PREFIX,
  checkSeal,
  FORMAT_VERSION,
  METADATA_NAME,
  type MetadataEntry,
  TABLE_SCHEMA_VERSION,
} from './archive-format.ts';
import { hashRange, type OpenZip } from './archive-read.ts';
import { filePathTrouble } from './entry-names.ts';
import { type BackupSource, entryKey, LARGEST_WHOLE_BYTES, type SourceContent, type SourceEntry } from './source.ts';
import { readTableHead, readTableRows } from './table-rows.ts';
import { readZipEntry, streamZipEntry } from './zip-contents.ts';
import type { ZipEntry } from './zip-structure.ts';

type Stored = { readonly zip: ZipEntry; readonly proof: MetadataEntry };

/** One of our archives. Everything in it is what its metadata says, and nothing else is in it. */
export async function openNewArchive(zip: OpenZip, text: Buffer, version: number): Promise<BackupSource> {
  if (version > FORMAT_VERSION)
    throw new AppError(
      'backup.from_future',
      `${displayPath(zip.file)} has format ${version}; ${FORMAT_VERSION} is known.`,
    );
  assertWhole(zip);
  const metadata = parseMetadata(text);
  const isSealed = assertSeal(zip, text, metadata);
  const stored = pair(zip, metadata);
  const byName = new Map(stored.map((each) => [each.zip.name, each]));
  const files = new Map<string, Stored>();
  const entries: SourceEntry[] = [];
  for (const each of stored) {
    if (each.proof.file === undefined) continue;
    const entry = toEntry(each.proof, each.proof.file);
    files.set(entryKey(entry), each);
    entries.push(entry);
  }
  assertPaths(metadata, entries, files.size);
  const tables = stored.flatMap(({ zip: { name } }) => {
    const table = /^tables\/([a-z_]+)\.json$/.exec(name)?.[1];
    return table === undefined
      ? []
      : [{ name: table, recordCount: metadata.counts.tables[table] ?? 0, schemaVersion: TABLE_SCHEMA_VERSION }];
  });
  const find = (entry: SourceEntry): Stored => {
    const found = files.get(entryKey(entry));
    if (found === undefined) throw new AppError('not_found.backup', `${displayPath(entry.path)} is not in the backup.`);
    return found;
  };
  const table = (name: string): Stored => {
    const found = byName.get(`tables/${name}.json`);
    if (found === undefined) throw new AppError('not_found.backup', `The backup has no table ${displayPath(name)}.`);
    return found;
  };
  const source: BackupSource = {
    info: infoOf(zip, metadata, isSealed),
    roots: metadata.roots.map(({ root_id, path }) => ({ rootId: root_id, path })),
    entries: () => entries,
    contents: (wanted) => contentsOf(zip, entries, wanted, find),
    stream: (entry) => {
      const { zip: entryZip, proof } = find(entry);
      return streamZipEntry(zip.descriptor, entryZip, { sha256: proof.sha256, sizeBytes: proof.size });
    },
    tables,
    rows: (name) => {
      const { zip: entryZip, proof } = table(name);
      return readTableRows(
        streamZipEntry(zip.descriptor, entryZip, { sha256: proof.sha256, sizeBytes: proof.size }),
        name,
      );
    },
    close: async () => zip.close(),
  };
  if (zip.options.verify === 'all') await verifyAll(zip, stored, source);
  return source;
}

/** The comment proves every byte before it: what no header and no checksum covers cannot be changed unseen either. */
function assertWhole(zip: OpenZip): void {
  const { comment, commentAt } = zip.structure;
  const digest = comment.startsWith(COMMENT_PREFIX) ? comment.slice(COMMENT_PREFIX.length) : '';
  if (!/^[0-9a-f]{64}$/.test(digest)) throw damaged(zip, 'its proof is missing');
  if (zip.options.verify === 'all' && hashRange(zip.descriptor, commentAt) !== digest)
    throw damaged(zip, 'its bytes do not match its proof');
}

function parseMetadata(text: Buffer): ArchiveMetadata {
  let value: unknown;
  try {
    value = JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw new AppError('backup.damaged', 'The metadata of the archive is no JSON.', { cause });
  }
  const parsed = archiveMetadata.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new AppError(
    'backup.damaged',
    `The metadata of the archive has a value that cannot be: ${displayPath(where)}.`,
  );
}

/** True when the metadata is proven to come from a holder of the key. */
function assertSeal(zip: OpenZip, text: Buffer, metadata: ArchiveMetadata): boolean {
  const { key } = zip.options;
  if (key === null) return false;
  const verdict = checkSeal(text, key);
  if (verdict === 'proven') return true;
  // Another key sealed it: a wrong key, unless the archive was opened by the one that was given.
  const isOther = metadata.key_fingerprint !== null && metadata.key_fingerprint !== key.fingerprint;
  if (verdict === 'false' && isOther)
    throw new AppError(
      'backup.key_wrong',
      `${displayPath(zip.file)} was sealed by the key ${displayPath(metadata.key_fingerprint ?? '')}, not by ${key.fingerprint}.`,
    );
  if (verdict === 'false' || metadata.key_fingerprint !== null) throw damaged(zip, 'its metadata was changed');
  return zip.wrapping === 'openpgp';
}

/** Each entry of the zip with its line of the metadata; one without the other is refused. */
function pair(zip: OpenZip, metadata: ArchiveMetadata): Stored[] {
  const proofs = new Map<string, MetadataEntry>();
  for (const proof of metadata.entries) {
    if (proofs.has(proof.name)) throw damaged(zip, `its metadata has ${displayPath(proof.name)} twice`);
    proofs.set(proof.name, proof);
  }
  const stored: Stored[] = [];
  for (const entry of zip.structure.entries) {
    if (entry.name === METADATA_NAME) continue;
    const proof = proofs.get(entry.name);
    if (proof === undefined) throw damaged(zip, `${displayPath(entry.name)} is not in its metadata`);
    if (proof.size !== entry.sizeBytes)
      throw damaged(zip, `${displayPath(entry.name)} has another size than its metadata says`);
    stored.push({ zip: entry, proof });
    proofs.delete(entry.name);
  }
  const [missing] = proofs.keys();
  if (missing !== undefined) throw damaged(zip, `${displayPath(missing)} is missing`);
  return stored;
}

function toEntry(proof: MetadataEntry, file: NonNullable<MetadataEntry['file']>): SourceEntry {
  return {
    rootId: file.root_id,
    path: file.path,
    kind: 'file',
    mode: file.mode,
    mtimeUs: file.mtime_us,
    sizeBytes: proof.size,
    sha256: proof.sha256,
    redactions: file.redactions,
    target: null,
  };
}

function assertPaths(metadata: ArchiveMetadata, entries: readonly SourceEntry[], unique: number): void {
  const roots = new Set(metadata.roots.map((root) => root.root_id));
  const folders = new Set<string>();
  for (const entry of entries) {
    const trouble = filePathTrouble(entry.path);
    if (trouble !== null)
      throw new AppError('backup.hostile', `The path ${displayPath(entry.path)} in the metadata ${trouble}.`);
    if (!roots.has(entry.rootId))
      throw new AppError('backup.hostile', `${displayPath(entry.path)} belongs to no root of the backup.`);
    const key = entryKey(entry);
    for (let slash = key.lastIndexOf('/'); slash > key.indexOf('/'); slash = key.lastIndexOf('/', slash - 1))
      folders.add(key.slice(0, slash));
  }
  if (unique !== entries.length) throw new AppError('backup.hostile', 'The metadata has one path twice.');
  for (const entry of entries)
    if (folders.has(entryKey(entry)))
      throw new AppError('backup.hostile', `${displayPath(entry.path)} is a file and a folder in the metadata.`);
}

function* contentsOf(
  zip: OpenZip,
  entries: readonly SourceEntry[],
  wanted: (entry: SourceEntry) => boolean,
  find: (entry: SourceEntry) => Stored,
): Generator<SourceContent> {
  for (const entry of entries) {
    if (!wanted(entry)) continue;
    const { zip: entryZip, proof } = find(entry);
    const isWhole = proof.size <= LARGEST_WHOLE_BYTES;
    yield {
      entry,
      content: isWhole ? readZipEntry(zip.descriptor, entryZip, { sha256: proof.sha256, sizeBytes: proof.size }) : null,
    };
  }
}

async function verifyAll(zip: OpenZip, stored: readonly Stored[], source: BackupSource): Promise<void> {
  for (const [index, { zip: entry, proof }] of stored.entries()) {
    const expected = { sha256: proof.sha256, sizeBytes: proof.size };
    if (entry.sizeBytes <= LARGEST_WHOLE_BYTES && entry.storedBytes <= LARGEST_WHOLE_BYTES * 2)
      readZipEntry(zip.descriptor, entry, expected);
    else for await (const _ of streamZipEntry(zip.descriptor, entry, expected));
    if (index % 64 === 0) {
      zip.options.onProgress?.(index, stored.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  for (const table of source.tables) {
    const head = await readTableHead(source.rows(table.name), table.name);
    if (head !== table.recordCount)
      throw damaged(zip, `the table ${table.name} has ${head} rows, its metadata says ${table.recordCount}`);
  }
}

function infoOf(zip: OpenZip, metadata: ArchiveMetadata, isSealed: boolean): BackupSource['info'] {
  const warnings: string[] = [];
  if (!isSealed && zip.wrapping === 'none')
    warnings.push('It is not encrypted and its seal was not tested: anybody could have written it.');
  if (metadata.incomplete.length > 0)
    warnings.push(`${metadata.incomplete.length} files could not be read when it was made.`);
  return {
    id: metadata.id,
    name: basename(zip.file),
    shape: 'archive',
    createdAtMs: Date.parse(metadata.timestamp),
    deviceId: metadata.device_id,
    reason: metadata.reason,
    tag: metadata.tag,
    isEncrypted: zip.wrapping !== 'none',
    isAuthenticated: isSealed || zip.wrapping === 'openpgp',
    isRedacted: metadata.redacted,
    fingerprint: metadata.key_fingerprint,
    warnings,
  };
}

function damaged(zip: OpenZip, why: string): AppError {
  return new AppError('backup.damaged', `${displayPath(zip.file)}: ${why}.`);
}
