import type { Store } from './database.ts';

/** One recorded execution of something, with what came of it: `run_artifacts`. Rows are added, never changed. */
export type StoredRun = {
  readonly id: string;
  /** `drill`, `restore`, ... */
  readonly kind: string;
  readonly startedMs: number;
  readonly finishedMs: number;
  readonly outcome: 'ok' | 'failed';
  /** JSON object. */
  readonly data: Readonly<Record<string, unknown>>;
};

export type RunStore = {
  /** Durable when it returns. A run of a known id is left as it is. */
  readonly add: (run: StoredRun) => void;
  /** Newest first. */
  readonly list: (kind: string, limit: number) => readonly StoredRun[];
  /** The newest with this outcome. */
  readonly newest: (kind: string, outcome: StoredRun['outcome']) => StoredRun | undefined;
  /** What was added after this change number, in that order. */
  readonly after: (changeSeq: number, limit: number) => readonly (StoredRun & { readonly changeSeq: number })[];
  /** Deletes runs of a kind that ended before; returns how many. */
  readonly prune: (kind: string, beforeMs: number) => number;
};

type Row = {
  id: string;
  kind: string;
  started_ms: number;
  finished_ms: number | null;
  outcome: string | null;
  data_json: string;
  change_seq: number;
};

export function createRunStore(store: Store): RunStore {
  const add = store.db.prepare(
    `INSERT INTO run_artifacts (id, kind, started_ms, finished_ms, outcome, data_json, change_seq)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const list = store.db.prepare<[string, number], Row>(
    'SELECT * FROM run_artifacts WHERE kind = ? ORDER BY change_seq DESC LIMIT ?',
  );
  const newest = store.db.prepare<[string, string], Row>(
    'SELECT * FROM run_artifacts WHERE kind = ? AND outcome = ? ORDER BY change_seq DESC LIMIT 1',
  );
  const after = store.db.prepare<[number, number], Row>(
    'SELECT * FROM run_artifacts WHERE change_seq > ? ORDER BY change_seq LIMIT ?',
  );
  const prune = store.db.prepare<[string, number]>('DELETE FROM run_artifacts WHERE kind = ? AND finished_ms < ?');
  return {
    add: (run) => {
      store.write((tx) =>
        add.run(
          run.id,
          run.kind,
          run.startedMs,
          run.finishedMs,
          run.outcome,
          JSON.stringify(run.data),
          tx.takeChange(),
        ),
      );
    },
    list: (kind, limit) => list.all(kind, limit).map(toRun),
    newest: (kind, outcome) => {
      const row = newest.get(kind, outcome);
      return row === undefined ? undefined : toRun(row);
    },
    after: (changeSeq, limit) =>
      after.all(changeSeq, limit).map((row) => ({ ...toRun(row), changeSeq: row.change_seq })),
    prune: (kind, beforeMs) => store.write(() => prune.run(kind, beforeMs).changes),
  };
}

function toRun(row: Row): StoredRun {
  return {
    id: row.id,
    kind: row.kind,
    startedMs: row.started_ms,
    finishedMs: row.finished_ms ?? row.started_ms,
    outcome: row.outcome === 'ok' ? 'ok' : 'failed',
    data: JSON.parse(row.data_json) as Record<string, unknown>,
  };
}
