import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMigrations } from '../../../src/main/store/migrate.ts';
import { integrityCheck, quickCheck } from '../../../src/main/store/quick-check.ts';
import { type Opened, openOrRecover, recoverVault } from '../../../src/main/store/recover.ts';
import {
  checkComplete,
  checkNothingForeign,
  checkRecords,
  checkSnapshots,
  checkSound,
  countSnapshots,
} from './recover-checks.ts';
import { DAMAGES, damageCopy, hasAllRows, intactParts, readTemplate, type Template } from './recover-damage.ts';
import { createRandom, live, newFolder, openWriter, removeFolder, START_MS, type Written } from './recover-fixture.ts';

const NEWEST = readMigrations(join(import.meta.dirname, '../../../migrations/local')).length;
const COUNT = Number(process.env.DAMAGES ?? 128);
const SEED = Number(process.env.SEED ?? 20_261_121);

type Case = { readonly template: Template; readonly written: Written };
let base = '';
const templates: Case[] = [];
let foreign: Template;

/** A vault as a stop leaves it, one as a kill leaves it (with commits in the log only), and a stranger's. */
beforeAll(() => {
  base = newFolder();
  const folder = join(base, 'live');
  const writer = openWriter(folder, 1);
  live(writer, 1, 20);
  writer.store.db.pragma('wal_checkpoint(TRUNCATE)');
  writer.store.db.pragma('wal_autocheckpoint = 0');
  keep(folder, 'stopped', writer.written());
  live(writer, 2, 6, 4);
  keep(folder, 'killed', writer.written());
  writer.close();
  const other = openWriter(join(base, 'other'), 2);
  live(other, 1, 30);
  cpSync(join(base, 'other'), join(base, 'foreign'), { recursive: true });
  other.close();
  foreign = readTemplate(join(base, 'foreign'));
});

function keep(folder: string, name: string, written: Written): void {
  cpSync(folder, join(base, name), { recursive: true });
  templates.push({ template: readTemplate(join(base, name)), written });
}

afterAll(() => {
  removeFolder(base);
  console.log(
    `recovery: ${COUNT} damages, seed ${SEED} (replay: SEED=${SEED} DAMAGES=${COUNT} npx vitest run test/main/store/recover.test.ts)`,
  );
});

const nowMs = (): number => START_MS + 86_400_000;

/** What the agent does: opens, tests the file (at the start, and thoroughly each day), rebuilds when it finds damage. */
function start(dataFolder: string): Opened {
  const opened = openOrRecover({ dataFolder, nowMs });
  if (quickCheck(opened.store.db) === null && integrityCheck(opened.store.db) === null) return opened;
  opened.store.close();
  const recovery = recoverVault({ dataFolder, nowMs });
  return { ...openOrRecover({ dataFolder, nowMs }), recovery };
}

test(`of ${COUNT} damaged vaults each opens again, with nothing lost that is readable or unlisted`, () => {
  const random = createRandom(SEED);
  const seen = new Map<string, number>();
  for (let index = 0; index < COUNT; index += 1) {
    const damage = DAMAGES[index % DAMAGES.length];
    const { template, written } = templates[Math.floor(index / DAMAGES.length) % templates.length] ?? {};
    if (damage === undefined || template === undefined || written === undefined) throw new Error('no damage');
    const folder = join(base, `damaged-${index}`);
    damageCopy(template, folder, damage, random, foreign);
    const parts = intactParts(template, folder);
    const isWhole = hasAllRows(template, folder);
    // One bit can make a vault look as if a newer program wrote it: that is refused, and nothing is touched.
    if (isNewerVersion(folder)) {
      expect(() => start(folder)).toThrow(expect.objectContaining({ code: 'data.from_future' }));
      continue;
    }
    const { store, recovery, caughtUp } = start(folder);
    try {
      seen.set(damage.name, (seen.get(damage.name) ?? 0) + (recovery === null ? 0 : 1));
      const outcome = { store, folder, recovery, written, parts };
      const problems = [...checkSound(outcome), ...checkSnapshots(outcome), ...checkRecords(outcome)];
      if (isWhole) problems.push(...checkComplete(outcome));
      if (!damage.changesBytes) problems.push(...checkNothingForeign(outcome));
      if (recovery === null && caughtUp === null && countSnapshots(store) !== written.snapshots.length) {
        problems.push('versions are missing without a word');
      }
      expect(problems, `#${index} ${damage.name}`).toEqual([]);
    } finally {
      store.close();
    }
    removeFolder(folder);
  }
  console.log(JSON.stringify(Object.fromEntries(seen)));
}, 600_000);

function isNewerVersion(folder: string): boolean {
  const file = join(folder, 'vault.db');
  const header = existsSync(file) ? readFileSync(file).subarray(0, 100) : Buffer.alloc(0);
  if (header.length < 100 || header.toString('latin1', 0, 15) !== 'SQLite format 3') return false;
  return header.readUInt32BE(60) > NEWEST && header.readUInt32BE(60) < 100;
}
