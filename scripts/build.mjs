// Builds `out/main` (the agent, its workers, the commands and the desktop app; ES modules for Node), `out/preload` (the
// bridge of the window; CommonJS, because a sandboxed preload script is one) and `out/renderer` (the page).
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build as viteBuild } from 'vite';
import { fingerprint } from './sources.mjs';

/** Entries by the name they get in `out/main`; a part that a shell does not have is left out. */
const ENTRIES = {
  main: 'src/main/headless/main.ts',
  desktop: 'src/main/desktop/main.ts',
  'workers/scan-worker': 'src/main/watch/scan-worker.ts',
  'workers/hash-worker': 'src/main/watch/hash-worker.ts',
  'workers/check-worker': 'src/main/store/check-worker.ts',
  'workers/checkpoint-worker': 'src/main/store/checkpoint-worker.ts',
  'workers/backup-task': 'src/main/backup-task.ts',
  'workers/restore-worker': 'src/main/backup/restore-worker.ts',
  'workers/index-worker': 'src/main/store/search/index-worker.ts',
};
/**
 * better-sqlite3 loads a binary beside itself; Electron brings the module of its name; the other two are optional
 * accelerators of ws that we do not install.
 */
const EXTERNAL = ['better-sqlite3', 'electron', 'bufferutil', 'utf-8-validate'];
const KEEP_OLD_CHUNKS_MS = 30 * 86_400_000;

/** Builds everything. Safe to repeat, also while an agent runs from the same folder. */
export async function build(root) {
  const stamp = fingerprint(root);
  rmSync(join(root, 'out', 'stamp'), { force: true });
  const [main] = await Promise.all([buildMain(root), buildPreload(root), buildRenderer(root)]);
  removeOldChunks(join(root, 'out', 'main', 'chunks'), main);
  mkdirSync(join(root, 'out'), { recursive: true });
  writeFileSync(join(root, 'out', 'stamp'), `${stamp}\n`);
}

async function buildMain(root) {
  const input = Object.fromEntries(Object.entries(ENTRIES).filter(([, file]) => existsSync(join(root, file))));
  const result = await viteBuild({
    configFile: false,
    root,
    logLevel: 'warn',
    ssr: { target: 'node', noExternal: true, external: EXTERNAL },
    build: {
      ssr: true,
      target: 'node22',
      outDir: 'out/main',
      emptyOutDir: false,
      minify: false,
      sourcemap: true,
      rolldownOptions: {
        input,
        external: EXTERNAL,
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
  return new Set(result.output.map((file) => file.fileName));
}

async function buildPreload(root) {
  if (!existsSync(join(root, 'src', 'main', 'desktop', 'preload.ts'))) return;
  await viteBuild({
    configFile: false,
    root,
    logLevel: 'warn',
    ssr: { target: 'node', noExternal: true, external: ['electron'] },
    build: {
      ssr: true,
      target: 'node22',
      outDir: 'out/preload',
      emptyOutDir: true,
      minify: false,
      rolldownOptions: {
        input: { preload: 'src/main/desktop/preload.ts' },
        external: ['electron'],
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  });
}

async function buildRenderer(root) {
  if (!existsSync(join(root, 'src', 'renderer', 'index.html'))) return;
  await viteBuild({
    configFile: false,
    root: join(root, 'src', 'renderer'),
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      target: 'es2023',
      outDir: join(root, 'out', 'renderer'),
      emptyOutDir: true,
      // The page's policy allows no inline fonts and needs no polyfill.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  });
}

/** An agent that runs may still load a chunk of its own build: old ones stay for a month. */
function removeOldChunks(folder, current) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (current.has(`chunks/${name.replace(/\.map$/, '')}`)) continue;
    if (Date.now() - statSync(file).mtimeMs > KEEP_OLD_CHUNKS_MS) rmSync(file);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const started = performance.now();
  try {
    await build(dirname(dirname(fileURLToPath(import.meta.url))));
    console.error(`built in ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
