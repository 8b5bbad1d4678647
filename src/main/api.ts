/** The contract implemented over the agent, one handler per method. */
import { setTimeout as setTimeoutAsync } from 'node:timers/promises';
import type { AgentMethods } from '../shared/contract.ts';
import { AppError } from '../shared/errors.ts';
import { createBackupMethods } from './api-backup.ts';
import { createFileMethods } from './api-files.ts';
import { createMigrateMethods } from './api-migrate.ts';
import { createOpsMethods } from './api-ops.ts';
import type { ApiParts } from './api-parts.ts';
import { createStatusMethods } from './api-status.ts';
import { createSyncMethods } from './api-sync.ts';
import type { AgentApi } from './api-types.ts';

/** How long a command without an agent waits for what is not searchable yet; the answer tells what still is not. */
const OFFLINE_INDEX_MS = 20_000;

export function createApi(all: ApiParts): AgentApi {
  const { parts, settings, hub } = all;
  const { records } = parts;
  /** Search and faces learn of a changed record. */
  const changed = <T>(table: 'decision_vault' | 'memories', result: T): T => {
    parts.search.wake();
    hub.emit({ event: 'records', payload: { table } });
    hub.statusChanged();
    return result;
  };
  const methods: AgentMethods = {
    ...createStatusMethods(all),
    ...createFileMethods(all),
    ...createSyncMethods(all),
    ...createMigrateMethods(all),
    ...createBackupMethods(all),
    ...createOpsMethods(all),

    'search.query': async (input) => {
      // A command without an agent has nobody who indexes meanwhile: it waits for what it can.
      if (all.mode === 'offline')
        await Promise.race([parts.search.idle(), setTimeoutAsync(OFFLINE_INDEX_MS, null, { ref: false })]);
      return parts.search.query(input);
    },

    'records.list': async (input) => records.list(input),
    'records.show': async (input) => records.show(input),
    'records.create': async (input) => changed(input.table, records.create(input)),
    'records.edit': async (input) => changed(input.table, records.edit(input)),
    'records.retire': async (input) => changed(input.table, records.retire(input)),
    'records.supersede': async (input) => changed(input.table, records.supersede(input)),

    'activities.list': async (input) => parts.activities.list(input),
    'outbox.summary': async () => ({ remotes: parts.outbox.summary() }),
    'logs.list': async (input) => {
      // What was just written belongs to the answer.
      all.logFlush.flush();
      return { records: parts.logs.list(input) };
    },

    'settings.show': async () => settings.show(),
    'settings.set': async ({ key, value }) => {
      if (key === 'roots' || key.startsWith('roots.')) {
        throw new AppError('config.invalid', 'Folders are not set by key.', {
          hint: 'Use `angles roots add PATH` and `angles roots remove PATH`.',
        });
      }
      return settings.set(key, value);
    },
  };
  return { methods, subscribe: hub.subscribe };
}
