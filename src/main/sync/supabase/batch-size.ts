/** How many rows and bytes a request carries, learned from what succeeds. */
export type BatchSize = {
  readonly rows: () => number;
  readonly maxBytes: () => number;
  readonly succeeded: (rows: number) => void;
  /** The request was too much (time limit of a statement, size): the next ones are half of it. */
  readonly tooMuch: (rows: number) => void;
};

const MAX_BYTES = 4 * 1024 * 1024;
const MIN_BYTES = 64 * 1024;
/** So many full requests in a row succeed before more is tried. */
const GROW_AFTER = 4;

export function createBatchSize(maxRows: number): BatchSize {
  let rows = maxRows;
  let bytes = MAX_BYTES;
  let streak = 0;
  return {
    rows: () => rows,
    maxBytes: () => bytes,
    succeeded: (count) => {
      streak = count >= rows / 2 ? streak + 1 : streak;
      if (streak < GROW_AFTER) return;
      streak = 0;
      rows = Math.min(maxRows, rows * 2);
      bytes = Math.min(MAX_BYTES, bytes * 2);
    },
    tooMuch: (count) => {
      streak = 0;
      rows = Math.max(1, Math.floor(Math.min(count, rows) / 2));
      bytes = Math.max(MIN_BYTES, Math.floor(bytes / 2));
    },
  };
}

/** Cuts a list into pieces of at most so many items and bytes; an item that is larger alone gets a piece of its own. */
export function cutBatches<Item>(
  items: readonly Item[],
  sizeOf: (item: Item) => number,
  limit: { readonly rows: number; readonly bytes: number },
): Item[][] {
  const batches: Item[][] = [];
  let current: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (current.length > 0 && (current.length >= limit.rows || bytes + size > limit.bytes)) {
      batches.push(current);
      current = [];
      bytes = 0;
    }
    current.push(item);
    bytes += size;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}
