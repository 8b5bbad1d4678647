// Builds `out/main` (the agent, its workers, the commands and the desktop app), `out/preload` (the bridge of
// the window) and `out/renderer` (the page).
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
/**
 * What every command loads, in two files instead of a dozen: each file costs a command 2 to 3 ms. Modules of `base` are
 * small, and workers load them too. What one command loads for itself (`config-service` brings every setting) stays out.
 */
const COMMAND_CHUNKS = [
  {
    name: 'cli',
    test: /[\\/]src[\\/]main[\\/]headless[\\/](cli[\\/](?!config-service|ask-hidden)|client\.ts)|[\\/]node_modules[\\/]commander[\\/]/,
    priority: 2,
    includeDependenciesRecursively: false,
  },
  {
    name: 'base',
    test: /[\\/]src[\\/](shared[\\/](errors|display)|main[\\/](package-root|settings[\\/]data-folder|headless[\\/](version|lean|endpoint)))\.ts|rolldown[\\/]runtime/,
    priority: 1,
    includeDependenciesRecursively: false,
  },
];
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
        plugins: [lazyCommander, plainAscii],
        output: {
          // Node loads CommonJS in half the time of ES modules, and every command waits for it.
          format: 'cjs',
          comments: { legal: true, annotation: true, jsdoc: false },
          entryFileNames: '[name].js',
          chunkFileNames: 'chunks/[name]-[hash].js',
          codeSplitting: { groups: COMMAND_CHUNKS },
        },
      },
    },
  });
  writeFileSync(join(root, 'out', 'main', 'package.json'), '{ "type": "commonjs" }\n');
  return new Set(result.output.map((file) => file.fileName));
}

/** Commander loads what starts processes, for commands that are programs of their own; ours are not. */
const lazyCommander = {
  name: 'lazy-commander',
  transform(code, id) {
    if (!/[\\/]commander[\\/]lib[\\/]command\.js$/.test(id)) return null;
    const eager = "require('node:child_process')";
    if (!code.includes(eager)) throw new Error(`${id} no longer says ${eager}: look whether this is still needed`);
    const lazy = "{ spawn: (...all) => process.getBuiltinModule('node:child_process').spawn(...all) }";
    return { code: code.replace(eager, lazy), map: null };
  },
};

/**
 * V8 reads a file of plain ASCII in half the time of one that holds a single dash or arrow. What is escaped lies in
 * strings, templates and regular expressions, where an escape means the character.
 */
const plainAscii = {
  name: 'plain-ascii',
  renderChunk(code, chunk) {
    if (chunk.name !== 'cli' && chunk.name !== 'base') return null;
    if (/String\.raw/.test(code)) throw new Error(`${chunk.fileName}: String.raw would print its escapes`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what ASCII is
    const escaped = code.replace(/[^\x00-\x7f]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
    return { code: escaped, map: null };
  },
};

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
