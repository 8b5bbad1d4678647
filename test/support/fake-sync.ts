/** Sync of the fake agent: two remotes, conflicts of each kind, a queue with parked entries, three devices. */
import type { AgentEvent, AgentMethods } from '../../src/shared/contract.ts';
import type {
  Conflict,
  Device,
  QueueEntry,
  QueueKey,
  RemoteStatus,
  SyncPlan,
  SyncStatus,
  syncMethods,
} from '../../src/shared/contract-sync.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { EditableRecord, Remote } from '../../src/shared/model.ts';
import { FAKE_DEVICE, fakeId } from './fake-data.ts';
import { page } from './fake-files.ts';

type SyncMethods = Pick<AgentMethods, keyof typeof syncMethods>;

export type FakeSyncParts = {
  readonly records: readonly EditableRecord[];
  readonly nowMs: () => number;
  readonly emit: (event: AgentEvent) => void;
  readonly empty: boolean;
  readonly trouble: boolean;
};

const MINUTE = 60_000;
const REMOTES: readonly Remote[] = ['supabase', 'notion'];

export function createFakeSync(parts: FakeSyncParts): { methods: SyncMethods; status: () => SyncStatus } {
  const { records, nowMs, emit, empty, trouble } = parts;
  let conflicts = empty ? [] : fakeConflicts(records, nowMs());
  let queue = empty ? [] : fakeQueue(records, nowMs());
  let hold = empty ? null : fakeHold(nowMs());
  const open = (): number => conflicts.filter((one) => one.resolvedAtMs === null).length;
  const tell = (): void => {
    emit({ event: 'sync', payload: { remote: null } });
    emit({ event: 'conflicts', payload: { open: open() } });
  };

  const remoteStatus = (remote: Remote): RemoteStatus => {
    const of = (state: QueueEntry['state']): number =>
      queue.filter((entry) => entry.remote === remote && entry.state === state).length;
    const held = remote === 'notion' ? hold : null;
    return {
      remote,
      configured: !empty,
      state: empty ? 'off' : held !== null ? 'needs_you' : of('pending') > 0 ? 'syncing' : 'ok',
      reason: empty
        ? 'Sync with this service is off.'
        : held === null
          ? null
          : 'Many records would be deleted or overwritten at once.',
      fix: empty
        ? 'Set its keys: `angles config check` names them.'
        : held === null
          ? null
          : 'Look at `angles sync --dry-run`, then decide with `angles sync --accept` or `--refuse`.',
      code: empty ? 'sync.off' : held === null ? null : 'sync.held',
      pending: of('pending'),
      leased: of('leased'),
      parked: of('parked'),
      oldestAtMs: of('pending') === 0 ? null : nowMs() - 2 * MINUTE,
      perSecond: empty ? 0 : remote === 'supabase' ? 412.5 : 2.8,
      etaMs: null,
      lastSuccessAtMs: empty ? null : nowMs() - (remote === 'supabase' ? 4_000 : 9 * MINUTE),
      lastPullAtMs: empty ? null : nowMs() - (remote === 'supabase' ? 21_000 : 9 * MINUTE),
      nextTryAtMs: empty || held !== null ? null : nowMs() + 39_000,
      paused: [],
      hold: held,
      leader:
        empty || remote === 'supabase'
          ? null
          : { kind: 'this_device', deviceId: FAKE_DEVICE, untilMs: nowMs() + 30_000 },
    };
  };
  const status = (): SyncStatus => ({
    remotes: REMOTES.map((remote) =>
      trouble && remote === 'supabase' ? troubled(remoteStatus(remote), nowMs()) : remoteStatus(remote),
    ),
    conflicts: open(),
    safeMode: trouble
      ? {
          sinceMs: nowMs() - 7 * MINUTE,
          reason: 'The agent ended unexpectedly 3 times within 5 minutes; sending is paused.',
          fix: 'Look at `angles logs --level error`; `angles sync` starts sending again.',
        }
      : null,
  });
  const chosen = (remote: Remote | undefined): readonly Remote[] => (remote === undefined ? REMOTES : [remote]);
  const setConflict = (id: string, change: (one: Conflict) => Conflict): Conflict => {
    const before = conflicts.find((one) => one.id === id || one.id.startsWith(id) || one.id.endsWith(id));
    if (before === undefined) throw new AppError('not_found.conflict', `There is no conflict ${id}.`);
    const after = change(before);
    conflicts = conflicts.map((one) => (one === before ? after : one));
    return after;
  };
  const isIn = (keys: readonly QueueKey[], entry: QueueEntry): boolean =>
    keys.some((key) => key.remote === entry.remote && key.table === entry.table && key.recordId === entry.recordId);

  const methods: SyncMethods = {
    'sync.status': async () => status(),
    'sync.run': async ({ remote, dryRun = false }) => {
      const plans = empty
        ? []
        : chosen(remote).map((one): SyncPlan => fakePlan(one, queue, one === 'notion' ? hold : null));
      if (!dryRun) queue = queue.filter((entry) => entry.state !== 'pending' || !chosen(remote).includes(entry.remote));
      tell();
      return { dryRun, plans, status: status() };
    },
    'sync.test': async ({ remote }) => ({
      remotes: chosen(remote).map((one) => ({ remote: one, configured: !empty, steps: empty ? [] : fakeSteps(one) })),
    }),
    'sync.prepare': async ({ apply }) => ({ steps: ['Add the property "Angles ID" (text)'], applied: apply }),
    'sync.decide': async ({ remote }) => {
      if (remote !== 'notion' || hold === null) throw new AppError('not_found.entry', `Nothing of ${remote} is held.`);
      hold = null;
      tell();
      return { status: remoteStatus(remote) };
    },

    'conflicts.list': async (input) => {
      const wanted = conflicts.filter(
        (one) =>
          ((input.state ?? 'open') === 'all' || ((input.state ?? 'open') === 'open') === (one.resolvedAtMs === null)) &&
          (input.remote === undefined || one.remote === input.remote) &&
          (input.table === undefined || one.table === input.table) &&
          (input.recordId === undefined || one.recordId === input.recordId),
      );
      const { items, next } = page(wanted, input);
      return { conflicts: items, next, open: open() };
    },
    'conflicts.show': async ({ id }) => {
      const conflict = setConflict(id, (one) => one);
      return {
        conflict,
        record: records.find((record) => record.id === conflict.recordId) ?? null,
        others: conflicts.filter(
          (one) => one.recordId === conflict.recordId && one.id !== conflict.id && one.resolvedAtMs === null,
        ),
      };
    },
    'conflicts.resolve': async ({ ids, choice, value }) => {
      const resolved = ids.map((id) =>
        setConflict(id, (one) => ({
          ...one,
          resolvedAtMs: nowMs(),
          resolution: choice,
          canUndo: true,
          current:
            choice === 'mine'
              ? one.mine
              : choice === 'theirs'
                ? one.theirs
                : choice === 'edited'
                  ? value
                  : `${String(one.mine)}\n\n${String(one.theirs)}`,
        })),
      );
      tell();
      return { resolved, failed: [] };
    },
    'conflicts.undo': async ({ ids }) => {
      const undone = ids.map((id) =>
        setConflict(id, (one) => ({
          ...one,
          resolvedAtMs: null,
          resolution: null,
          canUndo: false,
          current: one.winner === 'mine' ? one.mine : one.theirs,
        })),
      );
      tell();
      return { undone, failed: [] };
    },

    'queue.list': async (input) => {
      const wanted = queue.filter(
        (entry) =>
          (input.remote === undefined || entry.remote === input.remote) &&
          (input.state === undefined || entry.state === input.state) &&
          (input.table === undefined || entry.table === input.table),
      );
      const { items, next } = page(wanted, input);
      return { entries: items, next, total: wanted.length };
    },
    'queue.show': async ({ id, remote }) => {
      const found = queue.filter(
        (entry) =>
          (entry.recordId.startsWith(id) || entry.recordId.endsWith(id)) &&
          (remote === undefined || entry.remote === remote),
      );
      if (found.length === 0) throw new AppError('not_found.entry', `There is no entry ${id} in the queue.`);
      return { entries: found.map((entry) => ({ entry, outgoing: fakeOutgoing(entry, records) })) };
    },
    'queue.retry': async ({ keys, remote }) => {
      const isWanted = (entry: QueueEntry): boolean =>
        entry.state === 'parked' &&
        (keys === undefined || isIn(keys, entry)) &&
        (remote === undefined || entry.remote === remote);
      const retried = queue.filter(isWanted).length;
      queue = queue.map((entry) =>
        isWanted(entry) ? { ...entry, state: 'pending', attempts: 0, code: null, reason: null, fix: null } : entry,
      );
      tell();
      return { retried };
    },
    'queue.discard': async ({ keys, exportTo }) => {
      const before = queue.length;
      queue = queue.filter((entry) => entry.state !== 'parked' || !isIn(keys, entry));
      tell();
      return {
        discarded: before - queue.length,
        exportedTo: exportTo ?? '/home/mira/.local/share/angles/exports/queue-2026-11-20T09-30-00Z.json',
      };
    },
    'devices.list': async () => ({
      devices: empty ? fakeDevices(nowMs()).slice(0, 1) : fakeDevices(nowMs()),
      problem: null,
    }),
  };
  return { methods, status };
}

