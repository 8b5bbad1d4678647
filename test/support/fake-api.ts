/**
 * A fake agent: every method of the contract over deterministic sample data in memory, for tests of the faces and
 * for working on the dashboard. It changes when it is told to (roots, records, settings), and says so by events.
 */
import type { AgentApi } from '../../src/main/api-types.ts';
import type { AgentEvent, AgentMethods, AgentStatus, MethodName } from '../../src/shared/contract.ts';
import type { SyncStatus } from '../../src/shared/contract-sync.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { RootInfo, ScanProgress, ScanResult } from '../../src/shared/model.ts';
import { createFakeBackup } from './fake-backup.ts';
import {
  createActivities,
  createFiles,
  createLogs,
  createRoots,
  FAKE_DEVICE,
  FAKE_NOW_MS,
  hashOf,
} from './fake-data.ts';
import { fileHandlers, type Handlers, page, type State, searchHandlers } from './fake-files.ts';
import { createFakeOps } from './fake-ops.ts';
import { createRecordMethods, createRecords } from './fake-records.ts';
import { createSettingsMethods, FAKE_CHECKS } from './fake-settings.ts';
import { createFakeSync } from './fake-sync.ts';

export type FakeApi = AgentApi & {
  /** Every call so far, oldest first. */
  readonly calls: readonly { readonly method: MethodName; readonly input: unknown }[];
  readonly emit: (event: AgentEvent) => void;
  /** Makes a method fail with this error until it is called with null. */
  readonly failWith: (method: MethodName, error: unknown) => void;
  /** Puts these values into the next answers of a method. */
  readonly answerWith: (method: MethodName, values: Readonly<Record<string, unknown>>) => void;
  readonly close: () => void;
};

export type FakeOptions = {
  readonly nowMs?: () => number;
  /** A vault on its first day: one empty root, nothing else. */
  readonly empty?: boolean;
  /** Adds files with names that attack the terminal or the page. */
  readonly hostile?: boolean;
  /** Emits progress and activity events on a timer, until close(). */
  readonly live?: boolean;
  /** Every answer takes this long. */
  readonly latencyMs?: number;
  /** So many activities in all, ten minutes apart. */
  readonly activities?: number;
  /** A bad day: Supabase is away, a table pauses, sending is paused, a restore was cut off, the last proof is old. */
  readonly trouble?: boolean;
};

export function createFakeApi(options: FakeOptions = {}): FakeApi {
  const nowMs = options.nowMs ?? (() => FAKE_NOW_MS);
  const listeners = new Set<(event: AgentEvent) => void>();
  const emit = (event: AgentEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const state = createState(options);
  const empty = options.empty === true;
  const trouble = options.trouble === true;
  const sync = createFakeSync({ records: state.records, nowMs, emit, empty, trouble });
  const settings = createSettingsMethods(emit);
  const handlers: AgentMethods = {
    ...agentHandlers(state, nowMs, sync.status, emit),
    ...rootHandlers(state, nowMs, emit),
    ...fileHandlers(state),
    ...searchHandlers(state),
    ...logHandlers(state),
    ...createRecordMethods(state.records, nowMs, emit),
    ...settings.methods,
    ...sync.methods,
    ...createFakeBackup({ files: () => state.files, nowMs, emit, empty, trouble }),
    ...createFakeOps({ nowMs, emit, empty, trouble, onSet: settings.keep, isSet: settings.isKept }),
  };
  const calls: { method: MethodName; input: unknown }[] = [];
  const failures = new Map<MethodName, unknown>();
  const values = new Map<MethodName, Readonly<Record<string, unknown>>>();
  const methods = Object.fromEntries(
    (Object.keys(handlers) as MethodName[]).map((method) => [
      method,
      async (input: never) => {
        calls.push({ method, input });
        if (options.latencyMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.latencyMs));
        if (failures.has(method)) throw failures.get(method);
        const answer: unknown = await handlers[method](input);
        return values.has(method) ? { ...(answer as object), ...values.get(method) } : answer;
      },
    ]),
  ) as unknown as AgentMethods;
  const stopLive = options.live === true ? startLive(state, emit) : () => undefined;
  return {
    methods,
    calls,
    emit,
    failWith: (method, error) => {
      if (error === null) failures.delete(method);
      else failures.set(method, error);
    },
    answerWith: (method, given) => void values.set(method, given),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: stopLive,
  };
}

