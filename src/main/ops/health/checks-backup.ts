import { displayPath, formatDuration } from '../../../shared/display.ts';
import type { Check } from '../../../shared/model.ts';
import type { DoctorFacts } from './facts.ts';
import { error, off, ok, warn } from './verdicts.ts';

const OLD_MS = 2 * 86_400_000;
const STALE_MS = 14 * 86_400_000;

/** Whether everything is in a backup, and how old the newest one is. */
export function checkBackupAge({ backup, nowMs, lock }: DoctorFacts): Check[] {
  const title = 'Backup';
  const fix = 'Make one: `angles backup`.';
  if (backup === null)
    return error('backup', title, 'How backups stand cannot be read.', 'Look at `angles logs --component backup`.');
  const { problem, lastBackupAtMs, unsavedChanges } = backup;
  const own = backup.destinations.find(({ kind }) => kind === 'repository')?.problem ?? null;
  if (own !== null) return error('backup', title, `No backup can be made: ${displayPath(own.message)}`, own.fix);
  if (lastBackupAtMs === null) {
    const isNew = backup.state !== 'off' && lock.holder === 'self';
    return isNew
      ? ok('backup', title, 'The first one is made soon.')
      : warn('backup', title, 'There is no backup.', fix);
  }
  const ageMs = Math.max(0, nowMs - lastBackupAtMs);
  const age = ageMs < 1_000 ? 'just now' : `${formatDuration(ageMs)} ago`;
  if (unsavedChanges > 0 && ageMs > OLD_MS)
    return warn('backup', title, `The last one was ${age}; ${unsavedChanges} changes are in none.`, fix);
  if (backup.interruptedRestore !== null)
    return error('backup', title, 'A restore was cut off.', 'Run `angles restore resume`.');
  return ok('backup', title, `The last one was ${age}${problem === null ? '' : ', and more below'}.`);
}

export function checkRecoveryKit({ backup }: DoctorFacts): Check[] {
  const title = 'Recovery kit';
  if (backup === null || backup.key.source === 'none') return off('backup.kit', title, 'No key was needed yet.');
  if (backup.key.source === 'environment')
    return ok(
      'backup.kit',
      title,
      'The key is your own, from BACKUP_ENCRYPTION_KEY: keep it where this machine is not.',
    );
  if (backup.key.kitConfirmedAtMs !== null) return ok('backup.kit', title, 'It was confirmed.');
  return warn(
    'backup.kit',
    title,
    'The key of the backups is on this machine only: when its disk is lost, nobody can read them.',
    'Save it elsewhere with `angles key kit`, then `angles key confirm`.',
  );
}

/** A backup that was never restored is a hope. */
export function checkProof({ backup, nowMs }: DoctorFacts): Check[] {
  const title = 'Proven restore';
  const fix = 'Run `angles backup drill`.';
  if (backup === null || backup.lastBackupAtMs === null) return off('backup.proof', title, 'There is no backup yet.');
  const { lastDrill, lastProvenAtMs, proofIsStale } = backup;
  if (lastDrill !== null && !lastDrill.passed)
    return error(
      'backup.proof',
      title,
      `The last drill found ${lastDrill.differences.length} differences: ${displayPath(lastDrill.differences[0] ?? '')}.`,
      'Make a new backup with `angles backup`, then run `angles backup drill`.',
    );
  if (lastProvenAtMs === null)
    return proofIsStale
      ? error('backup.proof', title, 'No backup was ever proven by a restore.', fix)
      : ok('backup.proof', title, 'The first drill comes by itself within days.');
  const ageMs = Math.max(0, nowMs - lastProvenAtMs);
  const reason = `A backup was restored and compared byte by byte ${formatDuration(ageMs)} ago.`;
  return ageMs > STALE_MS ? error('backup.proof', title, reason, fix) : ok('backup.proof', title, reason);
}

/** One check for each place besides this machine. */
export function checkDestinations({ backup }: DoctorFacts): Check[] {
  return (backup?.destinations ?? []).flatMap(({ kind, place, state, problem, behind }) => {
    if (kind === 'repository' || state === 'off') return [];
    const title = `Backups at ${kind === 'folder' ? 'the archive folder' : displayPath(place ?? kind)}`;
    const id = `backup.${kind}`;
    if (state === 'ok') return ok(id, title, 'Everything is there.');
    const reason = `It lacks ${behind}. ${displayPath(problem?.message ?? 'They are sent soon.')}`;
    if (state === 'behind') return problem === null ? ok(id, title, reason) : warn(id, title, reason, problem.fix);
    return error(id, title, reason, problem?.fix ?? 'Look at `angles status`.');
  });
}
