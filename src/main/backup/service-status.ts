/** How backups stand, read from what is stored and from what runs now. */
import type { BackupStatus, BackupSummaryView, Destination } from '../../shared/contract-backup.ts';
import { showKey } from './backup-keys.ts';
import { findInterrupted } from './interrupted-restore.ts';
import { isProofStale, judgeStatus } from './judge-status.ts';
import { isPassing, viewProblem } from './problems.ts';
import { coveredChange, mayLeave, type ServiceParts } from './service-parts.ts';
import { readDrills } from './upkeep.ts';

export async function listDestinations(parts: ServiceParts): Promise<Destination[]> {
  const { memory, repository, archives, deps } = parts;
  const known = memory.read();
  const isStuck = known.problem !== null && !isPassing(known.problem);
  const kept = archives.kept.archives();
  const here: Destination[] = [
    {
      kind: 'repository',
      place: repository.gitFolder(),
      state: isStuck ? 'needs_you' : known.problem !== null ? 'behind' : 'ok',
      problem: known.problem === null ? null : viewProblem(known.problem),
      behind: known.problem === null ? 0 : 1,
      lastSuccessAtMs: known.lastSuccessAtMs,
      nextTryAtMs: known.notBeforeMs,
      sizeBytes: known.repositoryBytes,
    },
    {
      kind: 'folder',
      place: archives.folder,
      state: known.archiveProblem !== null ? 'needs_you' : deps.settings().isArchiving ? 'ok' : 'off',
      problem: known.archiveProblem === null ? null : viewProblem(known.archiveProblem),
      behind: known.archiveProblem === null ? 0 : 1,
      lastSuccessAtMs: known.lastArchiveAtMs,
      nextTryAtMs: null,
      sizeBytes: kept.reduce((sum, each) => sum + each.sizeBytes, 0),
    },
  ];
  return [...here, ...(await parts.destinations.list())];
}

export async function readStatus(parts: ServiceParts, nextAtMs: number | null): Promise<BackupStatus> {
  const { memory, keys, operations, deps } = parts;
  const known = memory.read();
  const nowMs = deps.nowMs();
  const destinations = await listDestinations(parts);
  const drills = readDrills(deps.runs);
  const interrupted = findInterrupted(deps.dataFolder);
  const isRunning = parts.exclusive.running() !== null;
  const unsaved = deps.facts.unsavedSince(coveredChange(parts)).count;
  const verdict = judgeStatus({
    isWatching: deps.isWatching,
    isOn: deps.settings().isAutomatic,
    isWorking: isRunning,
    unsaved,
    lastSuccessAtMs: known.lastSuccessAtMs,
    problem: known.problem,
    destinations,
    interrupted: interrupted !== undefined && !isRunning,
  });
  const key = await showKey(parts);
  const kit =
    key.source === 'generated' && !mayLeave(keys, memory)
      ? ['The recovery kit was not confirmed: without the key nobody can read the backups. Run `angles key kit`.']
      : [];
  return {
    ...verdict,
    lastBackupAtMs: known.lastSuccessAtMs,
    lastVerifiedAtMs: latest([known.lastSuccessAtMs, ...Object.values(known.verified)]),
    unsavedChanges: unsaved,
    nextAtMs: deps.isWatching ? nextAtMs : null,
    lastDrill: drills.last,
    lastProvenAtMs: drills.provenAtMs,
    proofIsStale: isProofStale({
      lastProvenAtMs: drills.provenAtMs,
      firstBackupAtMs: known.firstBackupAtMs,
      nowMs,
    }),
    key,
    destinations,
    progress: operations.current(),
    interruptedRestore:
      interrupted === undefined || isRunning
        ? null
        : {
            restoreId: interrupted.id,
            startedAtMs: interrupted.startedAtMs,
            target: interrupted.places[0]?.folder ?? '',
          },
    warnings: [...known.warnings, ...kit],
  };
}

export function shorten(status: BackupStatus): BackupSummaryView {
  const { state, summary, lastBackupAtMs, nextAtMs, lastProvenAtMs, proofIsStale, progress } = status;
  return { state, summary, lastBackupAtMs, nextAtMs, lastProvenAtMs, proofIsStale, progress };
}

function latest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
