import type { AgentMethods } from '../shared/contract.ts';
import type { backupMethods } from '../shared/contract-backup.ts';
import { displayPath } from '../shared/display.ts';
import { AppError } from '../shared/errors.ts';
import { runDrift } from './api-drift.ts';
import type { ApiParts } from './api-parts.ts';
import { browse, type LookNow, readOne, rootPath, rootViews, search, withSource } from './backup/browse.ts';
import { readFileNow, sha256AsCaptured } from './files/read-now.ts';

type BackupMethods = Pick<AgentMethods, keyof typeof backupMethods>;

const DEFAULT_LIMIT = 100;
const DIFF_BYTES = 8 * 1_048_576;

/** Everything about backups. The service is loaded with the first question: an idle agent stays small. */
export function createBackupMethods(all: ApiParts): BackupMethods {
  const { backup, parts } = all;
  const service = () => backup.service();
  const lookNow: LookNow = (root, path) => sha256AsCaptured(parts.files, parts.roots.list(), root, path);

  return {
    'backups.status': async () => (await service()).status(),
    'backups.run': async (wish) => (await service()).run(wish, backup.captureFirst),
    'backups.list': async ({ limit = DEFAULT_LIMIT, cursor = null }) => {
      const offset = parseCursor(cursor);
      const { backups, total } = await (await service()).catalog.list(offset, limit);
      return { backups, total, next: backups.length < limit ? null : String(offset + limit) };
    },
    'backups.show': async ({ id }) => {
      const { catalog } = await service();
      return withSource(catalog, id, (source, found) => ({
        backup: catalog.item(found),
        roots: rootViews(source, found),
      }));
    },
    'backups.browse': async ({ id, rootId, path = '' }) =>
      withSource((await service()).catalog, id, (source, found) => ({
        entries: browse(source, found, { rootId, path }, lookNow),
      })),
    'backups.search': async ({ id, text, limit = DEFAULT_LIMIT }) =>
      withSource((await service()).catalog, id, (source) => search(source, text, limit, lookNow)),
    'backups.diff': async ({ id, rootId, path }) =>
      withSource((await service()).catalog, id, async (source) => {
        const { entry, bytes } = await readOne(source, { rootId, path }, DIFF_BYTES);
        const now = readFileNow(`${rootPath(source, rootId)}/${path}`, DIFF_BYTES);
        const before = { sizeBytes: entry.sizeBytes, sha256: entry.sha256 };
        const after = now === null ? null : { sizeBytes: now.sizeBytes, sha256: now.sha256 };
        if (bytes === null || (now !== null && now.bytes === null))
          return { comparable: false, before, after, hunks: [], added: 0, removed: 0 };
        const { compareContents } = await import('./files/compare.ts');
        return { before, after, ...compareContents(bytes, now?.bytes ?? Buffer.alloc(0)) };
      }),
    'backups.verify': async ({ id, at }) => (await service()).verify(id, at),
    'backups.prune': async ({ dryRun = false }) => (await service()).prune(dryRun),
    'backups.drill': async ({ id }) => ({ receipt: await (await service()).drill(id) }),
    'backups.fresh': async ({ what }) => {
      await (await service()).fresh(what);
      return {};
    },
    'restore.plan': async (wish) => (await service()).restores.plan(wish),
    'restore.items': async ({ planId, action, limit = DEFAULT_LIMIT, cursor = null }) => {
      const offset = parseCursor(cursor);
      const items = (await service()).restores.items(planId, action, offset, limit);
      return { items, next: items.length < limit ? null : String(offset + limit) };
    },
    'restore.apply': async ({ planId, confirm }) =>
      afterRestore(all, await (await service()).restores.apply(planId, confirm)),
    'restore.undo': async ({ restoreId }) => afterRestore(all, await (await service()).restores.undo(restoreId)),
    'restore.resume': async () => afterRestore(all, await (await service()).resume()),
    'restore.list': async ({ limit = DEFAULT_LIMIT }) => ({
      restores: [...(await service()).restores.list(limit)],
    }),
    'drift.run': async ({ against, limit }) => runDrift(all, against, limit),
    'key.show': async () => (await service()).key.show(),
    'key.kit': async () => (await service()).key.kit(),
    'key.confirm': async ({ ending }) => (await service()).key.confirm(ending),
    'key.import': async ({ key }) => (await service()).key.import(key),
    'key.rotate': async ({ key }) => (await service()).key.rotate(key),
  };
}

/** Records may have changed: faces and search learn of it. */
function afterRestore<T>({ parts, hub }: ApiParts, result: T): T {
  parts.search.wake();
  for (const table of ['decision_vault', 'memories'] as const) hub.emit({ event: 'records', payload: { table } });
  hub.emit({ event: 'backups', payload: {} });
  hub.statusChanged();
  return result;
}

function parseCursor(cursor: string | null): number {
  if (cursor === null) return 0;
  const offset = Number(cursor);
  if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw new AppError('usage.bad_argument', `${displayPath(cursor)} is no position of a listing.`);
}
