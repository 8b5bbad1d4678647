import type { Fields, MergedTable } from '../../../src/main/sync/connector.ts';
import type { Remote } from '../../../src/shared/model.ts';
import { connectorSuite, type SuiteRemote } from '../../support/connector-suite.ts';
import { createMemoryRemote } from '../../support/memory-connector.ts';

const make = (remote: Remote) => async (): Promise<SuiteRemote> => {
  let nowMs = Date.UTC(2026, 10, 20, 10);
  const memory = createMemoryRemote({ remote, nowMs: () => (nowMs += 1_000), pageSize: 7 });
  return {
    connector: memory.connect(),
    edit: async (_table: MergedTable, remoteId: string, fields: Fields) => memory.edit(remoteId, fields),
    create: async (table, fields) => memory.create(table, fields),
    remove: async (_table, remoteId) => memory.remove(remoteId),
    spoil: async (_table, remoteId) => {
      memory.edit(remoteId, { status: 'finished' }, [{ field: 'status', value: 'finished', reason: 'No status.' }]);
      return 'status';
    },
    close: async () => undefined,
  };
};

connectorSuite('a Supabase in memory', make('supabase'));
connectorSuite('a Notion in memory', make('notion'));
