import { z } from 'zod';
import { decisionFields, memoryFields } from '../../shared/model.ts';
import type { MergedTable } from './connector.ts';
import { type FieldProblem, type Fields, type FieldValue, MERGED_FIELDS, type RemoteRecord } from './connector.ts';

/** Merged fields of a record as they came, without those that make no sense; these are told instead. */
export type CheckedRecord = { readonly fields: Fields; readonly problems: readonly FieldProblem[] };

const provenance = {
  sourcePath: z.string().nullable(),
  sourceSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  supersedes: z.string().nullable(),
  deletedAtMs: z.number().int().nonnegative().nullable(),
};
const SCHEMAS: Readonly<Record<MergedTable, Readonly<Record<string, z.ZodType>>>> = {
  decision_vault: { ...decisionFields.shape, ...provenance },
  memories: { ...memoryFields.shape, ...provenance },
};

export function isMerged(table: string): table is MergedTable {
  return table === 'decision_vault' || table === 'memories';
}

/**
 * What of a remote's record can be taken. The connector has looked before; this is the last look before the vault,
 * whose columns refuse what the model does not know. Pure.
 */
export function checkRemote(table: MergedTable, record: Pick<RemoteRecord, 'fields' | 'problems'>): CheckedRecord {
  const fields: Record<string, FieldValue> = {};
  const problems: FieldProblem[] = [...record.problems];
  const told = new Set(problems.map((problem) => problem.field));
  for (const field of MERGED_FIELDS[table]) {
    const value = record.fields[field];
    if (value === undefined || told.has(field)) continue;
    const reason = whyNot(SCHEMAS[table][field], value);
    if (reason === null) fields[field] = value;
    else problems.push({ field, value: typeof value === 'string' ? value : JSON.stringify(value), reason });
  }
  return { fields, problems };
}

/** Why a field cannot have a value; null when it can. Pure. */
export function whyNotField(table: MergedTable, field: string, value: FieldValue): string | null {
  const schema = SCHEMAS[table][field];
  return schema === undefined ? 'There is no such field.' : whyNot(schema, value);
}

function whyNot(schema: z.ZodType | undefined, value: FieldValue): string | null {
  for (const text of Array.isArray(value) ? value : [value]) {
    if (typeof text !== 'string') continue;
    if (text.includes('\u0000')) return 'It contains a NUL character.';
    if (!text.isWellFormed()) return 'It contains half of a surrogate pair.';
  }
  const parsed = schema?.safeParse(value);
  return parsed === undefined || parsed.success ? null : (parsed.error.issues[0]?.message ?? 'It makes no sense.');
}
