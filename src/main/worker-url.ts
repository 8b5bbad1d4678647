import { fileURLToPath, pathToFileURL } from 'node:url';

/** Every worker thread of the program, with its source beside this file. */
const WORKERS = {
  'index-worker': 'store/search/index-worker.ts',
  'scan-worker': 'watch/scan-worker.ts',
  'hash-worker': 'watch/hash-worker.ts',
  'check-worker': 'store/check-worker.ts',
  'checkpoint-worker': 'store/checkpoint-worker.ts',
  'backup-task': 'backup-task.ts',
  'restore-worker': 'backup/restore-worker.ts',
} as const;

export type WorkerName = keyof typeof WORKERS;

/**
 * The file that `new Worker(...)` starts: the source when the program runs unbuilt (node strips the types), else
 * the entry `out/main/workers/<name>.js` of the build, wherever in `out/main` the bundler put the calling code.
 */
export function workerUrl(name: WorkerName): URL {
  return resolveWorker(import.meta.url, name);
}

/** {@link workerUrl} for a module at `moduleUrl`; throws when a built module does not lie below `out/main`. */
export function resolveWorker(moduleUrl: string, name: WorkerName): URL {
  if (moduleUrl.endsWith('.ts')) return new URL(WORKERS[name], moduleUrl);
  const path = fileURLToPath(moduleUrl).replaceAll('\\', '/');
  const end = path.lastIndexOf('/out/main/');
  if (end < 0) throw new Error(`${path} does not lie below out/main, so the worker ${name} cannot be found`);
  return pathToFileURL(`${path.slice(0, end)}/out/main/workers/${name}.js`);
}
