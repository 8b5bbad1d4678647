/**
 * `npm run pictures`: makes docs/images from the program itself. A real agent captures a week of sample notes in a
 * temporary folder, at times that are set here, and Chromium shows its dashboard. Needs Chromium and a built dashboard.
 */
import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openAgent } from '../src/main/agent.ts';
import { startServer } from '../src/main/headless/server.ts';
import { programVersion } from '../src/main/headless/version.ts';
import { launchChromium } from '../test/support/chromium.ts';
import { build } from './build.mjs';
import { TODAY, WEEK } from './pictures-sample.mjs';

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
  return agent;
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

const goTo = (page, hash) =>
  page.evaluate((wanted) => {
    location.hash = wanted;
  }, hash);

async function takePictures(browser, makeLink) {
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
    for (const [name, show] of Object.entries(SHOTS)) {
      await show(page);
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

await build(root);
mkdirSync(home);
let agent = null;
let server = null;
let browser = null;
try {
  for (const day of WEEK) await liveThrough(day);
  agent = await today();
  server = await startServer({
    api: agent.api,
    port: 0,
    rendererFolder: join(root, 'out', 'renderer'),
    log: console,
    nowMs: host.nowMs,
  });
  agent.setDashboardUrl(server.url);
  browser = await launchChromium();
  mkdirSync(images, { recursive: true });
  await takePictures(browser, server.makeLink);
} finally {
  await browser?.close();
  await server?.close();
  await agent?.stop();
  rmSync(home, { recursive: true, force: true });
}