function createState({ empty = false, hostile = false, activities = 0 }: FakeOptions): State {
  const files = empty ? [] : createFiles(hostile);
  const roots = createRoots(files);
  return {
    files,
    roots: empty ? roots.slice(0, 1) : roots,
    activities: empty ? [] : lengthen(createActivities(files), activities),
    logs: empty ? [] : createLogs(),
    records: empty ? [] : createRecords(FAKE_NOW_MS),
  };
}

/** The same again and again, further and further back. */
function lengthen(some: State['activities'], count: number): State['activities'] {
  if (count <= some.length) return some;
  return Array.from({ length: count }, (_, index) => {
    const one = some[index % some.length];
    if (one === undefined) throw new Error('there is no activity to repeat');
    return { ...one, id: `${index}-${one.id}`, occurredAtMs: FAKE_NOW_MS - index * 600_000, changeSeq: count - index };
  });
}

function statusOf(state: State, nowMs: number, sync: SyncStatus): AgentStatus {
  const present = state.files.filter((file) => file.state === 'present');
  const held = state.roots.find((root) => root.hold !== null);
  const versions = state.files.reduce((sum, file) => sum + file.versions, 0);
  return {
    version: '0.1.0',
    mode: 'running',
    safety: held
      ? { verdict: 'attention', summary: 'Everything is captured; one folder waits for your decision.', sinceMs: null }
      : { verdict: 'safe', summary: 'Everything is captured.', sinceMs: nowMs - 3 * 86_400_000 },
    attention: held
      ? [
          {
            code: 'root.held',
            message: `64 of 70 files of ${held.path} are gone at once.`,
            fix: `Run \`angles roots accept ${held.path}\` if you deleted them, or bring them back.`,
            rootId: held.rootId,
          },
        ]
      : [],
    next: [{ what: 'Safety scan of all folders', atMs: nowMs + 21 * 60_000 }],
    isSample: false,
    dataFolder: '/home/mira/.local/share/angles',
    deviceId: FAKE_DEVICE,
    pid: 4_242,
    startedAtMs: nowMs - 3 * 86_400_000,
    nowMs,
    dashboardUrl: 'http://127.0.0.1:5000/',
    roots: state.roots,
    totals: {
      files: present.length,
      sizeBytes: present.reduce((sum, file) => sum + file.sizeBytes, 0),
      snapshots: versions,
      storedBytes: versions * 2_100,
      decisions: state.records.filter((record) => record.table === 'decision_vault').length,
      memories: state.records.filter((record) => record.table === 'memories').length,
      activities: state.activities.length,
    },
    lastCaptureAtMs: state.activities[0]?.occurredAtMs ?? null,
    waiting: { capture: 0, index: 2 },
    progress: [],
    outbox: outbox(),
    sync,
    pausedUntilMs: state.pausedUntilMs ?? null,
    backup: {
      state: 'ok',
      summary: 'Everything captured is in a backup.',
      lastBackupAtMs: nowMs - 600_000,
      nextAtMs: null,
      lastProvenAtMs: nowMs - 4 * 86_400_000,
      proofIsStale: false,
      progress: null,
    },
  };
}

const outbox = (): AgentStatus['outbox'] => [
  { remote: 'supabase', configured: false, pending: 0, leased: 0, parked: 0, oldestAtMs: null },
  { remote: 'notion', configured: false, pending: 0, leased: 0, parked: 0, oldestAtMs: null },
];

function agentHandlers(
  state: State,
  nowMs: () => number,
  sync: () => SyncStatus,
  emit: (event: AgentEvent) => void,
): Handlers<
  'agent.status' | 'agent.stop' | 'agent.link' | 'agent.pause' | 'agent.resume' | 'outbox.summary' | 'doctor.run'
> {
  return {
    'agent.status': async () => statusOf(state, nowMs(), sync()),
    'agent.stop': async () => ({}),
    'agent.link': async () => ({ url: 'http://127.0.0.1:5000/open/sample' }),
    'agent.pause': async ({ untilMs }) => {
      state.pausedUntilMs = untilMs;
      emit({ event: 'status', payload: {} });
      return { pausedUntilMs: untilMs };
    },
    'agent.resume': async () => {
      state.pausedUntilMs = null;
      emit({ event: 'status', payload: {} });
      return {};
    },
    'outbox.summary': async () => ({ remotes: outbox() }),
    'doctor.run': async () => ({ checks: FAKE_CHECKS }),
  };
}

