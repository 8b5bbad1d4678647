/** The small files of an archive that let a person, or another program, find something in it without restoring it. */
import type { SnapshotRow } from '../store/backup-snapshot.ts';

export type CategoryIndex = {
  readonly categories: Readonly<
    Record<string, { readonly decision_vault: readonly string[]; readonly memories: readonly string[] }>
  >;
};

export type SearchIndex = {
  /** For each word the ids of the records that have it, and in how many paths of files it stands. */
  readonly terms: Readonly<Record<string, { readonly records: readonly string[]; readonly files: number }>>;
  readonly records: number;
  readonly files: number;
  /** True when rare words were left out. */
  readonly truncated: boolean;
};

export type IndexBuilder = {
  readonly addRecord: (table: 'decision_vault' | 'memories', row: SnapshotRow) => void;
  readonly addPath: (path: string) => void;
  readonly categories: () => CategoryIndex;
  readonly search: () => SearchIndex;
};

const MOST_TERMS = 50_000;
const MOST_RECORDS_PER_TERM = 500;
/** Beyond this many words in memory the rarest are forgotten. */
const MOST_HELD = MOST_TERMS * 4;
const LONGEST_TERM = 40;

/** Collects while rows and paths pass by; memory is bounded. */
export function createIndexBuilder(): IndexBuilder {
  const categories = new Map<string, { decision_vault: string[]; memories: string[] }>();
  const terms = new Map<string, { records: string[]; files: number }>();
  let records = 0;
  let files = 0;
  let truncated = false;
  const termOf = (word: string): { records: string[]; files: number } => {
    let term = terms.get(word);
    if (term === undefined) {
      if (terms.size >= MOST_HELD) truncated = dropRarest(terms) || truncated;
      term = { records: [], files: 0 };
      terms.set(word, term);
    }
    return term;
  };
  return {
    addRecord: (table, row) => {
      records += 1;
      const category = String(row.category ?? 'general');
      const lists = categories.get(category) ?? { decision_vault: [], memories: [] };
      categories.set(category, lists);
      lists[table].push(String(row.id));
      const text = [row.title, row.decision, row.content, row.tags]
        .filter((each) => typeof each === 'string')
        .join(' ');
      for (const word of words(text)) {
        const term = termOf(word);
        if (term.records.length < MOST_RECORDS_PER_TERM) term.records.push(String(row.id));
      }
    },
    addPath: (path) => {
      files += 1;
      for (const word of words(path)) termOf(word).files += 1;
    },
    categories: () => ({ categories: Object.fromEntries([...categories].sort(byName)) }),
    search: () => {
      const kept = [...terms].sort(([, a], [, b]) => weight(b) - weight(a)).slice(0, MOST_TERMS);
      return {
        terms: Object.fromEntries(kept.sort(byName)),
        records,
        files,
        truncated: truncated || kept.length < terms.size,
      };
    },
  };
}

/** The words of a text, each once, folded to lower case. */
function words(text: string): Set<string> {
  const found = new Set<string>();
  for (const [word] of text
    .normalize('NFC')
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}]{2,}/gu))
    found.add(word.slice(0, LONGEST_TERM));
  return found;
}

function weight(term: { readonly records: readonly string[]; readonly files: number }): number {
  return term.records.length * 4 + term.files;
}

function dropRarest(terms: Map<string, { records: string[]; files: number }>): boolean {
  const rarest = [...terms].sort(([, a], [, b]) => weight(a) - weight(b)).slice(0, terms.size - MOST_TERMS);
  for (const [word] of rarest) terms.delete(word);
  return rarest.length > 0;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