/** A remote that is away, with a table that pauses for a reason of its own. */
const troubled = (status: RemoteStatus, nowMs: number): RemoteStatus => ({
  ...status,
  state: 'offline',
  reason: 'The service cannot be reached: no answer within 10 s.',
  fix: 'Check the network and the address; it is tried again by itself.',
  code: 'remote.unreachable',
  pending: 1_204,
  oldestAtMs: nowMs - 47 * MINUTE,
  etaMs: 190_000,
  nextTryAtMs: nowMs + 4 * MINUTE,
  paused: [
    {
      table: 'memories',
      code: 'remote.schema',
      reason: 'The column "kind" of memories is missing over there.',
      fix: 'Run `angles sync --test` and let it create what is missing, or undo the change over there.',
    },
  ],
});

function fakeHold(nowMs: number): NonNullable<RemoteStatus['hold']> {
  return {
    kind: 'pull',
    sinceMs: nowMs - 9 * MINUTE,
    deletes: 58,
    overwrites: 2,
    total: 212,
    sample: ['Retire the decision "One writer per data folder"', 'Retire the decision "Search runs in the agent"'],
  };
}

const LONG_MINE = [
  'Every version of every file is kept in SQLite, zstd-compressed, beside its row.',
  '',
  'Reasons:',
  '- One transaction makes a save durable: content, version and outbox entry together.',
  '- A first capture of 100,000 small files is one sequential write.',
  '- Nothing else has to be installed.',
  '',
  'What it costs: the vault grows with the text that is written, about 2 MB a week here.',
  'Contents above 1 MiB lie as files in the object store.',
  'We keep everything for 30 days and thin afterwards.',
].join('\n');
const LONG_THEIRS = [
  'Every version of every file is kept in SQLite, zstd-compressed, beside its row.',
  '',
  'Reasons:',
  '- One transaction makes a save durable: content, version and outbox entry together.',
  '- A first capture of 100,000 small files is one sequential write.',
  '- Nothing else has to be installed.',
  '- Backups read it through the backup interface of SQLite, never torn.',
  '',
  'What it costs: the vault grows with the text that is written, about 3 MB a month here.',
  'Contents above 1 MiB lie as files in the object store.',
  'We keep everything for 90 days and thin afterwards.',
].join('\n');

