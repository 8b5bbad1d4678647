/** Processes of tests, bundled as the program is: one file starts in a part of the time that a hundred sources take. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'vite';

const ROOT = join(import.meta.dirname, '../..');

export type Bundle = {
  /** What to start instead of the source. */
  readonly file: string;
  readonly remove: () => void;
};

/**
 * @param workers sources of the threads that it starts, by their names in `main/worker-url.ts`
 */
export async function bundleChild(source: string, workers: Readonly<Record<string, string>> = {}): Promise<Bundle> {
  // Below the repository, where packages are found, and in a folder of the name that workers are looked for in.
  mkdirSync(join(ROOT, 'out'), { recursive: true });
  const base = mkdtempSync(join(ROOT, 'out', 'test-child-'));
  const name = basename(source, '.ts');
  const outDir = join(base, 'out', 'main');
  const inputs = Object.entries(workers).map(([worker, file]) => [`workers/${worker}`, join(ROOT, file)]);
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    ssr: { target: 'node', noExternal: true, external: ['better-sqlite3'] },
    build: {
      ssr: true,
      target: 'node22',
      outDir,
      emptyOutDir: false,
      minify: false,
      rolldownOptions: {
        input: { [name]: source, ...Object.fromEntries(inputs) },
        external: ['better-sqlite3'],
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
  return { file: join(outDir, `${name}.js`), remove: () => rmSync(base, { recursive: true, force: true }) };
}
