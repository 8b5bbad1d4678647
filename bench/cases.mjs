/** What is claimed, measured. Each case returns rows {name, value, unit, claim?: {limit, ratio}}. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { findProgram } from '../scripts/tools.mjs';
import {
  cpuSeconds,
  median,
  memoryMb,
  openVault,
  percentile,
  program,
  remove,
  root,
  run,
  scratch,
  sleep,
  startAgent,
} from './measure.mjs';
import { scrollActivities } from './scroll.mjs';
import { makeTree } from './tree.mjs';

export const TREES = {
  small: { files: 20_000, bytes: 200e6, seed: 20 },
  large: { files: 100_000, bytes: 600e6, seed: 100 },
};
const QUIET_MS = 300;

const trees = new Map();
export function tree(size) {
  if (!trees.has(size)) {
    const folder = scratch(`tree-${size}`);
    makeTree(folder, TREES[size]);
    trees.set(size, folder);
  }
  return trees.get(size);
}
export function removeTrees() {
  remove(...trees.values());
}

const row = (name, value, unit, limit) => ({
  name,
  value,
  unit,
  ...(limit === undefined ? {} : { limit, ok: value <= limit }),
});

/** First capture against `restic backup` into an empty repository, in turns. */
export async function capture(size, rounds) {
  const folder = tree(size);
  const ours = [];
  const theirs = [];
  const peaks = [];
  for (let round = 0; round < rounds; round += 1) {
    const home = scratch('home');
    await run(program, ['roots', 'add', folder], { ANGLES_HOME: home });
    const captured = await run(program, ['scan', '--json'], { ANGLES_HOME: home });
    ours.push(captured.seconds);
    peaks.push(captured.peakMb);
    remove(home);
    if (findProgram('restic') !== null) theirs.push(await resticBackup(folder));
  }
  const rows = [row(`first capture ${size}: durable`, median(ours), 's')];
  if (theirs.length > 0) {
    rows.push(row(`restic backup ${size}`, median(theirs), 's'));
    rows.push(row(`first capture ${size} / restic`, median(ours.map((each, index) => each / theirs[index])), 'x', 1));
  }
  rows.push(row(`first capture ${size}: peak RSS`, Math.max(...peaks), 'MB', 350));
  rows.push(...(await searchable(size, median(theirs.length > 0 ? theirs : ours))));
  return rows;
}

async function resticBackup(folder) {
  const repository = scratch('restic');
  const env = {
    RESTIC_REPOSITORY: join(repository, 'r'),
    RESTIC_PASSWORD: ['bench', 'only'].join('-'),
    RESTIC_CACHE_DIR: join(repository, 'c'),
  };
  await run('restic', ['init', '-q'], env);
  const { seconds } = await run('restic', ['backup', '-q', folder], env);
  remove(repository);
  return seconds;
}

/** The whole agent on an empty vault: durable, then searchable; and its memory afterwards. */
async function searchable(size, referenceSeconds) {
  const home = scratch('home');
  const started = performance.now();
  const agent = await startAgent({ home, roots: [tree(size)] });
  const durable = await agent.ready();
  let status = agent.status();
  while (status.waiting.index > 0) {
    await sleep(100);
    status = agent.status();
  }
  const seconds = (performance.now() - started) / 1_000;
  const peakMb = memoryMb(agent.pid, 'VmHWM');
  await agent.stop();
  remove(home);
  return [
    row(`agent ${size}: durable`, durable.wallSeconds, 's'),
    row(`agent ${size}: searchable`, seconds, 's'),
    row(`agent ${size}: searchable / reference backup`, seconds / referenceSeconds, 'x', 3),
    row(`agent ${size}: peak RSS while capturing and indexing`, peakMb, 'MB', 350),
  ];
}