function fakeConflicts(records: readonly EditableRecord[], nowMs: number): Conflict[] {
  const [first, second, third] = records;
  if (first === undefined || second === undefined || third === undefined) return [];
  const common = (record: EditableRecord, index: number) => ({
    id: fakeId('conflict', index),
    remote: index === 1 ? ('supabase' as const) : ('notion' as const),
    table: record.table,
    recordId: record.id,
    recordTitle: record.title,
    reason: null,
    detectedAtMs: nowMs - (index + 1) * 11 * MINUTE,
    mineEditedAtMs: nowMs - (index + 2) * 12 * MINUTE,
    theirsEditedAtMs: nowMs - (index + 1) * 12 * MINUTE,
    resolvedAtMs: null,
    resolution: null,
    canUndo: false,
  });
  return [
    {
      ...common(first, 0),
      field: 'title',
      kind: 'edit',
      mine: 'Keep every version in SQLite, for ever',
      theirs: first.title,
      base: 'Keep versions in SQLite',
      winner: 'theirs',
      choices: ['mine', 'theirs', 'edited'],
      current: first.title,
    },
    {
      ...common(first, 4),
      field: 'decision',
      kind: 'edit',
      mine: LONG_MINE,
      theirs: LONG_THEIRS,
      base: LONG_MINE.split('\n').slice(0, 9).join('\n'),
      winner: 'mine',
      choices: ['mine', 'theirs', 'both', 'edited'],
      current: LONG_MINE,
    },
    {
      ...common(second, 1),
      field: 'tags',
      kind: 'edit',
      mine: ['lock', 'process'],
      theirs: ['lock', 'kernel'],
      base: ['lock'],
      winner: 'mine',
      choices: ['mine', 'theirs', 'both', 'edited'],
      current: ['lock', 'process'],
    },
    {
      ...common(third, 2),
      field: 'deletedAtMs',
      kind: 'delete',
      mine: null,
      theirs: nowMs - 40 * MINUTE,
      base: null,
      winner: 'mine',
      choices: ['mine', 'theirs'],
      current: null,
    },
    {
      ...common(third, 3),
      field: 'status',
      kind: 'invalid',
      mine: 'accepted',
      theirs: 'approved, mostly',
      base: 'accepted',
      winner: 'mine',
      reason: 'This is no status of a decision.',
      choices: ['mine', 'edited'],
      current: 'accepted',
    },
  ];
}

