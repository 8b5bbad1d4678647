import { randomUUID } from 'node:crypto';
import type { OutgoingRecord, PushOutcome, RemoteRecord } from '../../../../src/main/sync/connector.ts';
import type { SupabaseConfig } from '../../../../src/main/sync/supabase/client.ts';
import { applyMigrations } from '../../../../src/main/sync/supabase/migrate.ts';
import {
  createSupabaseConnector,
  type SupabaseConnector,
  type SupabaseConnectorOptions,
} from '../../../../src/main/sync/supabase/supabase-connector.ts';
import { type LocalSupabase, startSupabase } from '../../../support/supabase/start-supabase.ts';

/** A migrated project with one user, and connectors to it. */
export type Project = {
  readonly supabase: LocalSupabase;
  readonly user: Awaited<ReturnType<LocalSupabase['addUser']>>;
  /** As the signed-in user. */
  readonly config: SupabaseConfig;
  readonly connector: (options?: Partial<SupabaseConnectorOptions>) => SupabaseConnector;
  readonly stop: () => Promise<void>;
};

export async function startProject(): Promise<Project> {
  const supabase = await startSupabase();
  await applyMigrations(supabase.dbUrl);
  await seen(supabase);
  const user = await supabase.addUser();
  const config = { url: supabase.url, key: supabase.keys.publishable, signIn: user, nowMs: Date.now };
  const made: SupabaseConnector[] = [];
  return {
    supabase,
    user,
    config,
    connector: (options = {}) => {
      const connector = createSupabaseConnector({ ...config, deviceId: 'device-1', dbUrl: supabase.dbUrl, ...options });
      made.push(connector);
      return connector;
    },
    stop: async () => {
      await Promise.all(made.map((each) => each.close()));
      await supabase.stop();
    },
  };
}

/** PostgREST learns of new functions when it hears of them. */
export async function seen(supabase: LocalSupabase): Promise<void> {
  for (;;) {
    const headers = { apikey: supabase.keys.secret, 'content-type': 'application/json' };
    const response = await fetch(`${supabase.url}/rest/v1/rpc/angles_describe`, {
      method: 'POST',
      headers,
      body: '{}',
    });
    if (response.ok) return;
    if (response.status !== 404) throw new Error(await response.text());
  }
}

export const signal = (): AbortSignal => AbortSignal.timeout(20_000);

let lastMs = Date.UTC(2026, 0, 1);

/** A decision that no remote has yet. */
export function decision(
  fields: Readonly<Record<string, OutgoingRecord['fields'][string]>> = {},
  id: string = randomUUID(),
): OutgoingRecord {
  lastMs += 1_000;
  return {
    table: 'decision_vault',
    id,
    remoteId: null,
    fields: {
      title: 'Use Postgres',
      decision: 'We use Postgres.',
      type: '',
      category: 'infrastructure',
      status: 'accepted',
      priority: 'high',
      tags: ['database'],
      date: '2026-01-02',
      sourcePath: null,
      sourceSha256: null,
      supersedes: null,
      origin: 'cli',
      createdAtMs: lastMs,
      updatedAtMs: lastMs,
      deletedAtMs: null,
      deviceId: 'device-1',
      ...fields,
    },
    base: null,
    baseVersion: null,
    content: null,
  };
}

/** The same record, edited after it was pushed with this outcome. */
export function edited(
  record: OutgoingRecord,
  outcome: PushOutcome | undefined,
  fields: Record<string, string>,
): OutgoingRecord {
  if (outcome?.kind !== 'done') throw new Error(`not pushed: ${JSON.stringify(outcome)}`);
  lastMs += 1_000;
  const next = { ...record.fields, updatedAtMs: lastMs, ...fields };
  return { ...record, fields: next, base: outcome.base, baseVersion: outcome.version };
}

/** Everything from the cursor on, and the cursor after it. */
export async function pullAll(
  connector: SupabaseConnector,
  cursor: string | null = null,
): Promise<{ records: RemoteRecord[]; gone: (string | null)[]; cursor: string; pages: number }> {
  const records: RemoteRecord[] = [];
  const gone: (string | null)[] = [];
  for (let pages = 1, at = cursor; ; pages += 1) {
    const page = await connector.pull(at, signal());
    records.push(...page.records);
    gone.push(...page.gone.map(({ id }) => id));
    at = page.cursor;
    if (!page.hasMore) return { records, gone, cursor: page.cursor, pages };
  }
}
