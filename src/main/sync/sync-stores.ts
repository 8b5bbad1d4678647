import type { ActivityStore } from '../store/activities.ts';
import { createConflictStore } from '../store/conflicts.ts';
import { readContent } from '../store/contents.ts';
import type { Store } from '../store/database.ts';
import type { Journal } from '../store/journal.ts';
import { createLinks } from '../store/links.ts';
import { createLogStore } from '../store/logs.ts';
import { createMeta } from '../store/meta.ts';
import type { Outbox } from '../store/outbox.ts';
import { createPayloads } from '../store/payloads.ts';
import { createRemoteRecords } from '../store/record-remote.ts';
import { createRemoteStates } from '../store/remote-state.ts';
import { createRunStore } from '../store/runs.ts';
import type { SyncStores } from './parts.ts';

/** What of the vault sync works on. */
export function createSyncStores(
  store: Store,
  parts: { readonly outbox: Outbox; readonly activities: ActivityStore; readonly journal: Journal },
): SyncStores {
  return {
    write: store.write,
    deviceId: store.deviceId,
    outbox: parts.outbox,
    activities: parts.activities,
    links: createLinks(store),
    records: createRemoteRecords(store, parts),
    conflicts: createConflictStore(store),
    states: createRemoteStates(store),
    payloads: createPayloads(store),
    meta: createMeta(store),
    runs: createRunStore(store),
    logs: createLogStore(store),
    readContent: (sha256) => readContent(store.db, store.dataFolder, sha256),
  };
}
