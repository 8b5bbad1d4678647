import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { assertNever } from '../../shared/errors.ts';
import type { TidyAction } from './rotation.ts';

const compress = promisify(gzip);

/**
 * Carries out a tidy plan, one file after the other. A file that cannot be handled stays for the next time.
 * Returns what was done and what failed.
 */
export async function runTidy(
  folder: string,
  actions: readonly TidyAction[],
): Promise<{ deleted: number; compressed: number; failed: string[] }> {
  const done = { deleted: 0, compressed: 0, failed: [] as string[] };
  for (const action of actions) {
    try {
      switch (action.kind) {
        case 'delete':
          await rm(join(folder, action.name), { force: true });
          done.deleted += 1;
          break;
        case 'compress':
          await compressFile(join(folder, action.name));
          done.compressed += 1;
          break;
        default:
          assertNever(action);
      }
    } catch (error) {
      done.failed.push(`${action.name}: ${(error as Error).message}`);
    }
  }
  return done;
}

/** The plain file goes only when the compressed one is complete and durable. */
async function compressFile(path: string): Promise<void> {
  const temporary = `${path}.gz.new`;
  const bytes = await compress(await readFile(path));
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, `${path}.gz`);
  await rm(path);
}
