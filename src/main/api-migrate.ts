import type { AgentMethods } from '../shared/contract.ts';
import type { migrateMethods } from '../shared/contract-sync.ts';
import { AppError } from '../shared/errors.ts';
import type { ApiParts } from './api-parts.ts';

/** The tables of the Supabase project. What talks to Postgres is loaded when it is first asked for. */
export function createMigrateMethods({
  settings,
  sync,
  log,
}: ApiParts): Pick<AgentMethods, keyof typeof migrateMethods> {
  return {
    'migrate.run': async ({ apply }) => {
      const dbUrl = settings.environment('SUPABASE_DB_URL');
      if (dbUrl === undefined)
        throw new AppError('migration.failed', 'SUPABASE_DB_URL is not set.', {
          hint: 'Set it to the address of the database (in Supabase: Connect, "Session pooler"), or paste what `angles migrate --print` gives into the SQL editor of the project.',
        });
      const { applyMigrations, planMigrations } = await import('./sync/supabase/migrate.ts');
      const signal = AbortSignal.timeout(TIME_LIMIT_MS);
      const plan = await (apply ? applyMigrations : planMigrations)(dbUrl, { signal });
      const answer = { ...plan, steps: [...plan.steps], applied: apply };
      if (!apply) return answer;
      if (plan.steps.length > 0) log.component('sync').info('The tables of Supabase were migrated.', { ...plan });
      // What paused for want of these tables goes on.
      await sync.reconnect('supabase');
      return answer;
    },
    'migrate.sql': async () => {
      const { printMigrations } = await import('./sync/supabase/migrations.ts');
      return { sql: printMigrations() };
    },
  };
}

const TIME_LIMIT_MS = 10 * 60_000;