function fakeQueue(records: readonly EditableRecord[], nowMs: number): QueueEntry[] {
  return records.slice(0, 5).map((record, index): QueueEntry => {
    const parked = index >= 3;
    return {
      remote: index % 2 === 0 ? 'supabase' : 'notion',
      table: record.table,
      recordId: record.id,
      title: record.title,
      state: parked ? 'parked' : 'pending',
      attempts: parked ? 1 : 0,
      enqueuedAtMs: nowMs - (index + 1) * MINUTE,
      nextTryAtMs: null,
      code: parked ? 'remote.rejected' : null,
      reason: parked ? 'The service refuses this record: value too long for type character varying(200)' : null,
      fix: parked ? 'Look at it with `angles queue show`, mend it, then `angles queue retry`.' : null,
    };
  });
}

function fakeOutgoing(entry: QueueEntry, records: readonly EditableRecord[]) {
  const record = records.find((one) => one.id === entry.recordId);
  if (record === undefined) return null;
  const text = record.table === 'memories' ? record.content : record.decision;
  return {
    remote: entry.remote,
    table: entry.table,
    recordId: entry.recordId,
    remoteId: null,
    action: 'change' as const,
    fields: { title: record.title, text, tags: record.tags, status: record.status },
    changes: [{ field: 'title', before: 'An older title', after: record.title }],
    content: null,
    redactions: 1,
    redactedKinds: ['openai'],
    held: false,
  };
}

function fakePlan(remote: Remote, queue: readonly QueueEntry[], hold: SyncPlan['hold']): SyncPlan {
  const push = queue.filter((entry) => entry.remote === remote && entry.state === 'pending').length;
  return {
    remote,
    tables: [
      {
        table: 'decision_vault',
        push,
        pushDeletes: 0,
        pull: 3,
        pullCreates: 1,
        pullDeletes: hold?.deletes ?? 0,
        conflicts: 1,
        invalid: remote === 'notion' ? 1 : 0,
      },
    ],
    sample: ['Send the decision "Keep every version in SQLite"', 'Take the title of "One writer per data folder"'],
    hold,
    problem: null,
  };
}

function fakeSteps(remote: Remote) {
  const ok = (id: string, title: string, detail: string) => ({
    id,
    title,
    verdict: 'ok' as const,
    detail,
    fix: null,
    canPrepare: false,
    code: null,
  });
  return [
    ok('dns', 'Find the address', 'The name has an address.'),
    ok('tls', 'Connect', 'The certificate is valid.'),
    ok('key', 'Sign in', 'The key is accepted.'),
    remote === 'supabase'
      ? ok('schema', 'Tables', 'All tables have the columns of this version.')
      : {
          id: 'schema',
          title: 'Properties',
          verdict: 'failed' as const,
          detail: 'The property "Angles ID" is missing: pages could not be told apart.',
          fix: 'Let Angles add it, or add a text property of this name.',
          canPrepare: true,
          code: 'remote.schema',
        },
  ];
}

function fakeDevices(nowMs: number): Device[] {
  const common = { version: '0.1.0' };
  return [
    {
      ...common,
      deviceId: FAKE_DEVICE,
      name: 'mira-desk',
      isThis: true,
      lastSeenAtMs: nowMs - 12_000,
      unsent: 3,
      isLeader: true,
    },
    {
      ...common,
      deviceId: fakeId('device', 1),
      name: 'mira-laptop',
      isThis: false,
      lastSeenAtMs: nowMs - 4 * MINUTE,
      unsent: 0,
      isLeader: false,
    },
    {
      ...common,
      deviceId: fakeId('device', 2),
      name: 'server',
      isThis: false,
      lastSeenAtMs: nowMs - 9 * 24 * 60 * MINUTE,
      unsent: 41,
      isLeader: false,
    },
  ];
}
