/** Backups of the fake agent: five weeks of backups, a key whose kit nobody saved yet, plans that follow the input. */
import { structuredPatch } from 'diff';
import type { AgentEvent, AgentMethods } from '../../src/shared/contract.ts';
import type {
  BackupEntryView,
  BackupItem,
  BackupKey,
  BackupStatus,
  backupMethods,
  RestoreItem,
  RestorePlanView,
  RestoreRun,
} from '../../src/shared/contract-backup.ts';
import { restoreResult } from '../../src/shared/contract-backup.ts';
import { AppError, ERROR_CATALOGUE, type ErrorCode } from '../../src/shared/errors.ts';
import { globToRegExp } from '../../src/shared/glob.ts';
import type { FileEntry } from '../../src/shared/model.ts';
import { createBackupItems, createReceipt, createRestoreRuns, DAY, FAKE_KIT, HOUR } from './fake-backup-data.ts';
import { FAKE_ROOTS, fakeContent, hashOf } from './fake-data.ts';
import { page } from './fake-files.ts';

type BackupMethods = Pick<AgentMethods, keyof typeof backupMethods>;

export type FakeBackupParts = {
  readonly files: () => readonly FileEntry[];
  readonly nowMs: () => number;
  readonly emit: (event: AgentEvent) => void;
  readonly empty: boolean;
  readonly trouble: boolean;
};

type State = {
  backups: BackupItem[];
  restores: RestoreRun[];
  key: BackupKey;
  drillAtMs: number;
  interrupted: BackupStatus['interruptedRestore'];
  plans: Map<string, { plan: RestorePlanView; items: readonly RestoreItem[] }>;
};
type Context = FakeBackupParts & { readonly state: State; readonly changed: () => void };

export function createFakeBackup(parts: FakeBackupParts): BackupMethods {
  const { nowMs, emit, empty, trouble } = parts;
  const state: State = {
    backups: empty ? [] : createBackupItems(nowMs()),
    restores: empty ? [] : createRestoreRuns(nowMs()),
    key: { source: 'generated', kind: 'key', fingerprint: '7QK4-9M2X', kitConfirmedAtMs: null },
    drillAtMs: nowMs() - (trouble ? 19 : 4) * DAY,
    interrupted: trouble
      ? { restoreId: 'restore-cut', startedAtMs: nowMs() - 3 * HOUR, target: '/home/mira/projects/atlas/docs' }
      : null,
    plans: new Map(),
  };
  const context: Context = { ...parts, state, changed: () => emit({ event: 'backups', payload: {} }) };
  return { ...listMethods(context), ...workMethods(context), ...restoreMethods(context), ...keyMethods(context) };
}

const problem = (code: ErrorCode, message: string) => ({
  code,
  message,
  fix: ERROR_CATALOGUE[code].fix,
  exitCode: ERROR_CATALOGUE[code].exitCode,
});

