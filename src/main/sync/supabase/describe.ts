import { z } from 'zod';
import { AppError } from '../../../shared/errors.ts';
import type { SupabaseConnection } from './client.ts';
import { BUCKET_NAMES, EXPECTED_TABLES } from './tables.ts';

const description = z.object({
  instance: z.string(),
  system: z.string().nullable(),
  numbered_here: z.boolean(),
  migrations: z.array(z.number()),
  tables: z.record(z.string(), z.record(z.string(), z.string())),
  /** Whether each bucket is public. */
  buckets: z.record(z.string(), z.boolean().nullable()),
});
export type Description = z.infer<typeof description>;

/** What the project says about its own tables. Throws `remote.schema` when it has none of ours. */
export async function describeProject(connection: SupabaseConnection, signal: AbortSignal): Promise<Description> {
  const answer = description.safeParse(await connection.call('angles_describe', {}, signal));
  if (answer.success) return answer.data;
  throw new AppError('remote.schema', 'The tables of Angles are not complete: angles_meta has no row.');
}

/**
 * Names the database at the other end: another one after it was created anew, or restored into another server.
 * Throws `remote.replaced` while the rows still carry the numbers of another server: they would be read wrongly.
 */
export async function projectIdentity(connection: SupabaseConnection, signal: AbortSignal): Promise<string> {
  const { instance, system, numbered_here: isNumberedHere } = await describeProject(connection, signal);
  if (!isNumberedHere) {
    throw new AppError('remote.replaced', 'The rows were restored from another server and have to be numbered anew.', {
      hint: 'Run `angles migrate`, then look at `angles sync --dry-run`.',
    });
  }
  return `${instance}/${system ?? 'unknown'}`;
}

/** Tables, columns and buckets that are missing or of another kind, each in words; empty when all is as it should be. */
export function schemaProblems({ tables, buckets }: Pick<Description, 'tables' | 'buckets'>): string[] {
  const ofTables = Object.entries(EXPECTED_TABLES).flatMap(([table, expected]) => {
    const found = tables[table];
    if (found === undefined) return [`the table ${table} is missing`];
    return Object.entries(expected).flatMap(([column, type]) => {
      if (found[column] === undefined) return [`the column ${table}.${column} is missing`];
      if (found[column] === type || isCompatible(found[column], type)) return [];
      return [`the column ${table}.${column} is of type ${found[column]}, not ${type}`];
    });
  });
  const ofBuckets = BUCKET_NAMES.flatMap((bucket) => {
    if (buckets[bucket] === undefined) return [`the bucket ${bucket} is missing`];
    return buckets[bucket] === true ? [`the bucket ${bucket} is public`] : [];
  });
  return [...ofTables, ...ofBuckets];
}

/** A limited text still takes texts; a longer number still takes numbers. */
function isCompatible(found: string, expected: string): boolean {
  if (expected === 'text') return found === 'character varying';
  return expected === 'integer' && found === 'bigint';
}
