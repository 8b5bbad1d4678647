import { join } from 'node:path';

/** For processes that tests start from the sources, again and again: each file is compiled once, by the first of them. */
export const COMPILED = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/angles-tests'),
} as const;
