import { mkdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { FSWatcher } from 'chokidar';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';

/** An editor writes in several steps; the files are read when they were quiet for this long. */
const QUIET_MS = 100;

/**
 * Calls `onChange` after one of the named files of a folder appeared, changed or went, and once when the watch is in
 * place. Only the folder itself is watched, and nothing is said about its other files.
 */
export function createFileWatch(
  folder: string,
  names: ReadonlySet<string>,
  onChange: () => void,
  onProblem: (error: unknown) => void,
): { start: () => Promise<void>; stop: () => Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let watching: Promise<FSWatcher> | null = null;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(onChange, QUIET_MS);
  };
  return {
    start: async () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const opening = watching ?? openWatch(folder, names, soon, onProblem);
      watching = opening;
      await opening;
      // What was edited between loading and this moment had no event.
      if (watching === opening) onChange();
    },
    stop: async () => {
      const open = watching;
      watching = null;
      await (await open)?.close();
      clearTimeout(timer);
    },
  };
}

async function openWatch(
  folder: string,
  names: ReadonlySet<string>,
  onEvent: () => void,
  onProblem: (error: unknown) => void,
): Promise<FSWatcher> {
  const { watch } = await import('chokidar');
  const top = resolve(folder);
  const watcher = watch(top, {
    depth: 0,
    ignoreInitial: true,
    ignored: (path) => resolve(path) !== top && !names.has(basename(path)),
  });
  watcher.on('all', onEvent);
  await new Promise<void>((ready) => {
    watcher.once('ready', ready);
    watcher.on('error', (cause) => {
      onProblem(watchError(folder, cause));
      ready();
    });
  });
  return watcher;
}

function watchError(folder: string, cause: unknown): AppError {
  return new AppError('watch.limited', `${displayPath(folder)} cannot be watched: ${String(cause)}`, {
    cause,
    hint: 'Restart the agent after editing config.json or .env by hand; `angles config set` works at once.',
  });
}
