/** Backups against restic, in turns on the same tree: the first, one after ten changes, and the way back. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { findProgram } from '../scripts/tools.mjs';
import { TREES } from './cases.mjs';
import { median, program, remove, root, run, scratch } from './measure.mjs';
import { makeTree } from './tree.mjs';

const CHANGED = 10;
const child = join(root, 'out', 'main', 'bench-backup.js');

const row = (name, value, unit, limit) => ({
  name,
  value,
  unit,
  ...(limit === undefined ? {} : { limit, ok: value <= limit }),
});

/** Rows as the other cases give them. The vault is captured before the clock starts. */
export async function backup(size, rounds) {
  await buildChild();
  const folder = scratch(`backup-${size}`);
  makeTree(folder, TREES[size]);
  const home = scratch('home');
  const restic = findProgram('restic') === null ? null : resticIn(scratch('restic'));
  const out = scratch('out');
  try {
    await run(program, ['roots', 'add', folder], { ANGLES_HOME: home });
    await run(program, ['scan', '--json'], { ANGLES_HOME: home });
    const first = { ours: [], theirs: [] };
    const peaks = [];
    for (let round = 0; round < rounds; round += 1) {
      remove(join(home, 'backups'));
      const ours = step('backup', home);
      first.ours.push(ours.seconds);
      peaks.push(ours.peakMb);
      if (restic !== null) first.theirs.push(await restic.first(folder));
    }
    const sizes = { ours: sizeOf(join(home, 'backups')), theirs: restic === null ? 0 : sizeOf(restic.repository) };
    const next = { ours: [], theirs: [] };
    for (let round = 0; round < rounds; round += 1) {
      change(folder, round);
      await run(program, ['scan', '--json'], { ANGLES_HOME: home });
      const ours = step('backup', home, 'change');
      next.ours.push(ours.seconds);
      peaks.push(ours.peakMb);
      if (restic !== null) next.theirs.push(await restic.again(folder));
    }
    const back = { ours: [], theirs: [] };
    for (let round = 0; round < rounds; round += 1) {
      const ours = step('restore', home, join(out, `ours-${round}`));
      back.ours.push(ours.seconds);
      peaks.push(ours.peakMb);
      if (restic !== null) back.theirs.push(await restic.restore(join(out, `theirs-${round}`)));
      if (round === 0) assertEqual(folder, join(out, 'ours-0'));
      remove(join(out, `ours-${round}`), join(out, `theirs-${round}`));
    }
    const one = step('one', home, firstFile(folder));
    const verify = step('verify', home);
    peaks.push(one.peakMb, verify.peakMb);
    return [
      row(`first backup ${size}`, median(first.ours), 's'),
      ...ratio(`first backup ${size} / restic`, first, 1),
      row(`repository ${size}`, sizes.ours / 1e6, 'MB'),
      ...(restic === null ? [] : [row(`repository ${size} / restic`, sizes.ours / sizes.theirs, 'x', 1.3)]),
      row(`backup ${size} after ${CHANGED} changes`, median(next.ours), 's', 1),
      ...ratio(`backup ${size} after ${CHANGED} changes / restic`, next, 0.05),
      row(`restore ${size}`, median(back.ours), 's'),
      ...ratio(`restore ${size} / restic`, back, 1),
      row(`one file of ${size}`, one.seconds, 's', 1),
      row(`verify ${size}`, verify.seconds, 's'),
      row(`backup ${size}: peak RSS`, Math.max(...peaks), 'MB', 400),
    ];
  } finally {
    remove(folder, home, out, ...(restic === null ? [] : [restic.base]));
  }
}

/** Built as the program is: what is measured starts as fast as that. */
async function buildChild() {
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    ssr: { target: 'node', noExternal: true, external: ['better-sqlite3'] },
    build: {
      ssr: true,
      target: 'node22',
      outDir: 'out/main',
      emptyOutDir: false,
      minify: false,
      rolldownOptions: {
        input: { 'bench-backup': 'bench/backup-child.ts' },
        external: ['better-sqlite3'],
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  });
}

function step(name, ...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', child, name, ...args],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr.slice(-2_000)}`);
  return JSON.parse(stdout);
}

function ratio(name, { ours, theirs }, limit) {
  return theirs.length === 0 ? [] : [row(name, median(ours.map((each, index) => each / theirs[index])), 'x', limit)];
}

function resticIn(base) {
  const repository = join(base, 'r');
  const env = {
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: ['bench', 'only'].join('-'),
    RESTIC_CACHE_DIR: join(base, 'c'),
  };
  const seconds = async (...args) => (await run('restic', ['-q', ...args], env)).seconds;
  return {
    base,
    repository,
    first: async (folder) => {
      remove(repository, join(base, 'c'));
      await seconds('init');
      return seconds('backup', folder);
    },
    again: (folder) => seconds('backup', folder),
    restore: (target) => seconds('restore', 'latest', '--target', target),
  };
}

function change(folder, round) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (let each = 0; each < CHANGED; each += 1) {
    const { parentPath, name } = files[Math.floor((files.length / CHANGED) * each + round)];
    appendFileSync(join(parentPath, name), `changed in round ${round}\n`);
  }
}

function firstFile(folder) {
  const entry = readdirSync(folder, { recursive: true, withFileTypes: true }).find((each) => each.isFile());
  return join(entry.parentPath, entry.name).slice(folder.length + 1);
}

function sizeOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('index.db'))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function assertEqual(one, other) {
  const { status, stdout } = spawnSync('diff', ['-r', one, other], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the restored tree is another one: ${stdout.slice(0, 1_000)}`);
}
