/** What a run would do: the remote is read, and nothing is written on any side. */
import type { SyncHold } from '../../shared/contract-sync.ts';
import type { Remote } from '../../shared/model.ts';
import { mustHold } from './breaker.ts';
import type { Connector } from './connector.ts';
import type { IntakeParts } from './intake.ts';
import { incomingOf, type PullOrder, readPages } from './pull.ts';
import { isMerged } from './record-check.ts';
import type { Tally } from './tally.ts';

export type PlanOrder = {
  readonly pull: boolean;
  readonly tally: Tally;
  readonly signal: AbortSignal;
  /** The remote is another one: it would be read from its beginning. */
  readonly isReplaced: boolean;
  readonly onUnread: PullOrder['onUnread'];
};

/** Entries that are looked at one by one; the counts of a longer queue follow from the outbox alone. */
const MOST_ENTRIES = 10_000;

export function createPlanRun({ stores, shell, plan }: IntakeParts, remote: Remote, connector: Connector) {
  return async ({ pull, tally, signal, isReplaced, onUnread }: PlanOrder): Promise<SyncHold | null> => {
    let deletes = 0;
    let overwrites = 0;
    if (pull) {
      const cursor = isReplaced ? null : stores.states.read(remote).pullCursor;
      const answer = { kind: 'weigh' } as const;
      const order = { connector, signal, tally, answer, assertMayRead: () => undefined, onUnread };
      for await (const page of readPages(order, cursor)) {
        for (const incoming of incomingOf(page)) {
          const change = plan(remote, incoming);
          tally.change(change);
          if (change.loss === 'delete') deletes += 1;
          if (change.loss === 'overwrite') overwrites += 1;
        }
      }
    }
    const waiting = stores.outbox.list({ remote, limit: MOST_ENTRIES, offset: 0 }).entries;
    for (const entry of waiting) {
      if (entry.state === 'parked') continue;
      const payload = stores.payloads.read(entry.table, entry.recordId);
      if (payload === undefined) continue;
      const isRetired = isMerged(entry.table) && (payload.fields.deletedAtMs ?? null) !== null;
      tally.push(entry.table, stores.payloads.title(entry.table, entry.recordId), isRetired);
    }
    const total = stores.records.count('decision_vault') + stores.records.count('memories');
    if (!mustHold({ deletes, overwrites, total }, shell.settings().limits)) return null;
    return { kind: 'pull', sinceMs: shell.nowMs(), deletes, overwrites, total, sample: tally.lines().slice(0, 10) };
  };
}
