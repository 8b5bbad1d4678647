import type { SnapshotRow, SnapshotTable } from '../store/backup-snapshot.ts';

/** What somebody was in the middle of: the newest activities, decisions without an answer, the newest memories. */
export type SessionCache = {
  readonly timestamp: string;
  readonly vault_change: number;
  readonly latest_activities: readonly SnapshotRow[];
  readonly open_decisions: readonly { readonly id: string; readonly title: string; readonly status: string }[];
  readonly latest_memories: readonly { readonly id: string; readonly title: string }[];
};

const LATEST = 100;
const MOST_OPEN = 1_000;

/** Collects while rows pass by. */
export function createSession(createdAtMs: number, change: number) {
  let activities: SnapshotRow[] = [];
  let memories: SnapshotRow[] = [];
  const open: { id: string; title: string; status: string }[] = [];
  const newest = (rows: SnapshotRow[]): SnapshotRow[] =>
    rows.sort((a, b) => Number(b.change_seq) - Number(a.change_seq)).slice(0, LATEST);
  return {
    add: (table: SnapshotTable, row: SnapshotRow): void => {
      if (table === 'activities') activities.push(row);
      if (table === 'memories' && row.deleted_at_ms === null) memories.push(row);
      if (activities.length > LATEST * 4) activities = newest(activities);
      if (memories.length > LATEST * 4) memories = newest(memories);
      const isOpen = table === 'decision_vault' && row.deleted_at_ms === null;
      if (isOpen && (row.status === 'open' || row.status === 'proposed') && open.length < MOST_OPEN)
        open.push({ id: String(row.id), title: String(row.title), status: String(row.status) });
    },
    result: (): SessionCache => ({
      timestamp: new Date(createdAtMs).toISOString(),
      vault_change: change,
      latest_activities: newest(activities),
      open_decisions: open,
      latest_memories: newest(memories).map((row) => ({ id: String(row.id), title: String(row.title) })),
    }),
  };
}
