import type { OpenedEntry } from './repository-reader.ts';
import type { BackupEntry } from './repository-types.ts';

/** Contents up to this are given whole. */
const WHOLE_BYTES = 32 * 1_048_576;
const KINDS = { f: 'file', d: 'folder', l: 'symlink' } as const;

/** An entry that remembers which object it stands for, so that a restore need not walk twice. */
export class ReadEntry implements BackupEntry {
  readonly rootId: number;
  readonly path: string;
  readonly kind: BackupEntry['kind'];
  readonly mode: number | null;
  readonly mtimeUs: number | null;
  readonly sizeBytes: number;
  readonly sha256: string | null;
  readonly redactions: number;
  readonly isStale: boolean;
  readonly target: string | null;
  readonly #oid: string | null;
  readonly #isWhole: boolean;

  constructor(rootId: number, path: string, { entry: node, oid }: OpenedEntry) {
    const file = node.k === 'f' ? node : null;
    this.rootId = rootId;
    this.path = path;
    this.kind = KINDS[node.k];
    this.mode = node.k === 'l' ? null : (node.m ?? null);
    this.mtimeUs = node.t ?? null;
    this.sizeBytes = file?.s ?? 0;
    this.sha256 = file?.h ?? null;
    this.redactions = file?.r ?? 0;
    this.isStale = file?.x === 1;
    this.target = node.k === 'l' ? node.g : null;
    this.#oid = file === null ? null : oid;
    this.#isWhole = file !== null && file.c === undefined && file.s <= WHOLE_BYTES;
  }

  /** Of a file; null for everything else. */
  static objectOf(entry: object): { readonly oid: string; readonly isWhole: boolean } | null {
    if (!(#oid in entry) || entry.#oid === null) return null;
    return { oid: entry.#oid, isWhole: entry.#isWhole };
  }
}
