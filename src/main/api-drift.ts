/** What differs between the files, the vault, the newest backup and the remotes. Reads only. */
import type { MethodOutput } from '../shared/contract.ts';
import type { DriftItem } from '../shared/contract-backup.ts';
import { displayPath } from '../shared/display.ts';
import { AppError } from '../shared/errors.ts';
import type { Remote } from '../shared/model.ts';
import type { ApiParts } from './api-parts.ts';
import { compareSides, DRIFT_LIMITS, type Drift, driftAlerts, findDrift } from './backup/drift.ts';
import { fileDriftItems } from './backup/drift-facts.ts';
import { toStored, viewProblem } from './backup/problems.ts';
import type { BackupSource } from './backup/source.ts';
import { createBackupFacts } from './store/backup-facts.ts';
import type { RowSides } from './sync/compare-rows.ts';
import { listFiles } from './watch/look-at-folders.ts';

type Report = MethodOutput<'drift.run'>;
type Side = Report['sides'][number];
type Against = DriftItem['against'];

const DEFAULT_LIMIT = 200;
const EVERYTHING: readonly Against[] = ['files', 'backup', 'supabase', 'notion'];

/** `here` is the file on the disk or the row in the vault, `there` the other side. */
export async function runDrift(
  all: ApiParts,
  wanted: readonly Against[] = EVERYTHING,
  limit = DEFAULT_LIMIT,
): Promise<Report> {
  const sides: Side[] = [];
  const items: DriftItem[] = [];
  let alert = false;
  if (wanted.includes('files') || wanted.includes('backup')) {
    const files = await compareFiles(all, wanted);
    sides.push(...files.sides);
    items.push(...files.items);
    alert = files.alert;
  }
  for (const remote of ['supabase', 'notion'] as const) {
    if (!wanted.includes(remote) || !all.settings.configuredRemotes().includes(remote)) continue;
    const rows = await compareRemote(all, remote);
    sides.push(rows.side);
    items.push(...rows.items);
    alert ||= rows.alert;
  }
  items.sort((a, b) => (a.against === b.against ? (a.name < b.name ? -1 : 1) : a.against < b.against ? -1 : 1));
  return {
    takenAtMs: all.host.nowMs(),
    sides,
    items: items.slice(0, limit),
    more: Math.max(0, items.length - limit),
    alert,
  };
}

async function compareFiles(
  all: ApiParts,
  wanted: readonly Against[],
): Promise<{ readonly sides: Side[]; readonly items: DriftItem[]; readonly alert: boolean }> {
  const problems = new Map<Against, Side['problem']>();
  const last = wanted.includes('backup') ? await openLast(all, problems) : null;
  try {
    const disk = listDisk(all, problems);
    const report = findDrift(
      await fileDriftItems({
        roots: disk.roots,
        vault: [...createBackupFacts(all.vault.store).presentFiles()].filter(({ rootId }) => disk.readable.has(rootId)),
        disk: disk.files,
        lastBackup: last,
        isThorough: false,
      }),
    );
    const asked = report.drifts.filter(({ side }) => wanted.includes(againstOf(side)));
    const sides = (['files', 'backup'] as const)
      .filter((against) => wanted.includes(against))
      .map((against): Side => {
        const found = report.bySide[against === 'files' ? 'vault' : 'backup'];
        return {
          against,
          compared: found?.compared ?? 0,
          different: found?.drifted ?? 0,
          problem: problems.get(against) ?? null,
        };
      });
    return { sides, items: asked.map(toItem), alert: driftAlerts(report, DRIFT_LIMITS).length > 0 };
  } finally {
    await last?.close();
  }
}

async function openLast(all: ApiParts, problems: Map<Against, Side['problem']>): Promise<BackupSource | null> {
  try {
    return await all.backup.openNewest();
  } catch (cause) {
    problems.set('backup', viewProblem(toStored(cause)));
    return null;
  }
}

