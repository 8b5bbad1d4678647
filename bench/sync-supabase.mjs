/**
 * How fast dirty records reach Supabase: our connector (compare-and-set, read back, errors told apart) against a bare
 * `INSERT ... ON CONFLICT` of the same rows in batches of 500, through the same PostgREST on this machine.
 */
import { randomUUID } from 'node:crypto';
import { applyMigrations } from '../src/main/sync/supabase/migrate.ts';
import { createSupabaseConnector } from '../src/main/sync/supabase/supabase-connector.ts';
import { toRow } from '../src/main/sync/supabase/to-row.ts';
import { startSupabase } from '../test/support/supabase/start-supabase.ts';
import { median } from './measure.mjs';

const RECORDS = 10_000;
const BATCH = 500;

/** Rows for bench/run.mjs. `rounds`: measured in turns, medians told. */
export async function syncSupabase(rounds = 3, records = RECORDS) {
  const supabase = await startSupabase();
  const user = await supabase.addUser();
  const options = {
    url: supabase.url,
    key: supabase.keys.publishable,
    signIn: user,
    deviceId: 'bench',
    nowMs: Date.now,
  };
  const connector = createSupabaseConnector({ ...options, dbUrl: supabase.dbUrl });
  try {
    await applyMigrations(supabase.dbUrl);
    await (await connector.prepare(new AbortController().signal)).apply(new AbortController().signal);
    const figures = { ours: [], edits: [], bare: [], pull: [] };
    await oneRound(supabase, connector, user, Math.min(records, 1_000));
    for (let round = 0; round < rounds; round += 1) {
      const found = await oneRound(supabase, connector, user, records);
      for (const [name, rate] of Object.entries(found)) figures[name].push(rate);
    }
    const share = (name) => median(figures.bare.map((bare, index) => bare / figures[name][index]));
    return [
      row('Supabase: bare INSERT ... ON CONFLICT, batches of 500', median(figures.bare), 'rows/s'),
      row('Supabase: our push of new records', median(figures.ours), 'rows/s'),
      row('Supabase: our push of edits', median(figures.edits), 'rows/s'),
      row('Supabase: our pull of everything', median(figures.pull), 'rows/s'),
      row('Supabase: bare rate / our rate, new records', share('ours'), 'x', 3),
      row('Supabase: bare rate / our rate, edits', share('edits'), 'x', 3),
    ];
  } finally {
    await connector.close();
    await supabase.stop();
  }
}

const row = (name, value, unit, limit) => ({
  name,
  value,
  unit,
  ...(limit === undefined ? {} : { limit, ok: value <= limit }),
});

async function oneRound(supabase, connector, user, count) {
  const signal = new AbortController().signal;
  const records = Array.from({ length: count }, (_, index) => record(index));
  let outcomes = [];
  const ours = await rate(count, async () => {
    outcomes = await pushAll(connector, records, signal);
  });
  const byId = new Map(outcomes.map((each) => [each.id, each]));
  const edits = records.map((each) => ({
    ...each,
    fields: { ...each.fields, title: `${each.fields.title}, edited` },
    base: byId.get(each.id).base,
    baseVersion: byId.get(each.id).version,
  }));
  const edited = await rate(count, () => pushAll(connector, edits, signal));
  const pull = await rate(count, async () => {
    let cursor = null;
    for (let more = true, seen = 0; more; ) {
      const page = await connector.pull(cursor, signal);
      seen += page.records.length;
      cursor = page.cursor;
      more = page.hasMore;
      if (!more && seen !== count) throw new Error(`${seen} of ${count} records were pulled`);
    }
  });
  await empty(supabase);
  const rows = records.map((each) => {
    const { base_version: _, ...columns } = toRow(each, null);
    return { ...columns, owner_id: user.id };
  });
  // The same key, the same user, the same table with its triggers and policies.
  const token = await signIn(supabase, user);
  const bare = await rate(count, () => insertAll(supabase, token, rows));
  await empty(supabase);
  return { ours, edits: edited, bare, pull };
}

async function rate(count, work) {
  const started = performance.now();
  await work();
  return count / ((performance.now() - started) / 1_000);
}

/** As the engine does it: as many as the connector takes at once, one call after the other. */
async function pushAll(connector, records, signal) {
  const outcomes = [];
  for (let start = 0; start < records.length; ) {
    const batch = records.slice(start, start + connector.batchSize());
    start += batch.length;
    outcomes.push(...(await connector.push(batch, signal)));
  }
  const failed = outcomes.find(({ kind }) => kind !== 'done');
  if (failed !== undefined) throw new Error(`a push failed: ${JSON.stringify(failed)}`);
  return outcomes;
}

async function insertAll(supabase, token, rows) {
  for (let start = 0; start < rows.length; start += BATCH) {
    const response = await fetch(`${supabase.url}/rest/v1/decision_vault?on_conflict=id`, {
      method: 'POST',
      headers: {
        apikey: supabase.keys.publishable,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        prefer: 'resolution=merge-duplicates',
      },
      body: JSON.stringify(rows.slice(start, start + BATCH)),
    });
    if (!response.ok) throw new Error(await response.text());
    await response.arrayBuffer();
  }
}

async function signIn(supabase, { email, password }) {
  const response = await fetch(`${supabase.url}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey: supabase.keys.publishable, 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  return (await response.json()).access_token;
}

async function empty(supabase) {
  await supabase.query('TRUNCATE decision_vault; TRUNCATE deletions');
}

function record(index) {
  const atMs = Date.UTC(2026, 0, 1) + index;
  return {
    table: 'decision_vault',
    id: randomUUID(),
    remoteId: null,
    fields: {
      title: `Decision ${index}: use what is boring`,
      decision: 'We keep it simple, because simple things can be understood when they break. '.repeat(4),
      type: 'architecture',
      category: `area ${index % 20}`,
      status: 'accepted',
      priority: 'medium',
      tags: ['bench', `tag-${index % 7}`],
      date: '2026-01-02',
      sourcePath: `notes/area-${index % 20}/decision-${index}.md`,
      sourceSha256: null,
      supersedes: null,
      origin: 'extract',
      createdAtMs: atMs,
      updatedAtMs: atMs,
      deletedAtMs: null,
      deviceId: 'bench',
    },
    base: null,
    baseVersion: null,
    content: null,
  };
}