/** Restart with nothing changed, against `find -printf` of the same tree; then idle cost and search. */
export async function restartAndIdle(size, { idleSeconds, rounds, rssLimit }) {
  const folder = tree(size);
  const home = scratch('home');
  await run(program, ['roots', 'add', folder], { ANGLES_HOME: home });
  await run(program, ['scan', '--json'], { ANGLES_HOME: home });
  const ready = [];
  const find = [];
  let agent = null;
  for (let round = 0; round < rounds; round += 1) {
    await agent?.stop();
    const started = performance.now();
    spawnSync('find', [folder, '-printf', '%s %T@ %p\n'], { maxBuffer: 1e9 });
    find.push((performance.now() - started) / 1_000);
    agent = await startAgent({ home, roots: [] });
    ready.push((await agent.ready()).wallSeconds);
    while (agent.status().waiting.index > 0) await sleep(200);
  }
  // The first backup is due by itself soon after the first capture: what follows would be measured beside it.
  await run(program, ['backup', '--no-github', '--no-supabase'], { ANGLES_HOME: home });
  const rows = [
    row(`restart ${size}, nothing changed: ready`, median(ready), 's'),
    row(`restart ${size} / find -printf`, median(ready.map((each, index) => each / find[index])), 'x', 4),
    ...(await searchRows(home, size)),
    ...(await statusRows(home, size)),
  ];
  await agent.stop();
  agent = await startAgent({ home, roots: [] });
  await agent.ready();
  await sleep(15_000);
  const before = cpuSeconds(agent.pid);
  await sleep(idleSeconds * 1_000);
  rows.push(
    row(`idle ${size}: CPU over ${idleSeconds} s`, ((cpuSeconds(agent.pid) - before) / idleSeconds) * 100, '%', 0.5),
  );
  rows.push(row(`idle ${size}: RSS`, memoryMb(agent.pid, 'VmRSS'), 'MB', rssLimit));
  await agent.stop();
  remove(home);
  return rows;
}

async function searchRows(home, size) {
  const queries = ['note', 'area', 'topic note', 'a*', '"note 100"'];
  const took = [];
  for (const query of [...queries, ...queries]) {
    const { output } = await run(program, ['search', query, '--json'], { ANGLES_HOME: home });
    took.push(JSON.parse(output).tookMs);
  }
  return [
    row(`search ${size}: median in the agent`, median(took), 'ms', 50),
    row(`search ${size}: slowest of ${took.length}`, Math.max(...took), 'ms'),
  ];
}

async function statusRows(home, size) {
  const took = [];
  for (let index = 0; index < 11; index += 1)
    took.push((await run(program, ['status'], { ANGLES_HOME: home })).seconds * 1_000);
  return [row(`angles status ${size}: whole process, median`, median(took), 'ms', 150)];
}

/** From the end of a save to its committed version, as another process sees it. */
export async function saves(count) {
  const folder = tree('small');
  const home = scratch('home');
  const agent = await startAgent({ home, roots: [folder] });
  await agent.ready();
  while (agent.status().waiting.index > 0) await sleep(200);
  const vault = openVault(home);
  const delays = [];
  for (let index = 0; index < count; index += 1) {
    const name = `saved-${index}.md`;
    writeFileSync(join(folder, name), `save ${index}\n`);
    const savedMs = performance.now();
    while (vault.versionsOf(name) === 0) await sleep(1);
    delays.push(performance.now() - savedMs);
  }
  const rows = [
    row('save to durable version: median beyond the quiet time', median(delays) - QUIET_MS, 'ms', 20),
    row('save to durable version: p99 beyond the quiet time', percentile(delays, 0.99) - QUIET_MS, 'ms', 200),
    ...(await burst(agent, vault, folder, 'burst', false)),
    ...(await burst(agent, vault, folder, 'burst-while-stopped', true)),
  ];
  vault.close();
  await agent.stop();
  remove(home);
  for (const name of ['burst', 'burst-while-stopped']) remove(join(folder, name));
  for (let index = 0; index < count; index += 1) remove(join(folder, `saved-${index}.md`));
  return rows;
}

