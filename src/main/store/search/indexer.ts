import type Database from 'better-sqlite3';
import { SOURCES, type Source } from './index-file.ts';
import { documentSources, type SourceDocument } from './sources.ts';

/** How much one step may take on: small in the agent's own thread, large in the worker. */
export type StepLimits = { readonly documents: number; readonly bytes: number };

export type Indexer = {
  /**
   * Takes the next changes of the vault into the index, in one transaction; returns how many, 0 when it knows all.
   * Safe to repeat and to interrupt anywhere. Throws what SQLite throws; a document that cannot be read is indexed
   * by its path alone and reported.
   */
  readonly step: (limits: StepLimits) => number;
  /** Whether everything of the vault up to a change number is in the index. */
  readonly knows: (changeSeq: number) => boolean;
  /** Changes that are not in the index yet. */
  readonly waiting: () => number;
  /** What waits, counted up to a limit only: enough to choose who does it. */
  readonly backlog: (upTo: number) => { readonly documents: number; readonly bytes: number };
  /** Commits since the index was last tidied. */
  readonly unmerged: () => number;
  /** Merges a part of the index's segments; false when there is nothing (more) to merge. */
  readonly merge: () => boolean;
};

export type IndexerOptions = {
  readonly index: Database.Database;
  readonly vault: Database.Database;
  readonly dataFolder: string;
  readonly onProblem: (message: string) => void;
};

/** About 50 ms of merging. */
const MERGE_PAGES = 500n;

export function createIndexer(options: IndexerOptions): Indexer {
  const { index, vault } = options;
  const sources = documentSources(options);
  const apply = prepareApply(index);
  const progress = prepareProgress(index, vault);

  const stepSource = index.transaction(
    (source: Source, documents: readonly SourceDocument[], bytes: number): number => {
      let taken = 0;
      let text = 0;
      let position = 0;
      for (const document of documents) {
        text += apply(document);
        taken += 1;
        position = document.changeSeq;
        if (text >= bytes) break;
      }
      progress.save(source, position);
      return taken;
    },
  );

  const merge = index.prepare<[bigint]>("INSERT INTO words (words, rank) VALUES ('merge', ?)");
  const changes = index.prepare<[], { total: number }>('SELECT total_changes() AS total');
  return {
    step: (limits) => {
      for (const source of SOURCES) {
        const documents = sources[source](progress.after(source), limits.documents);
        if (documents.length > 0) return stepSource.immediate(source, documents, limits.bytes);
      }
      return 0;
    },
    knows: progress.knows,
    waiting: progress.waiting,
    backlog: progress.backlog,
    unmerged: progress.unmerged,
    merge: () => {
      const before = changes.get()?.total ?? 0;
      merge.run(MERGE_PAGES);
      // Documented: fewer than two changes mean that there was nothing to do (sqlite.org/fts5.html, 'merge').
      const worked = (changes.get()?.total ?? 0) - before >= 2;
      if (!worked) progress.setMerged();
      return worked;
    },
  };
}

/** Puts one document in the place of what the index had of it; returns about how many bytes of text that took. */
function prepareApply(index: Database.Database): (document: SourceDocument) => number {
  type Known = { id: number; root_id: number | null; path: string | null; sha256: Buffer | null };
  const findFile = index.prepare<[number], Known>('SELECT id, root_id, path, sha256 FROM docs WHERE file_id = ?');
  const findRecord = index.prepare<[string, string], Known>(
    'SELECT id, root_id, path, sha256 FROM docs WHERE kind = ? AND record_id = ?',
  );
  const touch = index.prepare<[number, number]>('UPDATE docs SET changed_at_ms = ? WHERE id = ?');
  const removeDoc = index.prepare<[number]>('DELETE FROM docs WHERE id = ?');
  const removeWords = index.prepare<[number]>('DELETE FROM words WHERE rowid = ?');
  const addDoc = index.prepare(
    `INSERT INTO docs (kind, file_id, record_id, root_id, path, title, sha256, changed_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const addWords = index.prepare<[bigint | number, string, string | Buffer]>(
    'INSERT INTO words (rowid, title, body) VALUES (?, ?, CAST(? AS TEXT))',
  );
  return (document) => {
    const { kind, fileId, recordId, content } = document;
    const known = fileId === null ? findRecord.get(kind, recordId ?? '') : findFile.get(fileId);
    if (known !== undefined && content !== null && isUnchanged(known, document)) {
      touch.run(content.changedAtMs, known.id);
      return 0;
    }
    if (known !== undefined) {
      removeWords.run(known.id);
      removeDoc.run(known.id);
    }
    if (content === null) return 0;
    const { title, rootId, path, sha256, changedAtMs } = content;
    const added = addDoc.run(kind, fileId, recordId, rootId, path, title, sha256, changedAtMs);
    const body = content.body();
    addWords.run(added.lastInsertRowid, content.indexedTitle, body);
    return body.length + content.indexedTitle.length;
  };
}

/** A file that was only touched keeps its words. */
function isUnchanged(
  known: { readonly root_id: number | null; readonly path: string | null; readonly sha256: Buffer | null },
  { content }: SourceDocument,
): boolean {
  if (content === null || content.sha256 === null || known.sha256 === null) return false;
  return known.sha256.equals(content.sha256) && known.path === content.path && known.root_id === content.rootId;
}

function prepareProgress(index: Database.Database, vault: Database.Database) {
  const read = index.prepare<[string], { value: number }>('SELECT value FROM state WHERE key = ?');
  const write = index.prepare<[number, string]>('UPDATE state SET value = ? WHERE key = ?');
  const commit = index.prepare("UPDATE state SET value = value + 1 WHERE key = 'unmerged'");
  const after = (source: Source): number => read.get(source)?.value ?? 0;
  const perSource = SOURCES.map((source) => {
    const size = source === 'files' ? 'size_bytes' : '0';
    return {
      source,
      count: vault.prepare<[number], { count: number }>(`SELECT count(*) AS count FROM ${source} WHERE change_seq > ?`),
      missing: vault.prepare<[number, number], { one: number }>(
        `SELECT 1 AS one FROM ${source} WHERE change_seq > ? AND change_seq <= ? LIMIT 1`,
      ),
      backlog: vault.prepare<[number, number], { documents: number; bytes: number | null }>(
        `SELECT count(*) AS documents, sum(size) AS bytes
         FROM (SELECT ${size} AS size FROM ${source} WHERE change_seq > ? LIMIT ?)`,
      ),
    };
  });
  return {
    after,
    save: (source: Source, position: number): void => {
      write.run(position, source);
      commit.run();
    },
    waiting: () => perSource.reduce((sum, { source, count }) => sum + (count.get(after(source))?.count ?? 0), 0),
    knows: (changeSeq: number) =>
      perSource.every(({ source, missing }) => missing.get(after(source), changeSeq) === undefined),
    backlog: (upTo: number) => {
      let documents = 0;
      let bytes = 0;
      for (const { source, backlog } of perSource) {
        const found = backlog.get(after(source), upTo);
        documents += found?.documents ?? 0;
        bytes += found?.bytes ?? 0;
      }
      return { documents, bytes };
    },
    unmerged: () => read.get('unmerged')?.value ?? 0,
    setMerged: (): void => void write.run(0, 'unmerged'),
  };
}
