import type { Remote } from '../../shared/model.ts';
import type { Store } from './database.ts';

/** What is known of a remote over restarts. It stays when the remote is switched off. */
export type RemoteMemory = {
  /** What was at the other end when it was first used; null when it never was. */
  readonly identity: string | null;
  /** How far its changes were taken in; null: from the beginning. */
  readonly pullCursor: string | null;
  readonly lastSuccessAtMs: number | null;
  readonly lastPullAtMs: number | null;
  /** Failures in a row. */
  readonly failures: number;
  /** Not tried before this time; null when at once. */
  readonly notBeforeMs: number | null;
  /** The last failure, as JSON; null after a success. */
  readonly errorJson: string | null;
  /** What waits for a person, as JSON. */
  readonly holdJson: string | null;
};

export type RemoteStates = {
  readonly read: (remote: Remote) => RemoteMemory;
  /** Changes the given parts; may be part of a transaction. */
  readonly update: (remote: Remote, change: Partial<RemoteMemory>) => void;
};

type Row = {
  failures: number;
  identity: string | null;
  pull_cursor: string | null;
  last_success_at_ms: number | null;
  last_pull_at_ms: number | null;
  not_before_ms: number | null;
  error_json: string | null;
  hold_json: string | null;
};

const UNKNOWN: RemoteMemory = {
  identity: null,
  pullCursor: null,
  lastSuccessAtMs: null,
  lastPullAtMs: null,
  failures: 0,
  notBeforeMs: null,
  errorJson: null,
  holdJson: null,
};

export function createRemoteStates(store: Store): RemoteStates {
  const find = store.db.prepare<[string], Row>(
    `SELECT failures, identity, pull_cursor, last_success_at_ms, last_pull_at_ms, not_before_ms, error_json, hold_json
     FROM remote_state WHERE remote = ?`,
  );
  const save = store.db.prepare<
    [
      string,
      number,
      string | null,
      string | null,
      number | null,
      number | null,
      number | null,
      string | null,
      string | null,
    ]
  >(
    `INSERT INTO remote_state (remote, failures, identity, pull_cursor, last_success_at_ms, last_pull_at_ms, not_before_ms,
       error_json, hold_json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (remote) DO UPDATE SET failures = excluded.failures, identity = excluded.identity,
       pull_cursor = excluded.pull_cursor, last_success_at_ms = excluded.last_success_at_ms,
       last_pull_at_ms = excluded.last_pull_at_ms, not_before_ms = excluded.not_before_ms,
       error_json = excluded.error_json, hold_json = excluded.hold_json`,
  );
  const read = (remote: Remote): RemoteMemory => {
    const row = find.get(remote);
    if (row === undefined) return UNKNOWN;
    return {
      identity: row.identity,
      pullCursor: row.pull_cursor,
      lastSuccessAtMs: row.last_success_at_ms,
      lastPullAtMs: row.last_pull_at_ms,
      failures: row.failures,
      notBeforeMs: row.not_before_ms,
      errorJson: row.error_json,
      holdJson: row.hold_json,
    };
  };
  return {
    read,
    update: (remote, change) => {
      store.write(() => {
        const next = { ...read(remote), ...change };
        save.run(
          remote,
          next.failures,
          next.identity,
          next.pullCursor,
          next.lastSuccessAtMs,
          next.lastPullAtMs,
          next.notBeforeMs,
          next.errorJson,
          next.holdJson,
        );
      });
    },
  };
}
