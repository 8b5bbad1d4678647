import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { AgentClient } from '../../../shared/contract.ts';
import { AppError } from '../../../shared/errors.ts';
import type { RootInfo } from '../../../shared/model.ts';
import type { Context } from './context.ts';

/**
 * Calls with a path as a person gives it: that of a file here, or one inside a watched folder.
 * What exists here is meant first; the other meaning is tried when the vault does not know it.
 */
export async function withPath<T>(context: Context, given: string, call: (path: string) => Promise<T>): Promise<T> {
  if (isAbsolute(given)) return call(resolve(given));
  const here = resolve(context.io.cwd, given);
  const isHere = existsSync(here) || /^\.{1,2}[/\\]/.test(given);
  const [first, second] = isHere ? [here, given] : [given, here];
  try {
    return await call(first);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'not_found.file') throw error;
    try {
      return await call(second);
    } catch (again) {
      // The first meaning is the likelier one: its message helps more.
      throw again instanceof AppError && again.code === 'not_found.file' ? error : again;
    }
  }
}

/** A watched folder by its path, relative ones from here. Throws `not_found.root`. */
export async function findRoot(client: AgentClient, context: Context, given: string): Promise<RootInfo> {
  const path = resolve(context.io.cwd, given);
  const { roots } = await client.call('roots.list', {});
  const root = roots.find((one) => one.path === path);
  if (root === undefined) throw new AppError('not_found.root', `${path} is not watched.`);
  return root;
}
