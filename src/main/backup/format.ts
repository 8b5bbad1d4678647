/** The JSON in a repository: nodes of folders, lists of table chunks, manifests. docs/BACKUP-FORMAT.md explains them. */
import { z } from 'zod';
import { damaged } from './crypto.ts';
import { BACKUP_REASONS } from './repository-types.ts';

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
const oidHex = z.string().regex(/^[0-9a-f]{40}$/);
const count = z.number().int().min(0);
const time = z.number().int();
const mode = z.number().int().min(0).max(0o7777);

/** One entry of a folder. Short names: a repository has one of these per file. */
export type NodeEntry =
  | {
      /** Name. */
      readonly n: string;
      readonly k: 'f';
      /** Permission bits, modification time in microseconds, size, SHA-256 of the content. */
      readonly m: number;
      readonly t: number;
      readonly s: number;
      readonly h: string;
      /** In how many chunks the content lies; absent for one blob. */
      readonly c?: number;
      /** Redacted places; absent for an exact copy. */
      readonly r?: number;
      /** 1 when the file changed after this content was read. */
      readonly x?: 1;
    }
  | {
      readonly n: string;
      readonly k: 'd';
      readonly m?: number;
      readonly t?: number;
      /** SHA-256 of the folder's node. */
      readonly h: string;
    }
  | { readonly n: string; readonly k: 'l'; readonly t?: number /** Where it points. */; readonly g: string };

/** A folder: its entries, or, when it has many, the parts they are spread over by the beginning of their tokens. */
export type FolderNode =
  | { readonly entries: readonly NodeEntry[] }
  | { readonly fan: readonly { readonly p: string; readonly h: string }[] };

const name = z.string().min(1).max(4_096);
const nodeEntry: z.ZodType<NodeEntry> = z.discriminatedUnion('k', [
  z.strictObject({
    n: name,
    k: z.literal('f'),
    m: mode,
    t: time,
    s: count,
    h: sha256Hex,
    c: z.number().int().min(1).max(1_000_000).optional(),
    r: z.number().int().min(1).optional(),
    x: z.literal(1).optional(),
  }),
  z.strictObject({ n: name, k: z.literal('d'), m: mode.optional(), t: time.optional(), h: sha256Hex }),
  z.strictObject({ n: name, k: z.literal('l'), t: time.optional(), g: z.string().min(1).max(65_536) }),
]) as z.ZodType<NodeEntry>;
/** For tests, too. */
export const folderNode: z.ZodType<FolderNode> = z.union([
  z.strictObject({ entries: z.array(nodeEntry) }),
  z.strictObject({ fan: z.array(z.strictObject({ p: z.string().regex(/^[a-z2-7]{1,26}$/), h: sha256Hex })) }),
]);

/** Throws `backup.damaged`, also for names that would lead out of the folder. */
export function parseNode(bytes: Buffer): FolderNode {
  const value = parseJson(bytes, 'a folder');
  const node = isPlainNode(value) ? value : check(folderNode, value, 'a folder');
  if ('entries' in node) {
    const names = new Set<string>();
    for (const { n } of node.entries) {
      if (n === '.' || n === '..' || n.includes('/') || n.includes('\0'))
        throw damaged('a file has an impossible name');
      if (names.has(n)) throw damaged('a folder has a name twice');
      names.add(n);
    }
  }
  return node;
}

/**
 * What nearly every node is. The schema says the same and decides about every other one; for 100,000 files it takes a
 * fifth of the time of a whole restore (measured).
 */
export function isPlainNode(value: unknown): value is { readonly entries: readonly NodeEntry[] } {
  if (typeof value !== 'object' || value === null) return false;
  const { entries, ...rest } = value as { entries?: unknown };
  return Array.isArray(entries) && Object.keys(rest).length === 0 && entries.every(isPlainEntry);
}

function isPlainEntry(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { n, k, m, t, s, h, ...rest } = value as Readonly<Record<string, unknown>>;
  const isNamed = typeof n === 'string' && n.length > 0 && n.length <= 4_096;
  if (!isNamed || typeof h !== 'string' || h.length !== 64 || !/^[0-9a-f]*$/.test(h)) return false;
  for (const _ in rest) return false;
  const isModeAbsent = k === 'd' && m === undefined && !('m' in value);
  const isTimeAbsent = k === 'd' && t === undefined && !('t' in value);
  if (!isModeAbsent && !(isCount(m) && m <= 0o7777)) return false;
  if (!isTimeAbsent && !Number.isSafeInteger(t)) return false;
  return k === 'f' ? isCount(s) : k === 'd' && s === undefined && !('s' in value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const tableIndex = z.strictObject({
  table: z.string().max(64),
  chunks: z.array(z.strictObject({ chunk: z.string().regex(/^[0-9a-z-]{1,64}$/), rows: count, sha256: sha256Hex })),
});
export type TableIndex = z.infer<typeof tableIndex>;

export function parseTableIndex(bytes: Buffer): TableIndex {
  return parse(tableIndex, bytes, 'the list of a table');
}

/** What a backup is: everything else hangs on its hashes. */
export const manifestSchema = z.object({
  format: z.number().int(),
  repository: z.string(),
  deviceId: z.string(),
  sequence: z.number().int().min(1),
  /** The commit before, and the SHA-256 of its manifest. */
  parent: oidHex.nullable(),
  previous: sha256Hex.nullable(),
  createdAtMs: time,
  reason: z.enum(BACKUP_REASONS),
  tag: z.string().max(100).nullable(),
  agentVersion: z.string().max(64),
  isEncrypted: z.boolean(),
  vaultChange: count,
  roots: z.array(
    z.object({
      rootId: z.number().int(),
      path: z.string(),
      /** The entry in the commit's tree, and the SHA-256 of its node. */
      entry: z.string().max(255),
      node: sha256Hex,
      mode: mode.nullable(),
      mtimeUs: time.nullable(),
      files: count,
      folders: count,
      sizeBytes: count,
    }),
  ),
  files: count,
  sizeBytes: count,
  incomplete: count,
  redacted: count,
  tables: z.array(z.object({ name: z.string().max(64), rows: count, index: sha256Hex })),
  settings: sha256Hex,
  /** SHA-256 of the restore.mjs beside it: whoever has the key can tell whether somebody changed it. */
  tool: sha256Hex,
});
export type Manifest = z.infer<typeof manifestSchema>;

export function parseManifest(bytes: Buffer): Manifest {
  return parse(manifestSchema, bytes, 'the manifest');
}

/** Names in the commit's tree. */
export const ANGLES_FOLDER = 'angles';
export const FORMAT_FILE = 'format.json';
export const MANIFEST_FILE = 'manifest';
export const SETTINGS_FILE = 'settings';
export const TABLES_FOLDER = 'tables';
export const TABLE_INDEX_FILE = 'index';
export const README_FILE = 'README.md';
export const RESTORE_FILE = 'restore.mjs';

/** The node in the tree of a folder: names that no entry can have. */
export function nodeFile(isEncrypted: boolean): string {
  return isEncrypted ? 'node' : '.angles-node.json';
}

export function chunkFile(index: number): string {
  return String(index).padStart(6, '0');
}

export function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

export function parse<T>(schema: z.ZodType<T>, bytes: Buffer, what: string): T {
  return check(schema, parseJson(bytes, what), what);
}

function parseJson(bytes: Buffer, what: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw damaged(`${what} is not JSON`, cause);
  }
}

function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (!result.success) throw damaged(`${what} is not as it should be: ${z.prettifyError(result.error)}`);
  return result.data;
}
