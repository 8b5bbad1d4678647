/**
 * From a save to its row in Postgres, through the whole agent with default settings: watcher, quiet time, vault, outbox,
 * connector, PostgREST. Looked at over a connection of its own, as often as that costs nothing.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyMigrations } from '../src/main/sync/supabase/migrate.ts';
import { startSupabase } from '../test/support/supabase/start-supabase.ts';
import { makePlace, startDevice } from '../test/support/sync-whole.ts';

const LOOK_EVERY_MS = 4;
const LIMIT_MS = 30_000;
/** Saves come when they come: each at another moment of whatever has a rhythm. */
const pauseMs = (index) => 150 + ((index * 7_919) % 1_000);
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Rows for bench/run.mjs. */
export async function syncSave(saves = 60) {
  const supabase = await startSupabase();
  let device = null;
  try {
    await applyMigrations(supabase.dbUrl);
    const user = await supabase.addUser();
    const place = makePlace({
      SUPABASE_URL: supabase.url,
      SUPABASE_KEY: supabase.keys.publishable,
      SUPABASE_EMAIL: user.email,
      SUPABASE_PASSWORD: user.password,
    });
    device = await startDevice(place);
    const visible = async (name) =>
      (await supabase.query('SELECT 1 FROM public.file_snapshots WHERE path = $1', [name])).length > 0;
    const tookMs = [];
    for (let index = 0; index < saves + WARM_UP; index += 1) {
      await rest(pauseMs(index));
      const name = `note-${index}.md`;
      writeFileSync(join(place.root, name), `# Note ${index}\n\n${'A line of text. '.repeat(40)}\n`);
      const savedAtMs = performance.now();
      while (!(await visible(name))) {
        if (performance.now() - savedAtMs > LIMIT_MS) throw new Error(`${name} did not arrive within ${LIMIT_MS} ms`);
        await rest(LOOK_EVERY_MS);
      }
      if (index >= WARM_UP) tookMs.push(performance.now() - savedAtMs);
    }
    tookMs.sort((a, b) => a - b);
    const at = (share) => tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))];
    return [
      row('Save to row visible in Postgres, median', at(0.5), 600),
      row('Save to row visible in Postgres, p95', at(0.95), 1_000),
      row('Save to row visible in Postgres, slowest', tookMs.at(-1)),
    ];
  } finally {
    await device?.stop();
    await supabase.stop();
  }
}

/** The first ones load the libraries and sign in. */
const WARM_UP = 3;
const row = (name, value, limit) => ({
  name,
  value,
  unit: 'ms',
  ...(limit === undefined ? {} : { limit, ok: value <= limit }),
});
