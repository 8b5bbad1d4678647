/** The suite of every connector, over real PostgREST and PostgreSQL. */
import { beforeAll, describe } from 'vitest';
import type { Fields, FieldValue, MergedTable } from '../../../../src/main/sync/connector.ts';
import { connectorSuite } from '../../../support/connector-suite.ts';
import { needs } from '../../../support/needs.ts';
import { type Project, startProject } from './harness.ts';

const columnOf = (field: string): string => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const NOT_TYPED = new Set(['createdAtMs', 'updatedAtMs', 'deletedAtMs', 'deviceId', 'ownerId']);
const typed = (fields: Fields): [string, FieldValue][] =>
  Object.entries(fields).filter(([field]) => !NOT_TYPED.has(field));

describe('over PostgREST', needs('postgres and postgrest'), () => {
  let project: Project | null = null;
  beforeAll(() => () => project?.stop());

  connectorSuite('Supabase', async () => {
    const own = await startProject();
    project = own;
    const { query } = own.supabase;
    const edit = async (table: MergedTable, id: string, fields: Fields): Promise<void> => {
      const entries = typed(fields);
      const set = entries.map(([field], index) => `${columnOf(field)} = $${index + 2}`).join(', ');
      await query(`UPDATE public.${table} SET ${set} WHERE id::text = $1`, [id, ...entries.map(([, value]) => value)]);
    };
    return {
      connector: own.connector(),
      edit,
      create: async (table, fields) => {
        const entries = typed(fields);
        const columns = entries.map(([field]) => columnOf(field)).join(', ');
        const values = entries.map((_, index) => `$${index + 1}`).join(', ');
        const [row] = await query(
          `INSERT INTO public.${table} (${columns}) VALUES (${values}) RETURNING id::text`,
          entries.map(([, value]) => value),
        );
        return String(row?.id);
      },
      remove: async (table, id) => void (await query(`DELETE FROM public.${table} WHERE id::text = $1`, [id])),
      spoil: async (table, id) => {
        // The table itself refuses it, until somebody takes that away.
        await query(`ALTER TABLE public.${table} DROP CONSTRAINT IF EXISTS ${table}_status_check`);
        await edit(table, id, { status: 'finished' });
        return 'status';
      },
      close: async () => undefined,
    };
  });
});