async function burst(agent, vault, folder, name, isStopped) {
  const files = isStopped ? 20_000 : 10_000;
  const target = join(folder, name);
  mkdirSync(target);
  await sleep(1_500);
  if (isStopped) process.kill(agent.pid, 'SIGSTOP');
  const started = performance.now();
  const script = `const fs = require('node:fs'); for (let i = 0; i < ${files}; i += 1) fs.writeFileSync(${JSON.stringify(target)} + '/f' + i + '.md', 'burst ' + i + ' ' + 'x'.repeat(400));`;
  await new Promise((resolve) => spawn(process.execPath, ['-e', script], { stdio: 'inherit' }).on('exit', resolve));
  const writeSeconds = (performance.now() - started) / 1_000;
  if (isStopped) process.kill(agent.pid, 'SIGCONT');
  const endMs = performance.now() + 60_000;
  while (vault.filesIn(name) < files && performance.now() < endMs) await sleep(20);
  const seconds = (performance.now() - started) / 1_000;
  const lost = files - vault.filesIn(name);
  const label = isStopped ? `burst of ${files} files while the agent is stopped` : `burst of ${files} files`;
  return [
    row(`${label}: lost`, lost, 'files', 0),
    row(`${label}: all durable / time to write them`, seconds / writeSeconds, 'x', isStopped ? undefined : 3),
    row(`${label}: all durable`, seconds, 's'),
  ];
}

/** The dashboard's weight, and its first paint in a real browser over the real server. */
export async function renderer() {
  const folder = join(root, 'out', 'renderer', 'assets');
  const page = readFileSync(join(root, 'out', 'renderer', 'index.html'), 'utf8');
  const bytesOf = (names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
  const names = readdirSync(folder).filter((name) => /\.(js|css)$/.test(name));
  const first = names.filter((name) => page.includes(name));
  const rows = [
    row('renderer: scripts and styles of the first page, gzipped', bytesOf(first) / 1_000, 'kB', 60),
    // What draws the charts of the health page is loaded when there is something to draw.
    row(
      'renderer: scripts and styles of all views but charts, gzipped',
      bytesOf(names.filter((name) => !name.startsWith('charts-'))) / 1_000,
      'kB',
      120,
    ),
    row('renderer: charts, gzipped', bytesOf(names.filter((name) => name.startsWith('charts-'))) / 1_000, 'kB'),
  ];
  const executablePath = process.env.CHROMIUM_PATH ?? findProgram('chromium', 'google-chrome');
  if (executablePath === null) return rows;
  const { chromium } = await import('playwright-core');
  const home = scratch('home');
  const agent = await startAgent({ home, roots: [tree('small')] });
  await agent.ready();
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const paints = [];
  for (let index = 0; index < 5; index += 1) {
    const { output } = await run(program, ['open', '--json'], { ANGLES_HOME: home });
    const page = await browser.newPage();
    await page.goto(JSON.parse(output).url);
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
    await page.close();
  }
  await browser.close();
  await agent.stop();
  remove(home);
  return [...rows, row('renderer: first contentful paint, median', median(paints), 'ms', 1_000)];
}

/** How smoothly a long list scrolls; needs no agent. */
export async function scroll() {
  const { frames, seconds, gaps } = await scrollActivities();
  return [
    row('renderer: frames a second, 100,000 activities scrolled', frames / seconds, '/s'),
    // 55 frames a second.
    row('renderer: time a frame, the same, mean', (seconds * 1_000) / frames, 'ms', 18.2),
    row('renderer: time a frame, the same, p99', percentile(gaps, 0.99), 'ms'),
  ];
}

/** Why folders are watched one by one: the same tree under chokidar, in the same run. */
export async function watchers(size) {
  const folder = tree(size);
  const rows = [];
  for (const [name, file] of [
    ['chokidar, every file', 'watch-chokidar.mjs'],
    ['one fs.watch a folder', 'watch-folders.mjs'],
  ]) {
    const { output } = await run(process.execPath, [join(root, 'bench', file), folder]);
    const { readyMs, rssMb } = JSON.parse(output);
    rows.push(
      row(`watching ${size} with ${name}: ready`, readyMs, 'ms'),
      row(`watching ${size} with ${name}: RSS`, rssMb, 'MB'),
    );
  }
  return rows;
}
