/**
 * Agents as processes of their own, each behind a network that fails, real Postgres and PostgREST, the stand-in of
 * Notion, real files, kills. `SEEDS=n` runs so many, `FIRST_SEED=n` begins there.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyMigrations } from '../../src/main/sync/supabase/migrate.ts';
import { needs } from '../support/needs.ts';
import { startNotion } from '../support/notion/start.ts';
import { startSupabase } from '../support/supabase/start-supabase.ts';
import { runProcessWorld, type Services } from '../support/sync-process-world.ts';

const SEEDS = Number(process.env.SEEDS ?? 1);
const FIRST = Number(process.env.FIRST_SEED ?? 1);
const STEPS = Number(process.env.STEPS ?? 40);

describe('agents as processes', needs('postgres and postgrest'), () => {
  let services: Services;
  let done = 0;

  beforeAll(async () => {
    const [supabase, notion] = [await startSupabase(), await startNotion()];
    await applyMigrations(supabase.dbUrl);
    services = { supabase, notion, user: await supabase.addUser() };
  });
  afterAll(async () => {
    await services.notion.stop();
    await services.supabase.stop();
    process.stdout.write(`${done} of ${SEEDS} worlds of two agent processes converged, ${STEPS} steps each\n`);
  });

  test('that are killed, cut off and edited on every side come to rest, equal and without a loss', {
    timeout: SEEDS * 400_000,
  }, async () => {
    const failed: string[] = [];
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      const problems = await runProcessWorld(services, { seed, steps: STEPS });
      if (problems.length === 0) done += 1;
      else {
        const replay = `FIRST_SEED=${seed} SEEDS=1 STEPS=${STEPS} npx vitest run test/faults/sync-processes.test.ts`;
        failed.push(`seed ${seed}, replay it with: ${replay}: ${problems.slice(0, 5).join('; ')}`);
        process.stderr.write(`${failed.at(-1)}\n`);
      }
    }
    expect(failed).toEqual([]);
  });
});
