/** The remotes as a person sees them: what mends a state, what waits, what needs a decision. */
import type { QueueEntry, QueueKey, RemoteStatus, SyncState, SyncStatus } from '../../shared/contract-sync.ts';

/** The button that mends a state: which of the things that the page can do. */
export type Mend = 'set_up' | 'decide' | 'test' | 'try_now' | 'conflicts' | 'parked' | null;

const TEST_CODES = new Set([
  'remote.unauthorized',
  'remote.forbidden',
  'remote.not_shared',
  'remote.schema',
  'remote.wrong_project',
  'remote.bad_answer',
]);

export function mendOf(remote: RemoteStatus): Mend {
  if (!remote.configured || remote.code === 'sync.off') return 'set_up';
  if (remote.hold !== null) return 'decide';
  if (remote.code === 'sync.conflict') return 'conflicts';
  if (remote.code !== null && TEST_CODES.has(remote.code)) return 'test';
  if (remote.code === 'sync.safe_mode' || remote.state === 'offline') return 'try_now';
  if (remote.paused.length > 0) return 'test';
  if (remote.state === 'needs_you') return remote.parked > 0 ? 'parked' : 'test';
  return remote.parked > 0 ? 'parked' : null;
}

const ORDER: readonly SyncState[] = ['needs_you', 'offline', 'syncing', 'ok', 'off'];

/** The state that speaks for all: the worst of those that are set up; `off` only when none is. */
export function worstState(status: Pick<SyncStatus, 'remotes'>): SyncState {
  const states = new Set(status.remotes.map((remote) => remote.state));
  return ORDER.find((state) => states.has(state)) ?? 'off';
}

/** Records that wait for a remote, without those that were set aside. */
export const waitingOf = (remote: Pick<RemoteStatus, 'pending' | 'leased'>): number => remote.pending + remote.leased;

/** A rate that is worth a word: below one in five seconds it is none. */
export function rateText(perSecond: number): string | null {
  if (perSecond < 0.2) return null;
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}

export const keyOf = ({ remote, table, recordId }: QueueKey): QueueKey => ({ remote, table, recordId });
export const keyText = ({ remote, table, recordId }: QueueKey): string => `${remote} ${table} ${recordId}`;

/** Where the thing behind an entry can be edited or looked at; null where nothing can. */
export function entryPlace(entry: QueueEntry): { readonly view: 'decisions' | 'memories'; readonly id: string } | null {
  if (entry.table === 'decision_vault') return { view: 'decisions', id: entry.recordId };
  return entry.table === 'memories' ? { view: 'memories', id: entry.recordId } : null;
}