function statusOf({ state, nowMs, empty, trouble }: Context): BackupStatus {
  const [newest] = state.backups;
  const receipt = createReceipt(state.drillAtMs, newest?.id ?? 'none');
  const confirmed = state.key.kitConfirmedAtMs !== null;
  const common = {
    behind: 0,
    nextTryAtMs: null,
    sizeBytes: null,
    problem: null,
    lastSuccessAtMs: newest?.createdAtMs ?? null,
  };
  return {
    state: empty ? 'waiting' : trouble ? 'needs_you' : 'ok',
    summary: empty
      ? 'The first backup is made after a minute of quiet.'
      : trouble
        ? 'A restore was interrupted and waits for your decision.'
        : 'Everything captured is in a verified backup.',
    problem: trouble ? problem('restore.interrupted', 'The restore of 06:30 was cut off after 14 of 38 files.') : null,
    lastBackupAtMs: newest?.createdAtMs ?? null,
    lastVerifiedAtMs: newest?.verifiedAtMs ?? null,
    unsavedChanges: empty ? 36 : trouble ? 5 : 0,
    nextAtMs: nowMs() + 14 * HOUR,
    lastDrill: empty ? null : receipt,
    lastProvenAtMs: empty ? null : state.drillAtMs,
    proofIsStale: trouble,
    key: state.key,
    destinations: empty
      ? (['repository', 'folder', 'github', 'supabase'] as const).map((kind) => ({
          ...common,
          kind,
          place: kind === 'repository' ? '/home/mira/.local/share/angles/backups/vault.git' : null,
          state: kind === 'repository' ? ('ok' as const) : ('off' as const),
        }))
      : [
          {
            ...common,
            kind: 'repository',
            place: '/home/mira/.local/share/angles/backups/vault.git',
            state: 'ok',
            sizeBytes: 84_200_000,
          },
          {
            ...common,
            kind: 'folder',
            place: '/home/mira/.local/share/angles/backups/archives',
            state: 'ok',
            sizeBytes: 12_400_000,
          },
          {
            ...common,
            kind: 'github',
            place: 'mira/angles-backup',
            state: trouble ? 'behind' : confirmed ? 'ok' : 'needs_you',
            problem: trouble
              ? problem('backup.push_refused', 'GitHub refused the push: the branch is protected.')
              : confirmed
                ? null
                : problem('backup.kit_unconfirmed', 'Nothing is pushed before the recovery kit is confirmed.'),
            behind: confirmed && !trouble ? 0 : 3,
            nextTryAtMs: trouble ? nowMs() + 12 * 60_000 : null,
            lastSuccessAtMs: nowMs() - 3 * DAY,
          },
          { ...common, kind: 'supabase', place: null, state: 'off', lastSuccessAtMs: null },
        ],
    progress: null,
    interruptedRestore: state.interrupted,
    warnings: trouble ? ['The repository takes 1.2 GB: a fresh one would be smaller.'] : [],
  };
}

function find(state: State, id: string | undefined): BackupItem {
  const wanted =
    id === undefined || id === 'latest'
      ? state.backups[0]
      : state.backups.find((one) => one.id === id || one.tag === id);
  if (wanted === undefined) throw new AppError('not_found.backup', `There is no backup ${id ?? ''}.`);
  return wanted;
}

/** What the disk has now: a few files changed since every backup, and one is gone. */
const nowOf = (file: FileEntry): 'same' | 'differs' | 'missing' =>
  file.state === 'deleted' ? 'missing' : file.fileId % 5 === 1 ? 'differs' : 'same';

const saved = (files: readonly FileEntry[]): FileEntry[] => files.filter((file) => file.state !== 'skipped');

const fileEntry = (file: FileEntry): BackupEntryView => ({
  rootId: file.rootId,
  root: file.root,
  path: file.path,
  name: file.path.slice(file.path.lastIndexOf('/') + 1),
  kind: 'file',
  sizeBytes: file.sizeBytes,
  mtimeMs: file.mtimeMs,
  sha256: file.sha256,
  redactions: file.path.endsWith('reading-list.md') ? 2 : 0,
  now: nowOf(file),
});

function browse(files: readonly FileEntry[], rootId: number | undefined, folder: string): BackupEntryView[] {
  const blank = { sizeBytes: 0, mtimeMs: null, sha256: null, redactions: 0, now: null };
  if (rootId === undefined) {
    return FAKE_ROOTS.map((root, index) => ({
      ...blank,
      rootId: index + 1,
      root,
      path: '',
      name: root,
      kind: 'folder',
    }));
  }
  const prefix = folder === '' ? '' : `${folder}/`;
  const inside = saved(files).filter((file) => file.rootId === rootId && file.path.startsWith(prefix));
  const root = FAKE_ROOTS[rootId - 1] ?? '/';
  const deeper = inside.filter((file) => file.path.slice(prefix.length).includes('/'));
  const names = [...new Set(deeper.map((file) => file.path.slice(prefix.length).split('/')[0] ?? ''))].sort();
  const folders = names.map(
    (name): BackupEntryView => ({
      ...blank,
      rootId,
      root,
      path: prefix + name,
      name,
      kind: 'folder',
      sizeBytes: deeper
        .filter((file) => file.path.startsWith(`${prefix}${name}/`))
        .reduce((sum, file) => sum + file.sizeBytes, 0),
    }),
  );
  return [...folders, ...inside.filter((file) => !deeper.includes(file)).map(fileEntry)];
}

