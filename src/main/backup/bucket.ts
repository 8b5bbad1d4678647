/** A bucket as backups need it: names with `/` between the parts, bytes proven by reading back. */
export type Bucket = {
  /** For people: the address of the project. */
  readonly place: string;
  readonly upload: (
    name: string,
    content: Blob,
    signal: AbortSignal,
  ) => Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  readonly download: (name: string, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
  readonly list: (
    prefix: string,
    signal: AbortSignal,
  ) => Promise<readonly { readonly name: string; readonly sizeBytes: number; readonly updatedAtMs: number | null }[]>;
  readonly remove: (names: readonly string[], signal: AbortSignal) => Promise<readonly string[]>;
};

/** `manual/` and `daily/`: the folders of the bucket. */
export const BUCKET_FOLDERS = ['manual', 'daily'] as const;
