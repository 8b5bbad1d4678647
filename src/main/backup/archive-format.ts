/** The shape of `backup_metadata.json` and of what proves an archive. docs/BACKUP-FORMAT.md tells it in words. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

export const METADATA_NAME = 'backup_metadata.json';
export const FORMAT = 'angles-archive';
/** Readers refuse newer ones by name. 1 was the format of earlier programs, which did not say so. */
export const FORMAT_VERSION = 2;
/** Of the rows in `tables/`. A change of its first number needs a migration on reading. */
export const TABLE_SCHEMA_VERSION = '1.0';
export const TABLE_BACKUP_VERSION = '1.0.0';

/** The archive's comment: ends with the SHA-256 of every byte before it. */
export const COMMENT_PREFIX = 'angles-archive 2 sha256 ';
export const COMMENT_BYTES = COMMENT_PREFIX.length + 64;

/** What writes and opens archives of one key. */
export type ArchiveKey = {
  /** Shown on the recovery kit. */
  readonly fingerprint: string;
  /** For OpenPGP: what `gpg -d` asks for. */
  readonly passphrase: string;
  /** Proves the metadata of archives that are not encrypted. */
  readonly macKey: Buffer;
};

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

const fileOfEntry = z.object({
  root_id: z.number().int(),
  path: z.string().min(1),
  mode: z.number().int().min(0).max(0o7777),
  mtime_us: z.number().int(),
  redactions: count,
});

const entry = z.object({ name: z.string().min(1), size: count, sha256: sha256Hex, file: fileOfEntry.optional() });
export type MetadataEntry = z.infer<typeof entry>;

export const archiveMetadata = z.object({
  format: z.literal(FORMAT),
  format_version: z.literal(FORMAT_VERSION),
  id: z.string().min(1).max(100),
  timestamp: z.iso.datetime(),
  reason: z.string().max(50),
  tag: z.string().max(200).nullable(),
  agent_version: z.string(),
  device_id: z.string(),
  vault_change: count,
  schema_number: count,
  encryption: z.enum(['openpgp-aes256', 'none']),
  key_fingerprint: z.string().nullable(),
  redacted: z.boolean(),
  /** By kind of secret, how many places; which files is told at each entry. */
  redactions: z.record(z.string(), count),
  counts: z.object({ files: count, bytes: count, tables: z.record(z.string(), count) }),
  roots: z.array(z.object({ root_id: z.number().int(), path: z.string(), folder: z.string() })),
  /** Files whose newest content the vault did not have. */
  incomplete: z.array(z.object({ root_id: z.number().int(), path: z.string(), reason: z.string() })),
  entries: z.array(entry),
});
export type ArchiveMetadata = z.infer<typeof archiveMetadata>;

/** The text of the metadata with its seal; in pieces, because it lists every file. */
export function* metadataText(metadata: ArchiveMetadata, key: ArchiveKey | null): Generator<Buffer> {
  const mac = key === null ? null : createHmac('sha256', key.macKey);
  const { entries, ...rest } = metadata;
  const head = JSON.stringify(rest, null, 1);
  const piece = (text: string): Buffer => {
    const bytes = Buffer.from(text, 'utf8');
    mac?.update(bytes);
    return bytes;
  };
  yield piece(`${head.slice(0, head.lastIndexOf('\n}'))},\n "entries": [`);
  for (let from = 0; from < entries.length; from += 500) {
    const lines = entries.slice(from, from + 500).map((each) => `\n  ${JSON.stringify(each)}`);
    yield piece(`${from === 0 ? '' : ','}${lines.join(',')}`);
  }
  yield piece('\n ]');
  const seal = mac === null ? 'null' : `"${mac.digest('hex')}"`;
  yield Buffer.from(`${SEAL}${seal}\n}\n`, 'utf8');
}

const SEAL = ',\n "seal": ';

/** Whether the seal proves the text; `absent` when it has none. */
export function checkSeal(text: Buffer, key: ArchiveKey): 'proven' | 'false' | 'absent' {
  const at = text.lastIndexOf(SEAL);
  const seal = /^"([0-9a-f]{64})"\n}\n$/.exec(text.toString('utf8', at + SEAL.length))?.[1];
  if (at === -1 || seal === undefined) return 'absent';
  const expected = createHmac('sha256', key.macKey).update(text.subarray(0, at)).digest();
  return timingSafeEqual(expected, Buffer.from(seal, 'hex')) ? 'proven' : 'false';
}

/** `memory_backup_2026-11-24_03-00-00_before-move.zip.gpg`: sorts by time. */
export function archiveFileName(createdAtMs: number, tag: string | null, isEncrypted: boolean): string {
  const time = new Date(createdAtMs).toISOString().slice(0, 19).replace('T', '_').replaceAll(':', '-');
  const safeTag = (tag ?? '')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60);
  return `memory_backup_${time}${safeTag === '' ? '' : `_${safeTag}`}.zip${isEncrypted ? '.gpg' : ''}`;
}

/** What the name of an archive tells without opening it; null for other files. */
export function parseArchiveName(
  name: string,
): { readonly createdAtMs: number; readonly tag: string | null; readonly isEncrypted: boolean } | null {
  const match = /^memory_backup_(\d{4}-\d{2}-\d{2})(?:_(\d{2})-(\d{2})-(\d{2}))?(?:_(.+?))?\.zip(\.gpg)?$/u.exec(name);
  if (match === null) return null;
  const [, day, hour = '00', minute = '00', second = '00', tag, gpg] = match;
  const createdAtMs = Date.parse(`${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(createdAtMs) ? null : { createdAtMs, tag: tag ?? null, isEncrypted: gpg !== undefined };
}