function listMethods({
  state,
  files,
  ...context
}: Context): Pick<
  BackupMethods,
  'backups.status' | 'backups.list' | 'backups.show' | 'backups.browse' | 'backups.search' | 'backups.diff'
> {
  return {
    'backups.status': async () => statusOf({ state, files, ...context }),
    'backups.list': async (input) => {
      const { items, next } = page(state.backups, input);
      return { backups: items, next, total: state.backups.length };
    },
    'backups.show': async ({ id }) => ({
      backup: find(state, id),
      roots: FAKE_ROOTS.map((path, index) => {
        const inside = saved(files()).filter((file) => file.rootId === index + 1);
        return {
          rootId: index + 1,
          path,
          files: inside.length,
          sizeBytes: inside.reduce((sum, file) => sum + file.sizeBytes, 0),
        };
      }),
    }),
    'backups.browse': async ({ id, rootId, path = '' }) => {
      find(state, id);
      return { entries: browse(files(), rootId, path) };
    },
    'backups.search': async ({ id, text, limit = 100 }) => {
      find(state, id);
      const hits = saved(files()).filter((file) => file.path.toLowerCase().includes(text.toLowerCase()));
      return { entries: hits.slice(0, limit).map(fileEntry), hasMore: hits.length > limit };
    },
    'backups.diff': async ({ id, rootId, path }) => {
      find(state, id);
      const file = files().find((one) => one.rootId === rootId && one.path === path);
      if (file === undefined) throw new AppError('not_found.file', `The backup has no ${path}.`);
      const now = nowOf(file);
      const before = { sizeBytes: file.sizeBytes, sha256: file.sha256 };
      const none = { hunks: [], added: 0, removed: 0, before };
      if (file.path.endsWith('.svg'))
        return { ...none, comparable: false, after: { sizeBytes: 18_411, sha256: hashOf('now') } };
      if (now === 'missing') return { ...none, comparable: false, after: null };
      if (now === 'same') return { ...none, comparable: true, after: before };
      return {
        ...compare(fakeContent(path, 2), fakeContent(path, 5)),
        before,
        after: { sizeBytes: file.sizeBytes + 210, sha256: hashOf('now') },
      };
    },
  };
}

function compare(before: string, after: string) {
  const { hunks } = structuredPatch('a', 'b', before, after, '', '', { context: 3 });
  let added = 0;
  let removed = 0;
  const mapped = hunks.map((hunk) => {
    let [left, right] = [hunk.oldStart, hunk.newStart];
    return {
      lines: hunk.lines
        .filter((line) => !line.startsWith('\\'))
        .map((line) => {
          const kind = line.startsWith('+')
            ? ('added' as const)
            : line.startsWith('-')
              ? ('removed' as const)
              : ('same' as const);
          if (kind === 'added') added += 1;
          if (kind === 'removed') removed += 1;
          return {
            kind,
            text: line.slice(1),
            before: kind === 'added' ? null : left++,
            after: kind === 'removed' ? null : right++,
          };
        }),
    };
  });
  return { comparable: true, hunks: mapped, added, removed };
}

function workMethods({
  state,
  nowMs,
  changed,
}: Context): Pick<
  BackupMethods,
  'backups.run' | 'backups.verify' | 'backups.prune' | 'backups.drill' | 'backups.fresh' | 'drift.run'
> {
  return {
    'backups.run': async ({ tag }) => {
      const [last] = state.backups;
      const backup: BackupItem = {
        ...(last ?? createBackupItems(nowMs())[0]),
        id: hashOf(`backup ${state.backups.length}`).slice(0, 40),
        createdAtMs: nowMs(),
        reason: 'Asked for in the dashboard',
        tag: tag ?? null,
        verifiedAtMs: nowMs(),
      } as BackupItem;
      state.backups = [backup, ...state.backups];
      changed();
      return { backup, isNew: true, archive: null, exportedTo: null, destinations: [], redactedFiles: [] };
    },
    'backups.verify': async ({ id }) => {
      const backup = { ...find(state, id), verifiedAtMs: nowMs() };
      state.backups = state.backups.map((one) => (one.id === backup.id ? backup : one));
      changed();
      return { backup, objects: 1_204, bytes: backup.sizeBytes, durationMs: 3_100 };
    },
    'backups.prune': async () => ({ removed: [], kept: state.backups.length, skipped: [] }),
    'backups.drill': async ({ id }) => {
      state.drillAtMs = nowMs();
      changed();
      return { receipt: createReceipt(nowMs(), find(state, id).id) };
    },
    'backups.fresh': async () => ({}),
    'drift.run': async () => ({ takenAtMs: nowMs(), sides: [], items: [], more: 0, alert: false }),
  };
}

