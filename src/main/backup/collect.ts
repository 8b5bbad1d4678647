import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collector: (() => void) | null = null;
let sinceLast = 0;
let limitBytes = 0;

/** How often is looked, in contents, and how much may lie around more than after the last collection. */
const EVERY = 512;
const SPARE_BYTES = 64 * 1_048_576;

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
  if (collector === null) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as () => void;
  }
  collector();
  // What is really in use must not make it run for each content.
  limitBytes = process.memoryUsage().arrayBuffers + SPARE_BYTES;
}
