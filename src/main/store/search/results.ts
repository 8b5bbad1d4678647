import { displayPath } from '../../../shared/display.ts';
import type { SearchHit } from '../../../shared/model.ts';
import type { Store } from '../database.ts';
import { decodeText, MAX_TEXT_BYTES, readStart } from './document-text.ts';
import type { Match } from './matches.ts';
import type { Term } from './parse-query.ts';
import { createSnippetMaker, type Snippet } from './snippet.ts';
import { recordTextReader } from './sources.ts';

/** All results of a query together read this much text for their snippets; the best ones first ... */
const SNIPPET_BUDGET_BYTES = MAX_TEXT_BYTES;
/** ... and each at least this much. */
const LEAST_BYTES = 65_536;

/** Makes what is shown of the matches. One that the vault no longer has (the index lags a moment) is left out. */
export type ShowMatches = (matches: readonly Match[], terms: readonly Term[]) => SearchHit[];

export function createShowMatches(store: Store): ShowMatches {
  const { db, dataFolder } = store;
  const readRecord = recordTextReader(db);
  const findRoot = db.prepare<[number], { path: string }>('SELECT path FROM roots WHERE id = ?');
  const findFile = db.prepare<[number], { one: number }>(
    "SELECT 1 AS one FROM files WHERE id = ? AND state <> 'deleted' AND sha256 IS NOT NULL",
  );

  const readText = (match: Match, maxBytes: number): string | undefined => {
    if (match.kind !== 'file') return readRecord(match.kind, match.record_id ?? '');
    if (match.file_id === null || findFile.get(match.file_id) === undefined) return undefined;
    if (match.sha256 === null) return '';
    try {
      return decodeText(readStart(db, dataFolder, match.sha256, maxBytes)) ?? '';
    } catch {
      // The version that was indexed is gone or damaged; the result stands, and reading the file will say why.
      return '';
    }
  };

  return (matches, terms) => {
    const makeSnippet = createSnippetMaker(terms);
    let budget = SNIPPET_BUDGET_BYTES;
    return matches.flatMap((match, index) => {
      const others = matches.length - index - 1;
      const text = readText(match, Math.max(LEAST_BYTES, budget - others * LEAST_BYTES));
      if (text === undefined) return [];
      budget -= text.length;
      const root = match.root_id === null ? undefined : findRoot.get(match.root_id);
      return [toHit(match, root?.path ?? null, makeSnippet(text))];
    });
  };
}

function toHit(match: Match, root: string | null, snippet: Snippet): SearchHit {
  return {
    kind: match.kind,
    rootId: match.root_id,
    root,
    path: match.path,
    recordId: match.record_id,
    title: displayPath(match.title),
    snippet: snippet.pieces,
    line: match.kind === 'file' ? snippet.line : null,
    changedAtMs: match.changed_at_ms,
    rank: match.rank,
  };
}