const SIDE_FOLDER = '/home/mira/Angles restored 2026-11-20 09-30';

function itemsFor(context: Context, input: Parameters<BackupMethods['restore.plan']>[0]): RestoreItem[] {
  const patterns = input.only?.map(globToRegExp);
  const isMeant = (file: { rootId: number; path: string }): boolean =>
    input.paths?.some(
      ({ rootId, path }) =>
        rootId === file.rootId && (path === '' || file.path === path || file.path.startsWith(`${path}/`)),
    ) ??
    patterns?.some((one) => one.test(file.path)) ??
    true;
  const chosen = input.files === false ? [] : saved(context.files()).filter(isMeant);
  const into = input.to ?? SIDE_FOLDER;
  const files = chosen.map((file): RestoreItem => {
    const now = nowOf(file);
    const refused = file.path.endsWith('reading-list.md') && input.allowRedacted !== true && input.inPlace === true;
    return {
      action: refused
        ? 'refused'
        : input.inPlace !== true || now === 'missing'
          ? 'new'
          : now === 'differs'
            ? 'overwrite'
            : 'unchanged',
      target:
        input.inPlace === true
          ? `${file.root}/${file.path}`
          : `${into}/${file.root.slice(file.root.lastIndexOf('/') + 1)}/${file.path}`,
      root: file.root,
      path: file.path,
      sizeBytes: file.sizeBytes,
      note: refused ? 'The backup has a redacted copy of it: 2 secrets are left out.' : null,
    };
  });
  const rows = (input.tables ?? []).flatMap((table) =>
    (['insert', 'update', 'same', 'same'] as const).map(
      (action, index): RestoreItem => ({
        action,
        target: `${table}/${hashOf(`${table} ${index}`).slice(0, 12)}`,
        root: null,
        path: null,
        sizeBytes: 0,
        note: null,
      }),
    ),
  );
  const extra: RestoreItem[] =
    input.inPlace === true && input.only === undefined
      ? [
          {
            action: 'extra',
            target: '/home/mira/notes/scratch.md',
            root: FAKE_ROOTS[0],
            path: 'scratch.md',
            sizeBytes: 812,
            note: 'Made after the backup: it stays.',
          },
        ]
      : [];
  return [...files, ...rows, ...extra];
}

function planFor(context: Context, input: Parameters<BackupMethods['restore.plan']>[0]): RestorePlanView {
  const backup = find(context.state, input.backup);
  const items = itemsFor(context, input);
  const count = (action: RestoreItem['action']): number => items.filter((item) => item.action === action).length;
  const plan: RestorePlanView = {
    planId: `plan-${context.state.plans.size + 1}`,
    backup,
    target: input.inPlace === true ? null : (input.to ?? SIDE_FOLDER),
    inPlace: input.inPlace === true,
    counts: {
      created: count('new'),
      overwritten: count('overwrite'),
      unchanged: count('unchanged'),
      keptExtra: count('extra'),
      refused: count('refused'),
      rowsInserted: count('insert'),
      rowsUpdated: count('update'),
      rowsSame: count('same'),
    },
    bytesToWrite: items
      .filter((item) => item.action === 'new' || item.action === 'overwrite')
      .reduce((sum, item) => sum + item.sizeBytes, 0),
    bytesFree: 84_000_000_000,
    warnings: count('refused') > 0 ? ['1 file is left out: the backup has a redacted copy of it.'] : [],
    problem:
      input.to?.startsWith('/') === false ? problem('restore.target', `${input.to} is not an absolute path.`) : null,
    confirmWith: backup.tag ?? new Date(backup.createdAtMs).toISOString().slice(0, 10),
    sample: items.slice(0, 10),
  };
  context.state.plans.set(plan.planId, { plan, items });
  return plan;
}

