import type Database from 'better-sqlite3';
import { indexableText, MAX_TEXT_BYTES, readStart } from './document-text.ts';
import { toIndexed } from './fold.ts';
import type { Source } from './index-file.ts';

/** A row of the vault as the index wants it. */
export type SourceDocument = {
  readonly kind: 'file' | 'decision' | 'memory';
  readonly fileId: number | null;
  readonly recordId: string | null;
  readonly changeSeq: number;
  /** Null when the document is no longer there: deleted, retired or never captured. */
  readonly content: {
    readonly title: string;
    readonly indexedTitle: string;
    readonly rootId: number | null;
    readonly path: string | null;
    readonly sha256: Buffer | null;
    readonly changedAtMs: number;
    /** Reads the text; never throws: what cannot be read or is not text is empty. */
    readonly body: () => string | Buffer;
  } | null;
};

/** The next documents after a change number, in the order of their changes. */
export type DocumentSource = (afterChange: number, limit: number) => readonly SourceDocument[];

type Options = {
  readonly vault: Database.Database;
  readonly dataFolder: string;
  readonly onProblem: (message: string) => void;
};

export function documentSources(options: Options): Readonly<Record<Source, DocumentSource>> {
  return { files: fileSource(options), decision_vault: decisionSource(options), memories: memorySource(options) };
}

function fileSource({ vault, dataFolder, onProblem }: Options): DocumentSource {
  type Row = {
    id: number;
    root_id: number;
    dir: string;
    name: string;
    state: string;
    sha256: Buffer | null;
    mtime_us: number;
    change_seq: number;
  };
  const next = vault.prepare<[number, number], Row>(
    `SELECT id, root_id, dir, name, state, sha256, mtime_us, change_seq FROM files
     WHERE change_seq > ? ORDER BY change_seq LIMIT ?`,
  );
  const readBody = (path: string, sha256: Buffer): string | Buffer => {
    try {
      return indexableText(readStart(vault, dataFolder, sha256, MAX_TEXT_BYTES)) ?? '';
    } catch (cause) {
      onProblem(`${JSON.stringify(path)} can be searched by its name only: ${(cause as Error).message}`);
      return '';
    }
  };
  return (after, limit) =>
    next.all(after, limit).map((row) => {
      const path = row.dir === '' ? row.name : `${row.dir}/${row.name}`;
      const { sha256 } = row;
      const isHere = row.state !== 'deleted' && sha256 !== null;
      return {
        kind: 'file',
        fileId: row.id,
        recordId: null,
        changeSeq: row.change_seq,
        content: isHere
          ? {
              title: row.name,
              indexedTitle: toIndexed(path),
              rootId: row.root_id,
              path,
              sha256,
              changedAtMs: Math.floor(row.mtime_us / 1_000),
              body: () => readBody(path, sha256),
            }
          : null,
      };
    });
}

type RecordRow = {
  id: string;
  title: string;
  text: string;
  words: string;
  tags: string;
  updated_at_ms: number;
  deleted_at_ms: number | null;
  change_seq: number;
};

const DECISION_COLUMNS = `id, title, decision AS text, type || ' ' || category AS words, tags, updated_at_ms,
  deleted_at_ms, change_seq`;
const MEMORY_COLUMNS = `id, title, content AS text, kind || ' ' || category AS words, tags, updated_at_ms,
  deleted_at_ms, change_seq`;

function decisionSource({ vault }: Options): DocumentSource {
  return recordSource(vault, 'decision', 'decision_vault', DECISION_COLUMNS);
}

function memorySource({ vault }: Options): DocumentSource {
  return recordSource(vault, 'memory', 'memories', MEMORY_COLUMNS);
}

function recordSource(
  vault: Database.Database,
  kind: 'decision' | 'memory',
  table: Source,
  columns: string,
): DocumentSource {
  const next = vault.prepare<[number, number], RecordRow>(
    `SELECT ${columns} FROM ${table} WHERE change_seq > ? ORDER BY change_seq LIMIT ?`,
  );
  return (after, limit) =>
    next.all(after, limit).map((row) => ({
      kind,
      fileId: null,
      recordId: row.id,
      changeSeq: row.change_seq,
      content:
        row.deleted_at_ms === null
          ? {
              title: row.title,
              indexedTitle: toIndexed(row.title),
              rootId: null,
              path: null,
              sha256: null,
              changedAtMs: row.updated_at_ms,
              body: () => toIndexed(recordText(row)),
            }
          : null,
    }));
}

/** The searchable text of a record, as it is also shown around a match: what was written, then its labels. */
function recordText(row: Pick<RecordRow, 'text' | 'words' | 'tags'>): string {
  return [row.text, row.words.trim(), readTags(row.tags)].filter((part) => part !== '').join('\n');
}

function readTags(json: string): string {
  try {
    const tags: unknown = JSON.parse(json);
    return Array.isArray(tags) ? tags.join(', ') : json;
  } catch {
    return json;
  }
}

/** Reads the text of a record as it is now; undefined when it was retired or is not there. */
export function recordTextReader(
  vault: Database.Database,
): (kind: 'decision' | 'memory', id: string) => string | undefined {
  const read = {
    decision: vault.prepare<[string], RecordRow>(
      `SELECT ${DECISION_COLUMNS} FROM decision_vault WHERE id = ? AND deleted_at_ms IS NULL`,
    ),
    memory: vault.prepare<[string], RecordRow>(
      `SELECT ${MEMORY_COLUMNS} FROM memories WHERE id = ? AND deleted_at_ms IS NULL`,
    ),
  };
  return (kind, id) => {
    const row = read[kind].get(id);
    return row === undefined ? undefined : recordText(row);
  };
}
