/**
 * `npm run bench [-- CASE...] [-- --rounds N] [-- --idle SECONDS]`: the figures of the README, each as measured here and
 * now. Ratios compare with a peer in the same run; seconds alone say little on a shared machine.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { build } from '../scripts/build.mjs';
import { installTools } from '../scripts/tools.mjs';
import { backup } from './backup.mjs';
import { capture, removeTrees, renderer, restartAndIdle, saves, scroll, watchers } from './cases.mjs';
import { root } from './measure.mjs';
import { syncNotion } from './sync-notion.mjs';
import { syncQueue } from './sync-queue.mjs';
import { syncSave } from './sync-save.mjs';
import { syncSupabase } from './sync-supabase.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, idle: { type: 'string', default: '60' } },
});
const rounds = Number(values.rounds);
const idleSeconds = Number(values.idle);

const cases = {
  'capture-small': () => capture('small', rounds),
  'capture-large': () => capture('large', rounds),
  'restart-small': () => restartAndIdle('small', { idleSeconds, rounds, rssLimit: 160 }),
  'restart-large': () => restartAndIdle('large', { idleSeconds, rounds, rssLimit: 250 }),
  saves: () => saves(100),
  watchers: async () => [...(await watchers('small')), ...(await watchers('large'))],
  renderer,
  'sync-queue': () => syncQueue(),
  scroll,
  'sync-supabase': () => syncSupabase(rounds),
  'sync-save': () => syncSave(),
  'sync-notion': () => syncNotion(),
  'backup-small': () => backup('small', rounds),
  'backup-large': () => backup('large', rounds),
};

installTools([{ name: 'restic', file: 'restic', also: [], package: 'restic', what: 'the peer of a first capture' }]);
await build(root);
const unknown = positionals.filter((name) => !(name in cases));
if (unknown.length > 0) {
  console.error(`no case is called ${unknown.join(', ')}; there are: ${Object.keys(cases).join(', ')}`);
  process.exit(64);
}
console.log(
  `node ${process.version}, ${cpus().length} cores, ${Math.round(totalmem() / 1e9)} GB, ${new Date().toISOString().slice(0, 10)}; medians of ${rounds}`,
);
let missed = 0;
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(cases)) {
    console.log(`\n${name}`);
    for (const { name: what, value, unit, limit, ok } of await cases[name]()) {
      const claim =
        limit === undefined
          ? ''
          : `  (claim: at most ${limit}${unit === 'x' ? 'x' : ` ${unit}`}) ${ok ? 'holds' : 'MISSED'}`;
      if (ok === false) missed += 1;
      console.log(`  ${what.padEnd(64)} ${value.toFixed(value < 10 ? 2 : 0).padStart(7)} ${unit}${claim}`);
    }
  }
} finally {
  removeTrees();
}
console.log(
  missed === 0 ? '\nEvery claim holds.' : `\n${missed} ${missed === 1 ? 'claim was' : 'claims were'} missed.`,
);
process.exitCode = missed === 0 ? 0 : 1;
