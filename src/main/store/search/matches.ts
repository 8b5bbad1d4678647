import type Database from 'better-sqlite3';
import type { MethodInput } from '../../../shared/contract.ts';
import { globToRegExp } from '../../../shared/glob.ts';
import type { SearchKind } from '../../../shared/model.ts';
import type { ParsedQuery } from './parse-query.ts';

/** Of more matches than these, only the newest are ranked: it bounds what a common word costs. */
export const MAX_RANKED = 5_000;

export type MatchFilter = Pick<
  MethodInput<'search.query'>,
  'kinds' | 'rootId' | 'glob' | 'sinceMs' | 'untilMs' | 'limit'
> & {
  /** Roots whose files are not to be found: they are not watched any more. */
  readonly removedRoots: readonly number[];
};

export type Match = {
  readonly kind: SearchKind;
  readonly file_id: number | null;
  readonly record_id: string | null;
  readonly root_id: number | null;
  readonly path: string | null;
  readonly title: string;
  readonly sha256: Buffer | null;
  readonly changed_at_ms: number;
  readonly rank: number;
};

export type Matches = { readonly matches: readonly Match[]; readonly capped: boolean };

const COLUMNS = 'd.kind, d.file_id, d.record_id, d.root_id, d.path, d.title, d.sha256, d.changed_at_ms';
/** A word in the title or path says more than one in the text. */
const RANK = 'bm25(words, 8.0, 1.0)';
const DEFAULT_LIMIT = 20;

/** Finds documents in the index, best first; equal ones newest first. Throws what SQLite throws. */
export type FindMatches = (query: ParsedQuery, filter: MatchFilter) => Matches;

export function createFindMatches(index: Database.Database): FindMatches {
  registerGlob(index);
  // As many statements as there are combinations of filters.
  const prepared = new Map<string, Statement>();
  const prepare: Prepare = (sql) => {
    const statement = prepared.get(sql) ?? index.prepare<(string | number)[], MatchedRow>(sql);
    prepared.set(sql, statement);
    return statement;
  };
  return (query, filter) => {
    const limit = filter.limit ?? DEFAULT_LIMIT;
    const where = conditions(filter);
    if (query.kind === 'nothing') return { matches: [], capped: false };
    if (query.kind === 'newest') return { matches: newest(prepare, query.without, where, limit), capped: false };
    return ranked(prepare, query.expression, where, limit);
  };
}

type MatchedRow = Match & { readonly matched: number };
type Statement = Database.Statement<(string | number)[], MatchedRow>;
type Prepare = (sql: string) => Statement;

type Conditions = { readonly sql: string; readonly values: readonly (string | number)[] };

function newest(prepare: Prepare, without: string | null, where: Conditions, limit: number): Match[] {
  const exclusion = without === null ? '' : 'AND d.id NOT IN (SELECT rowid FROM words WHERE words MATCH ?)';
  return prepare(`SELECT ${COLUMNS}, 0.0 AS rank, 0 AS matched FROM docs AS d WHERE true ${where.sql} ${exclusion}
       ORDER BY d.changed_at_ms DESC, d.id DESC LIMIT ?`).all(
    ...where.values,
    ...(without === null ? [] : [without]),
    limit,
  );
}

function ranked(prepare: Prepare, expression: string, where: Conditions, limit: number): Matches {
  // Without a filter the documents themselves are only looked at for what is shown.
  const join = where.sql === '' ? '' : 'CROSS JOIN docs AS d ON d.id = words.rowid';
  const rows = prepare(`WITH newest AS MATERIALIZED (
         SELECT words.rowid AS id, ${RANK} AS rank FROM words ${join}
         WHERE words MATCH ? ${where.sql} ORDER BY words.rowid DESC LIMIT ${MAX_RANKED + 1}
       ), best AS MATERIALIZED (
         SELECT id, rank, count(*) OVER () AS matched FROM newest ORDER BY rank, id DESC LIMIT ?
       )
       SELECT ${COLUMNS}, best.rank, best.matched FROM best JOIN docs AS d ON d.id = best.id
       ORDER BY best.rank, best.id DESC`).all(expression, ...where.values, limit);
  return { matches: rows, capped: (rows[0]?.matched ?? 0) > MAX_RANKED };
}

function conditions(filter: MatchFilter): Conditions {
  const parts: string[] = [];
  const values: (string | number)[] = [];
  const add = (sql: string, ...bound: (string | number)[]): void => {
    parts.push(`AND ${sql}`);
    values.push(...bound);
  };
  if (filter.removedRoots.length > 0) {
    add(
      '(d.root_id IS NULL OR d.root_id NOT IN (SELECT value FROM json_each(?)))',
      JSON.stringify(filter.removedRoots),
    );
  }
  if (filter.kinds !== undefined) add('d.kind IN (SELECT value FROM json_each(?))', JSON.stringify(filter.kinds));
  if (filter.rootId !== undefined) add('d.root_id = ?', filter.rootId);
  if (filter.sinceMs !== undefined) add('d.changed_at_ms >= ?', filter.sinceMs);
  if (filter.untilMs !== undefined) add('d.changed_at_ms <= ?', filter.untilMs);
  if (filter.glob !== undefined && filter.glob !== '') {
    add('d.path GLOB ? AND matches_glob(?, d.path)', roughGlob(filter.glob), filter.glob);
  }
  return { sql: parts.join(' '), values };
}

/** A pattern for SQLite's own GLOB that lets through at least what the glob matches: it is the quicker sieve. */
export function roughGlob(glob: string): string {
  return glob
    .replaceAll('[', '[[]')
    .replace(/(?<=^|\/)\*\*\//g, '*')
    .replace(/\*+/g, '*');
}

function registerGlob(index: Database.Database): void {
  let last: { readonly glob: string; readonly pattern: RegExp } | null = null;
  index.function('matches_glob', { deterministic: true }, (glob: unknown, path: unknown) => {
    if (last === null || last.glob !== glob) last = { glob: String(glob), pattern: globToRegExp(String(glob)) };
    return last.pattern.test(String(path)) ? 1 : 0;
  });
}
