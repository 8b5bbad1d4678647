import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collector: (() => void) | null = null;
let sinceLast = 0;
let limitBytes = 0;

/** How often is looked, in contents, and how much may lie around more than after the last collection. */
const EVERY = 512;
const SPARE_BYTES = 24 * 1_048_576;

/**
 * To be called for each content that was packed or unpacked. Every result of zlib and zstd holds a buffer of up to
 * 64 kB, and V8 waits long with what it does not see as its own: an archive of 20,000 small files took 0.9 GB
 * without this. So the collector is called when much lies around.
 */
export function afterContent(): void {
  sinceLast += 1;
  if (sinceLast < EVERY) return;
  sinceLast = 0;
  if (process.memoryUsage().arrayBuffers < Math.max(limitBytes, SPARE_BYTES)) return;
  collect();
  // What is really in use must not make it run for each content.
  limitBytes = process.memoryUsage().arrayBuffers + SPARE_BYTES;
}

const EVERY_ENTRIES = 4_096;
const SPARE_HEAP_BYTES = 48 * 1_048_576;
let entriesSince = 0;
let heapLimitBytes = 0;

/**
 * To be called for each folder that was read, with the number of its entries. On a machine with much memory V8 lets
 * twice of what is in use lie around: that was a quarter of the peak of a restore of 100,000 files.
 */
export function afterFolder(entries: number): void {
  entriesSince += entries;
  if (entriesSince < EVERY_ENTRIES) return;
  entriesSince = 0;
  const { heapUsed } = process.memoryUsage();
  if (heapLimitBytes === 0) heapLimitBytes = heapUsed + SPARE_HEAP_BYTES;
  if (heapUsed < heapLimitBytes) return;
  collect();
  heapLimitBytes = process.memoryUsage().heapUsed + SPARE_HEAP_BYTES;
}

/** Gives back what is not used any more, before something begins that needs memory, too. Takes 1 ms for each MB in use. */
export function collect(): void {
  if (collector === null) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as () => void;
  }
  collector();
}
