import { AppError } from '../../../shared/errors.ts';
import type { PreparePlan } from '../connector.ts';
import type { SupabaseConnection } from './client.ts';
import { describeProject, schemaProblems } from './describe.ts';
import { applyMigrations, planMigrations } from './migrate.ts';
import { readSupabaseMigrations } from './migrations.ts';

/** PostgREST learns of new functions within a moment; this is how often and how long it is asked. */
const SEEN_EVERY_MS = 200;
const SEEN_WITHIN_MS = 15_000;

/** See `prepare` of {@link Connector}. Without a database address the steps are what a person does. */
export async function preparePlan(
  connection: SupabaseConnection,
  dbUrl: string | null,
  signal: AbortSignal,
): Promise<PreparePlan> {
  if (dbUrl !== null) {
    const { steps } = await planMigrations(dbUrl, { signal });
    return {
      steps,
      apply: async (applySignal) => {
        await applyMigrations(dbUrl, { signal: applySignal });
        await untilSeen(connection, applySignal);
      },
    };
  }
  const isReady = await isComplete(connection, signal);
  return {
    steps: isReady
      ? []
      : [
          'Run `angles migrate --print` and copy what it gives',
          'Open the SQL editor of the project in the dashboard of Supabase',
          'Paste it there and run it',
        ],
    apply: async () => {
      if (isReady) return;
      throw new AppError('remote.schema', 'The tables cannot be created with this key.', {
        hint: 'Set SUPABASE_DB_URL, or paste what `angles migrate --print` gives into the SQL editor.',
      });
    },
  };
}

async function isComplete(connection: SupabaseConnection, signal: AbortSignal): Promise<boolean> {
  try {
    const description = await describeProject(connection, signal);
    const newest = Math.max(0, ...description.migrations);
    return (
      schemaProblems(description).length === 0 && description.numbered_here && newest >= readSupabaseMigrations().length
    );
  } catch (error) {
    if (error instanceof AppError && error.code === 'remote.schema') return false;
    throw error;
  }
}

async function untilSeen(connection: SupabaseConnection, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += SEEN_EVERY_MS) {
    try {
      await describeProject(connection, signal);
      return;
    } catch (error) {
      const isUnseen = error instanceof AppError && error.code === 'remote.schema';
      // Another trouble (a wrong key, say) is none of the migration: it shows in the next test of the connection.
      if (!isUnseen || waitedMs >= SEEN_WITHIN_MS) return;
    }
    await new Promise((resolve) => setTimeout(resolve, SEEN_EVERY_MS));
    signal.throwIfAborted();
  }
}