function restoreMethods(
  context: Context,
): Pick<
  BackupMethods,
  'restore.plan' | 'restore.items' | 'restore.apply' | 'restore.undo' | 'restore.resume' | 'restore.list'
> {
  const { state, nowMs, emit, changed } = context;
  const known = (planId: string) => {
    const found = state.plans.get(planId);
    if (found === undefined) throw new AppError('restore.plan_changed', `There is no plan ${planId}.`);
    return found;
  };
  const finish = (run: RestoreRun): RestoreRun => {
    state.restores = [run, ...state.restores.filter((one) => one.restoreId !== run.restoreId)];
    state.interrupted = null;
    changed();
    return run;
  };
  return {
    'restore.plan': async (input) => planFor(context, input),
    'restore.items': async ({ planId, action, ...input }) =>
      page(
        known(planId).items.filter((item) => action === undefined || item.action === action),
        input,
      ),
    'restore.apply': async ({ planId, confirm }) => {
      const { plan } = known(planId);
      if (plan.inPlace && confirm !== plan.confirmWith)
        throw new AppError('usage.bad_argument', `Confirm with ${plan.confirmWith}.`);
      const total = plan.counts.created + plan.counts.overwritten;
      emit({
        event: 'backup-progress',
        payload: {
          operation: 'restore',
          phase: 'Writing files',
          doneItems: total,
          totalItems: total,
          doneBytes: plan.bytesToWrite,
          totalBytes: plan.bytesToWrite,
          etaMs: null,
        },
      });
      const run = finish({
        restoreId: `restore-${state.restores.length + 1}`,
        startedAtMs: nowMs(),
        durationMs: 1_840,
        target: plan.target,
        written: plan.counts.created,
        overwritten: plan.counts.overwritten,
        rowsInserted: plan.counts.rowsInserted,
        rowsUpdated: plan.counts.rowsUpdated,
        bytes: plan.bytesToWrite,
        failed: [],
        undoUntilMs: nowMs() + 30 * DAY,
        backupId: plan.backup.id,
        state: 'done',
      });
      return restoreResult.parse(run);
    },
    'restore.undo': async ({ restoreId }) => {
      const run = state.restores.find((one) => one.restoreId === restoreId) ?? state.restores[0];
      if (run === undefined) throw new AppError('restore.nothing_to_undo', 'Nothing was restored.');
      return restoreResult.parse(finish({ ...run, state: 'undone', undoUntilMs: null }));
    },
    'restore.resume': async () => {
      const [run] = createRestoreRuns(nowMs());
      if (state.interrupted === null || run === undefined)
        throw new AppError('restore.nothing_to_undo', 'No restore was cut off.');
      return restoreResult.parse(finish({ ...run, restoreId: state.interrupted.restoreId }));
    },
    'restore.list': async () => ({ restores: state.restores }),
  };
}

function keyMethods({
  state,
  nowMs,
  changed,
}: Context): Pick<BackupMethods, 'key.show' | 'key.kit' | 'key.confirm' | 'key.import' | 'key.rotate'> {
  return {
    'key.show': async () => state.key,
    'key.kit': async () => ({
      text: FAKE_KIT,
      fingerprint: '7QK4-9M2X',
      fileName: 'angles-recovery-kit-7QK4-9M2X.txt',
    }),
    'key.confirm': async ({ ending }) => {
      if (!FAKE_KIT.includes(`${ending}\n`)) throw new AppError('backup.key_wrong', 'This is not how the key ends.');
      state.key = { ...state.key, kitConfirmedAtMs: nowMs() };
      changed();
      return state.key;
    },
    'key.import': async () => state.key,
    'key.rotate': async () => {
      state.key = { ...state.key, fingerprint: '2HTN-W8CE', kitConfirmedAtMs: null };
      changed();
      return state.key;
    },
  };
}
