/**
 * Worlds with the real connectors: two devices with vaults on a disk, Postgres and PostgREST, the stand-in of Notion.
 * `SEEDS=n` runs so many, `FIRST_SEED=n` begins there. The same worlds with remotes in memory, many more of them, are
 * in `test/main/sync/converge.test.ts`; agents as processes of their own are in `sync-processes.test.ts`.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyMigrations } from '../../src/main/sync/supabase/migrate.ts';
import { type Notion, startNotion } from '../support/notion/start.ts';
import { type LocalSupabase, startSupabase } from '../support/supabase/start-supabase.ts';
import { emptyRemotes } from '../support/sync-real-remotes.ts';
import { runWorld } from '../support/sync-world.ts';

const SEEDS = Number(process.env.SEEDS ?? 6);
const FIRST = Number(process.env.FIRST_SEED ?? 1);
const STEPS = Number(process.env.STEPS ?? 60);
const SECONDS = Number(process.env.SECONDS_LIMIT ?? 7_200);

let supabase: LocalSupabase;
let notion: Notion;
let done = 0;

beforeAll(async () => {
  supabase = await startSupabase();
  notion = await startNotion();
  await applyMigrations(supabase.dbUrl);
  await supabase.addUser();
});
afterAll(async () => {
  await notion.stop();
  await supabase.stop();
  process.stdout.write(`${done} of ${SEEDS} worlds with real services converged, ${STEPS} steps each\n`);
});

test('random worlds of two devices, real services, faults, restarts and people come to rest, equal and without a loss', {
  timeout: SECONDS * 1_000,
}, async () => {
  const failed: string[] = [];
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    const remotes = (clock: Parameters<typeof emptyRemotes>[1]) => emptyRemotes({ supabase, notion }, clock);
    const problems = await runWorld({ seed, steps: STEPS, remotes, startMs: Date.now() });
    if (problems.length === 0) done += 1;
    else {
      const replay = `FIRST_SEED=${seed} SEEDS=1 STEPS=${STEPS} npx vitest run test/faults/sync-converge.test.ts`;
      failed.push(`seed ${seed}, replay it with: ${replay}: ${problems.slice(0, 5).join('; ')}`);
      process.stderr.write(`${failed.at(-1)}\n`);
    }
  }
  expect(failed).toEqual([]);
});
