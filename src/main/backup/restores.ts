/** Restores as faces ask for them: a plan is a value that is kept for an hour, and applied once. */
import { randomUUID } from 'node:crypto';
import { existsSync, statfsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { RestoreItem, RestorePlanView, RestoreResultView, RestoreRun } from '../../shared/contract-backup.ts';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { fsPath } from '../path-names.ts';
import type { FindSource, SourceWish } from './find-source.ts';
import type { Operations } from './operation.ts';
import type { ExactPath, RestoreRequest, RestoreTarget } from './plan.ts';
import { confirmWord, planItems, viewPast, viewPlan, viewResult } from './plan-view.ts';
import { sideFolder } from './restore-places.ts';
import type { PreparedRestore, Restorer } from './restorer.ts';
import type { BackupSource } from './source.ts';
import { existingAncestor } from './target-state.ts';

export type PlanWish = SourceWish & {
  readonly only?: readonly string[] | undefined;
  readonly paths?: readonly ExactPath[] | undefined;
  readonly files?: boolean | undefined;
  readonly tables?: readonly string[] | undefined;
  readonly to?: string | undefined;
  readonly inPlace?: boolean | undefined;
  readonly allowRedacted?: boolean | undefined;
  readonly autoMigrate?: boolean | undefined;
};

export type Restores = {
  readonly plan: (wish: PlanWish) => Promise<RestorePlanView>;
  readonly items: (
    planId: string,
    action: RestoreItem['action'] | undefined,
    offset: number,
    limit: number,
  ) => RestoreItem[];
  readonly apply: (planId: string, confirm: string) => Promise<RestoreResultView>;
  readonly undo: (id: string | undefined) => Promise<RestoreResultView>;
  readonly list: (limit: number) => readonly RestoreRun[];
  /** Closes what plans hold open. */
  readonly close: () => Promise<void>;
};

export type RestoresDeps = {
  readonly restorer: Restorer;
  readonly findSource: FindSource;
  readonly operations: Operations;
  readonly nowMs: () => number;
  readonly home: string;
  readonly autoMigrate: () => boolean;
  readonly signal: AbortSignal;
  readonly note: (kind: 'restore.done' | 'restore.undone', summary: string) => void;
};

type Kept = {
  readonly planId: string;
  readonly source: BackupSource;
  readonly prepared: PreparedRestore;
  readonly untilMs: number;
};

const PLAN_MS = 3_600_000;
const MOST_PLANS = 6;

export function createRestores(deps: RestoresDeps): Restores {
  const { restorer, operations, nowMs } = deps;
  const plans = new Map<string, Kept>();
  const applying = new Set<string>();

  const drop = async (planId: string): Promise<void> => {
    const kept = plans.get(planId);
    plans.delete(planId);
    await kept?.source.close();
  };
  const dropOld = async (): Promise<void> => {
    const idle = [...plans.values()].filter(({ planId }) => !applying.has(planId));
    const old = idle.filter(({ untilMs }) => untilMs < nowMs());
    const many = idle.slice(0, Math.max(0, plans.size - MOST_PLANS + 1));
    for (const { planId } of new Set([...old, ...many])) await drop(planId);
  };
  const find = (planId: string): Kept => {
    const kept = plans.get(planId);
    if (kept !== undefined && kept.untilMs >= nowMs()) return kept;
    throw new AppError('restore.plan_changed', 'This plan is not known any more: plans are kept for an hour.', {
      hint: 'Make the plan again and look at it.',
    });
  };

  return {
    plan: (wish) =>
      operations.show('restore', async (report) => {
        await dropOld();
        const { source, item } = await deps.findSource(
          wish,
          (phase, doneBytes) => report({ phase, doneItems: 0, totalItems: 0, doneBytes }),
          deps.signal,
        );
        try {
          report({ phase: 'planning', doneItems: 0, totalItems: item.files });
          const prepared = await restorer.prepare(source, requestOf(wish, source, deps));
          const planId = randomUUID();
          plans.set(planId, { planId, source, prepared, untilMs: nowMs() + PLAN_MS });
          return viewPlan(planId, item, prepared, freeBytes(prepared));
        } catch (cause) {
          await source.close();
          throw cause;
        }
      }),
    items: (planId, action, offset, limit) => {
      const items: RestoreItem[] = [];
      let skipped = 0;
      for (const item of planItems(find(planId).prepared)) {
        if (action !== undefined && item.action !== action) continue;
        if (skipped < offset) skipped += 1;
        else items.push(item);
        if (items.length >= limit) break;
      }
      return items;
    },
    apply: async (planId, confirm) => {
      const { source, prepared } = find(planId);
      const word = confirmWord(source.info);
      if (confirm.trim() !== word)
        throw new AppError('usage.bad_argument', `The word that confirms this restore is ${displayPath(word)}.`);
      if (applying.has(planId)) throw new AppError('backup.busy', 'This plan is being applied.', { retryable: true });
      applying.add(planId);
      try {
        const startedAtMs = nowMs();
        const result = await operations.show('restore', (report) =>
          restorer.apply(source, prepared, {
            signal: deps.signal,
            onProgress: ({ phase, done, all }) => report({ phase, doneItems: done, totalItems: all }),
          }),
        );
        const undoUntilMs = restorer.list().find(({ id }) => id === result.id)?.undoUntilMs ?? startedAtMs;
        const view = viewResult(result, prepared.plan, startedAtMs, undoUntilMs);
        deps.note('restore.done', summaryOf(view, source));
        await drop(planId);
        return view;
      } finally {
        applying.delete(planId);
      }
    },
    undo: async (id) => {
      const startedMs = performance.now();
      const past = await operations.show('undo', (report) =>
        restorer.undo(id, {
          signal: deps.signal,
          onProgress: ({ phase, done, all }) => report({ phase, doneItems: done, totalItems: all }),
        }),
      );
      deps.note('restore.undone', `The restore of ${past.backupName} was undone: ${past.files} files are as before.`);
      const { backupId: _, state: __, ...result } = viewPast(past, performance.now() - startedMs);
      return result;
    },
    list: (limit) =>
      restorer
        .list()
        .slice(0, limit)
        .map((past) => viewPast(past)),
    close: async () => {
      for (const planId of [...plans.keys()]) await drop(planId);
    },
  };
}

function requestOf(wish: PlanWish, source: BackupSource, deps: RestoresDeps): RestoreRequest {
  const tables = wish.tables ?? [];
  if (wish.to !== undefined && !isAbsolute(wish.to))
    throw new AppError('usage.bad_argument', `${displayPath(wish.to)} is not an absolute path.`);
  if (wish.to !== undefined && wish.inPlace === true)
    throw new AppError('usage.bad_argument', 'A restore goes to a folder or to the original places, not to both.');
  const unknown = tables.find((name) => name !== 'all' && !source.tables.some((table) => table.name === name));
  if (unknown !== undefined)
    throw new AppError('not_found.backup', `The backup has no table ${displayPath(unknown)}.`, {
      hint: `It has ${source.tables.map(({ name }) => name).join(', ') || 'none'}.`,
    });
  // Tables alone bring back rows: nobody who names a table expects files.
  const asksForFiles =
    wish.only !== undefined || wish.paths !== undefined || wish.to !== undefined || wish.inPlace === true;
  const withFiles = wish.files ?? (tables.length === 0 || asksForFiles);
  return {
    target: targetOf(wish, source, deps),
    only: wish.only ?? [],
    paths: wish.paths ?? [],
    tables: tables.includes('all') ? null : tables,
    withFiles,
    allowRedacted: wish.allowRedacted === true,
    autoMigrate: wish.autoMigrate ?? deps.autoMigrate(),
  };
}

function targetOf(wish: PlanWish, source: BackupSource, deps: RestoresDeps): RestoreTarget {
  if (wish.inPlace === true) return { kind: 'in-place' };
  const exists = (path: string): boolean => existsSync(fsPath(path));
  return { kind: 'folder', folder: wish.to ?? sideFolder(source.roots, source.info, deps.home, exists) };
}

function freeBytes({ plan }: PreparedRestore): number | null {
  const [place] = plan.places;
  if (place === undefined) return null;
  const { bavail, bsize } = statfsSync(fsPath(existingAncestor(place.folder)));
  return bavail * bsize;
}

function summaryOf(view: RestoreResultView, source: BackupSource): string {
  const rows = view.rowsInserted + view.rowsUpdated;
  const where = view.target === null ? 'their original places' : displayPath(view.target);
  return `Restored ${view.written} files to ${where}${rows > 0 ? ` and ${rows} records` : ''} from ${displayPath(source.info.name)}.`;
}