function scanResult(root: RootInfo): ScanResult {
  return {
    rootId: root.rootId,
    root: root.path,
    files: root.files,
    created: 1,
    modified: 2,
    renamed: 0,
    deleted: 0,
    unchanged: Math.max(0, root.files - 3),
    skipped: root.skipped,
    capturedBytes: 12_400,
    heldDeletes: root.hold?.deletes ?? 0,
    durationMs: 118,
  };
}

function rootHandlers(
  state: State,
  nowMs: () => number,
  emit: (event: AgentEvent) => void,
): Handlers<'roots.list' | 'roots.add' | 'roots.remove' | 'roots.decide' | 'scan.run'> {
  const find = (path: string): RootInfo => {
    const root = state.roots.find((one) => one.path === path);
    if (root === undefined) throw new AppError('not_found.root', `${path} is not watched.`);
    return root;
  };
  return {
    'roots.list': async () => ({ roots: state.roots }),
    'roots.add': async ({ path }) => {
      if (state.roots.some((root) => root.path === path))
        throw new AppError('root.duplicate', `${path} is watched already.`);
      if (!path.startsWith('/')) throw new AppError('root.missing', `${path} does not exist.`);
      const root: RootInfo = {
        rootId: state.roots.length + 10,
        path,
        state: 'watching',
        reason: null,
        fix: null,
        files: 0,
        sizeBytes: 0,
        skipped: 0,
        lastScanAtMs: nowMs(),
        hold: null,
      };
      state.roots = [...state.roots, root];
      emit({ event: 'status', payload: {} });
      return { root };
    },
    'roots.remove': async ({ path }) => {
      const root = find(path);
      state.roots = state.roots.filter((other) => other !== root);
      emit({ event: 'status', payload: {} });
      return {};
    },
    'roots.decide': async ({ path, decision }) => {
      const root = find(path);
      const result = {
        ...scanResult(root),
        deleted: decision === 'accept' ? (root.hold?.deletes ?? 0) : 0,
        heldDeletes: 0,
      };
      state.roots = state.roots.map((other) =>
        other === root ? { ...root, state: 'watching', reason: null, fix: null, hold: null } : other,
      );
      emit({ event: 'status', payload: {} });
      return { result };
    },
    'scan.run': async ({ path }) => ({
      results: (path === undefined ? state.roots : [find(path)]).map(scanResult),
      waiting: 0,
    }),
  };
}

function logHandlers(state: State): Handlers<'activities.list' | 'logs.list'> {
  const levels = ['debug', 'info', 'warn', 'error'];
  return {
    'activities.list': async (input) => {
      const found = state.activities.filter(
        (one) =>
          (input.kinds?.includes(one.kind) ?? true) &&
          (input.rootId === undefined || one.rootId === input.rootId) &&
          (input.path === undefined || (one.path ?? '').includes(input.path)) &&
          (input.sinceMs === undefined || one.occurredAtMs >= input.sinceMs),
      );
      const { items, next } = page(found, input);
      return { activities: items, next };
    },
    'logs.list': async (input) => {
      const found = state.logs.filter(
        (one) =>
          (input.component === undefined || one.component === input.component) &&
          (input.level === undefined || levels.indexOf(one.level) >= levels.indexOf(input.level)) &&
          (input.sinceMs === undefined || one.timeMs >= input.sinceMs) &&
          (input.runId === undefined || one.runId === input.runId) &&
          (input.text === undefined || one.message.toLowerCase().includes(input.text.toLowerCase())) &&
          one.seq > (input.afterSeq ?? 0),
      );
      return { records: found.slice(-(input.limit ?? 200)) };
    },
  };
}

function startLive(state: State, emit: (event: AgentEvent) => void): () => void {
  let step = 0;
  const timer = setInterval(() => {
    step += 1;
    const [root] = state.roots;
    const [newest] = state.activities;
    if (root === undefined) return;
    const share = (step % 21) / 20;
    const progress: ScanProgress = {
      rootId: root.rootId,
      root: root.path,
      phase: share === 1 ? 'done' : 'capturing',
      doneFiles: Math.round(20_000 * share),
      totalFiles: 20_000,
      doneBytes: Math.round(200_000_000 * share),
      totalBytes: 200_000_000,
      filesPerSecond: 2_400,
      bytesPerSecond: 24_000_000,
      etaMs: share < 0.05 ? null : Math.round((1 - share) * 9_000),
    };
    emit({ event: 'progress', payload: progress });
    if (newest !== undefined && step % 5 === 0)
      emit({
        event: 'activity',
        payload: { newest: { ...newest, id: hashOf(String(step)).slice(0, 36), occurredAtMs: Date.now() } },
      });
  }, 400);
  return () => clearInterval(timer);
}
