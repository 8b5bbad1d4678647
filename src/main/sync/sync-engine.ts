import type { AgentMethods } from '../../shared/contract.ts';
import type { RemoteStatus, SyncStatus, syncMethods } from '../../shared/contract-sync.ts';
import { AppError, ERROR_CATALOGUE } from '../../shared/errors.ts';
import type { OutboxSummary } from '../../shared/model.ts';

export type SyncMethods = Pick<AgentMethods, keyof typeof syncMethods>;

/** Keeps the vault and its remotes the same. The agent builds one, starts it, and stops it before the vault closes. */
export type SyncEngine = {
  /** The handlers of the contract. */
  readonly methods: SyncMethods;
  /** What `sync.status` answers; from what is stored and what runs, without asking a remote. */
  readonly status: () => SyncStatus;
};

export type SyncEngineParts = { readonly outbox: { readonly summary: () => readonly OutboxSummary[] } };

export function createSyncEngine({ outbox }: SyncEngineParts): SyncEngine {
  const off = async (): Promise<never> => {
    throw new AppError('sync.off', 'No remote is connected.');
  };
  const status = (): SyncStatus => ({
    remotes: outbox.summary().map(
      (summary): RemoteStatus => ({
        ...summary,
        state: 'off',
        reason: ERROR_CATALOGUE['sync.off'].title,
        fix: ERROR_CATALOGUE['sync.off'].fix,
        code: 'sync.off',
        perSecond: 0,
        etaMs: null,
        lastSuccessAtMs: null,
        lastPullAtMs: null,
        nextTryAtMs: null,
        paused: [],
        hold: null,
        leader: null,
      }),
    ),
    conflicts: 0,
    safeMode: null,
  });
  return {
    status,
    methods: {
      'sync.status': async () => status(),
      'sync.run': off,
      'sync.test': off,
      'sync.prepare': off,
      'sync.decide': off,
      'conflicts.list': async () => ({ conflicts: [], next: null, open: 0 }),
      'conflicts.show': off,
      'conflicts.resolve': off,
      'conflicts.undo': off,
      'queue.list': async () => ({ entries: [], next: null, total: 0 }),
      'queue.show': off,
      'queue.retry': off,
      'queue.discard': off,
      'devices.list': async () => ({ devices: [], problem: null }),
    },
  };
}
