/** What differs between the files, the vault, the newest backup and the remotes. Reads only. */
import type { MethodOutput } from '../shared/contract.ts';
import type { DriftItem } from '../shared/contract-backup.ts';
import { displayPath } from '../shared/display.ts';
import { AppError } from '../shared/errors.ts';
import type { Remote } from '../shared/model.ts';
import type { ApiParts } from './api-parts.ts';
import { DRIFT_LIMITS, type Drift, driftAlerts, findDrift } from './backup/drift.ts';
import { fileDriftItems } from './backup/drift-facts.ts';
import { toStored, viewProblem } from './backup/problems.ts';
import type { BackupSource } from './backup/source.ts';
import { createBackupFacts } from './store/backup-facts.ts';
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
    const rows = compareRemote(all, remote);
    sides.push(rows.side);
    items.push(...rows.items);
    alert ||= rows.side.different > DRIFT_LIMITS.count;
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

const MOST_ROWS = 10_000;

/**
 * What a remote did not acknowledge yet. What changed over there is taken over by sync as soon as it is read, so this
 * side moved here, or both did.
 */
function compareRemote({ parts }: ApiParts, remote: Remote): { readonly side: Side; readonly items: DriftItem[] } {
  const { entries, total } = parts.outbox.list({ remote, limit: MOST_ROWS, offset: 0 });
  const rows = parts.records.count('decision_vault') + parts.records.count('memories');
  const items = entries
    .filter(({ table }) => table === 'decision_vault' || table === 'memories')
    .map(
      ({ table, recordId, errorMessage }): DriftItem => ({
        against: remote,
        name: `${table}/${recordId}`,
        kind: 'changed_here',
        detail: errorMessage ?? 'It was not acknowledged yet.',
      }),
    );
  const different = total > MOST_ROWS ? total : items.length;
  return { side: { against: remote, compared: rows, different, problem: null }, items };
}