/** A folder that cannot be read is no drift of every file in it: it is said instead. */
function listDisk(all: ApiParts, problems: Map<Against, Side['problem']>) {
  const files: { rootId: number; path: string }[] = [];
  const roots: { rootId: number; path: string }[] = [];
  for (const { rootId, path, exclude, respectGitignore } of all.state.plan.watched) {
    try {
      for (const file of listFiles({ rootPath: path, exclude, respectGitignore })) files.push({ rootId, path: file });
      roots.push({ rootId, path });
    } catch {
      const missing = new AppError('root.missing', `${displayPath(path)} cannot be read.`);
      problems.set('files', viewProblem(toStored(missing)));
    }
  }
  return { files, roots, readable: new Set(roots.map(({ rootId }) => rootId)) };
}

function againstOf(side: string): Against {
  return side === 'vault' ? 'files' : 'backup';
}

function toItem({ key, side, drift }: Drift): DriftItem {
  const kinds = {
    missing: 'missing',
    extra: 'extra',
    'changed here': 'changed_here',
    'changed there': 'changed_there',
    both: 'changed_both',
    // Never agreed: a file is newer than the vault, not the reverse.
    unknown: 'changed_here',
  } as const;
  return { against: againstOf(side), name: displayPath(key), kind: kinds[drift], detail: null };
}

const PAGE_ROWS = 1_000;
const MOST_WAITING = 10_000;
const SHOWN_FIELDS = 5;

/**
 * The rows over there, read now, next to those of the vault and to what both last agreed on. When they cannot be read,
 * what the remote did not acknowledge yet is all that is known.
 */
async function compareRemote(
  all: ApiParts,
  remote: Remote,
): Promise<{ readonly side: Side; readonly items: DriftItem[]; readonly alert: boolean }> {
  const waiting = waitingAt(all, remote);
  try {
    const rows = await all.sync.compare(remote, (table) => everyRecord(all, table));
    const present = rows.filter(({ here, there }) => here !== null || there !== null);
    const items = present.flatMap((row) => rowItem(remote, row, waiting));
    const share = items.length / Math.max(1, present.length);
    return {
      side: { against: remote, compared: present.length, different: items.length, problem: null },
      items,
      alert: items.length > DRIFT_LIMITS.count || (present.length >= 10 && share > DRIFT_LIMITS.share),
    };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    const items = [...waiting].map(
      ([name, detail]): DriftItem => ({ against: remote, name, kind: 'changed_here', detail }),
    );
    return {
      side: { against: remote, compared: 0, different: items.length, problem: viewProblem(toStored(cause)) },
      items,
      alert: items.length > DRIFT_LIMITS.count,
    };
  }
}

/** What the remote has still to acknowledge, and what it said against it. */
function waitingAt({ parts }: ApiParts, remote: Remote): Map<string, string> {
  const { entries } = parts.outbox.list({ remote, limit: MOST_WAITING, offset: 0 });
  return new Map(
    entries
      .filter(({ table }) => table === 'decision_vault' || table === 'memories')
      .map(({ table, recordId, errorMessage }) => [
        `${table}/${recordId}`,
        errorMessage ?? 'It was not acknowledged yet.',
      ]),
  );
}

function* everyRecord({ parts }: ApiParts, table: 'decision_vault' | 'memories') {
  let cursor: string | null = null;
  do {
    const page: MethodOutput<'records.list'> = parts.records.list({
      table,
      includeRetired: true,
      limit: PAGE_ROWS,
      ...(cursor === null ? {} : { cursor }),
    });
    yield* page.records;
    cursor = page.next;
  } while (cursor !== null);
}

function rowItem(remote: Remote, row: RowSides, waiting: ReadonlyMap<string, string>): DriftItem[] {
  const verdict = compareSides(row.here, row.there, row.base);
  if (verdict === null) return [];
  const name = `${row.table}/${row.id}`;
  const kinds = {
    missing: 'missing',
    extra: 'extra',
    'changed here': 'changed_here',
    'changed there': 'changed_there',
    both: 'changed_both',
    unknown: 'changed_both',
  } as const;
  const moved = { here: 'Changed here.', there: `Changed in ${remote}.`, both: 'Changed on both sides.', unknown: '' };
  const fields = row.fields.length === 0 ? '' : `Differs in ${row.fields.slice(0, SHOWN_FIELDS).join(', ')}.`;
  const detail = [fields, moved[verdict.moved], waiting.get(name) ?? ''].filter((part) => part !== '').join(' ');
  return [{ against: remote, name, kind: kinds[verdict.drift], detail: detail === '' ? null : detail }];
}
