/**
 * `npm run pictures`: makes docs/images from the program itself. A real agent captures a week of sample notes in a
 * temporary folder, at times that are set here, and Chromium shows its dashboard. Needs Chromium and a built dashboard.
 */
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openAgent } from '../src/main/agent.ts';
import { startServer } from '../src/main/headless/server.ts';
import { programVersion } from '../src/main/headless/version.ts';
import { CONFLICTS, TODAY, WEEK } from '../src/main/sample-content.ts';
import { createConflictStore } from '../src/main/store/conflicts.ts';
import { openStore } from '../src/main/store/database.ts';
import { launchChromium } from '../test/support/chromium.ts';
import { build } from './build.mjs';

const root = join(import.meta.dirname, '..');
const images = join(root, 'docs', 'images');
// A fixed name, so that the pictures show the same paths each time; it must not exist.
const home = join(tmpdir(), 'mira');
const dataFolder = join(home, '.local', 'share', 'angles');
const folders = { notes: join(home, 'notes'), atlas: join(home, 'projects', 'atlas', 'docs') };
const MAX_BYTES = 250_000;

let nowMs = 0;
const at = (time) => {
  nowMs = Date.parse(time);
};
const host = {
  dataFolder,
  environment: { HOME: home },
  version: programVersion(),
  shell: 'headless',
  nowMs: () => nowMs,
  notify: () => undefined,
  onPower: () => () => undefined,
};

/** Writes a file as it was a minute before the present of the sample: long enough ago to count as written. */
function save([folder, path, text]) {
  const file = join(folders[folder], path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  utimesSync(file, nowMs / 1_000 - 60, nowMs / 1_000 - 60);
}

/** Days without an agent: a command captures what changed, at the time of the sample. */
async function liveThrough({ time, files, decisions = [], memories = [] }) {
  at(time);
  for (const file of files) save(file);
  const agent = await openAgent(host, 'offline');
  await agent.start();
  const { methods } = agent.api;
  const known = (await methods['roots.list']({})).roots.length;
  if (known === 0) for (const path of Object.values(folders)) await methods['roots.add']({ path });
  await methods['scan.run']({});
  for (const fields of decisions) await methods['records.create']({ table: 'decision_vault', fields, origin: 'cli' });
  for (const fields of memories) await methods['records.create']({ table: 'memories', fields, origin: 'dashboard' });
  await agent.stop();
}

/** The last hours with a running agent; returns it, all of it searchable. */
async function today() {
  at('2026-11-21T08:01:00Z');
  const agent = await openAgent(host, 'running');
  await agent.start();
  const { methods } = agent.api;
  await methods['agent.status']({});
  at('2026-11-21T10:41:00Z');
  for (const file of TODAY) save(file);
  await methods['scan.run']({});
  at('2026-11-21T10:44:00Z');
  while ((await methods['agent.status']({})).waiting.index > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await backUp(methods);
  return agent;
}

/** A backup that is proven, and a kit that was saved: nothing waits for the person. */
async function backUp(methods) {
  await methods['backups.run']({});
  const { text } = await methods['key.kit']({});
  const digits = /spaces do not matter\):\n((?: {4}[0-9a-f ]+\n){4})/.exec(text)[1].replace(/\s/g, '');
  await methods['key.confirm']({ ending: digits.slice(-8) });
  await methods['backups.drill']({});
}

/** What two sides of a service changed at once, as sync notes it; the agent does not run meanwhile. */
function disagree() {
  const store = openStore({ dataFolder, nowMs: host.nowMs });
  const conflicts = createConflictStore(store);
  const idOf = store.db.prepare('SELECT id FROM decision_vault WHERE title = ?');
  store.write((tx) => {
    for (const { title, ...conflict } of CONFLICTS)
      conflicts.add(tx, { ...conflict, remote: 'notion', table: 'decision_vault', recordId: idOf.get(title).id });
  });
  store.close();
}

/** A note that was spoilt, and one that is gone: what a restore in place would mend. */
function spoil() {
  const file = join(folders.notes, 'release-plan.md');
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 80));
  rmSync(join(folders.notes, 'people.md'), { force: true });
}

const SHOTS = {
  overview: async (page) => {
    await page.getByText('Every save is captured.').first().waitFor();
  },
  diff: async (page) => {
    await goTo(
      page,
      `#/file?${new URLSearchParams({ path: join(folders.notes, 'release-plan.md'), show: 'changes' })}`,
    );
    await page.getByText('draft on Tuesday').first().waitFor();
  },
  search: async (page) => {
    await goTo(page, '#/search?q=import+plan');
    await page.locator('mark').first().waitFor();
  },
};
const LATER_SHOTS = {
  'restore-plan': async (page, { backupId }) => {
    await goTo(page, `#/backups?${new URLSearchParams({ id: backupId, restore: '1' })}`);
    await page.getByText('Their original places').click();
    await page.getByRole('button', { name: 'Make the plan' }).click();
    await page.locator('.plan-count').first().waitFor();
  },
};
const CONFLICT_SHOTS = {
  conflicts: async (page, { conflictId }) => {
    await goTo(page, `#/conflicts?${new URLSearchParams({ id: conflictId })}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByText('Notion').first().waitFor();
  },
};

const goTo = (page, hash) =>
  page.evaluate((wanted) => {
    location.hash = wanted;
  }, hash);

async function takePictures(browser, makeLink, shots, facts = {}) {
  for (const theme of ['light', 'dark']) {
    const context = await browser.newContext({
      viewport: { width: 1_280, height: 800 },
      colorScheme: theme,
      reducedMotion: 'reduce',
      timezoneId: 'UTC',
    });
    const page = await context.newPage();
    await page.clock.setFixedTime(nowMs);
    await page.goto(makeLink());
    for (const [name, show] of Object.entries(shots)) {
      await show(page, facts);
      await page.waitForFunction(() => document.querySelector('.skeleton') === null);
      const path = join(images, `${name}-${theme}.png`);
      await page.screenshot({ path });
      const { size } = statSync(path);
      if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes; at most ${MAX_BYTES} are wanted`);
      console.log(`${path} (${Math.round(size / 1_000)} kB)`);
    }
    await context.close();
  }
}

async function serve(running) {
  const started = await startServer({
    api: running.api,
    port: 0,
    rendererFolder: join(root, 'out', 'renderer'),
    log: console,
    nowMs: host.nowMs,
  });
  running.setDashboardUrl(started.url);
  return started;
}

await build(root);
mkdirSync(home);
let agent = null;
let server = null;
let browser = null;
try {
  for (const day of WEEK) await liveThrough(day);
  browser = await launchChromium();
  mkdirSync(images, { recursive: true });
  agent = await today();
  server = await serve(agent);
  await takePictures(browser, server.makeLink, SHOTS);
  spoil();
  const { backups } = await agent.api.methods['backups.list']({});
  const backupId = backups.find((one) => one.kind === 'repository').id;
  await takePictures(browser, server.makeLink, LATER_SHOTS, { backupId });
  await server.close();
  await agent.stop();
  disagree();
  agent = await openAgent(host, 'running');
  await agent.start();
  server = await serve(agent);
  const { conflicts } = await agent.api.methods['conflicts.list']({});
  await takePictures(browser, server.makeLink, CONFLICT_SHOTS, { conflictId: conflicts[0].id });
} finally {
  await browser?.close();
  await server?.close();
  await agent?.stop();
  rmSync(home, { recursive: true, force: true });
}
