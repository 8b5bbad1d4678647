/** What backups do by themselves: what is due, and doing it. */

import { AppError } from '../../shared/errors.ts';
import { isConfigChanged, makeArchive, makeBackup } from './make-backup.ts';
import { type NextBackup, nextBackup } from './next-backup.ts';
import { toStored } from './problems.ts';
import { coveredChange, type ServiceParts } from './service-parts.ts';
import { drillOnce, pruneAll } from './upkeep.ts';

const DAY_MS = 86_400_000;
const DRILL_EVERY_MS = 7 * DAY_MS;
/** The first failures of a backup are not tried again faster than this back-off begins. */
const FIRST_FAILURES = 6;
const BY_ITSELF = { isAutomatic: true } as const;

/** From stored facts only: the same before and after a restart, and after any sleep. */
export function nextOf(parts: ServiceParts): NextBackup | null {
  const { deps, memory } = parts;
  const known = memory.read();
  const settings = deps.settings();
  const unsaved = deps.facts.unsavedSince(coveredChange(parts));
  const pausedUntilMs = deps.pausedUntilMs?.() ?? null;
  return nextBackup({
    nowMs: deps.nowMs(),
    isOn: settings.isAutomatic,
    firstSeenAtMs: known.firstSeenAtMs,
    lastDailyAtMs: known.lastDailyAtMs,
    lastConfigAtMs: known.lastConfigAtMs,
    isConfigChanged: isConfigChanged(memory, deps.storedSettings()),
    firstUnsavedAtMs: unsaved.firstAtMs,
    lastUnsavedAtMs: unsaved.lastAtMs,
    quietMs: settings.quietMs,
    runTime: settings.runTime,
    timeZone: settings.timeZone,
    notBeforeMs: pausedUntilMs === null ? known.notBeforeMs : Math.max(pausedUntilMs, known.notBeforeMs ?? 0),
  });
}

/** A week after the last drill, a day after the first backup; null while there is nothing to prove. */
export function drillAtMs({ memory, deps }: ServiceParts): number | null {
  const { firstBackupAtMs, lastDrillTryAtMs } = memory.read();
  if (firstBackupAtMs === null || !deps.settings().isAutomatic) return null;
  return lastDrillTryAtMs === null ? firstBackupAtMs + DAY_MS : lastDrillTryAtMs + DRILL_EVERY_MS;
}

export async function dueAtMs(parts: ServiceParts): Promise<number | null> {
  const times = [nextOf(parts)?.atMs ?? null, drillAtMs(parts), await parts.destinations.nextTryAtMs()];
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(Math.min(...known), parts.deps.pausedUntilMs?.() ?? 0);
}

/** Does everything that is due, a backup first. Never rejects: what fails becomes a state. */
export async function actNow(parts: ServiceParts, deliver: () => void): Promise<void> {
  const { deps } = parts;
  if ((deps.pausedUntilMs?.() ?? null) !== null) return;
  const next = nextOf(parts);
  if (next !== null && next.atMs <= deps.nowMs()) await backupNow(parts, next.reason);
  if (parts.signal.aborted) return;
  deliver();
  const drillMs = drillAtMs(parts);
  if (drillMs !== null && drillMs <= deps.nowMs()) await drillNow(parts);
}

async function backupNow(parts: ServiceParts, reason: NextBackup['reason']): Promise<void> {
  const { deps, exclusive, signal } = parts;
  try {
    const result = await exclusive.run('backup', () => makeBackup(reason, null, parts.make), BY_ITSELF);
    if (result.isNew)
      deps.logger.info('A backup was made and read back.', {
        reason,
        files: result.summary.files,
        bytes: result.bytesWritten,
        durationMs: Math.round(result.durationMs),
      });
  } catch (cause) {
    if (signal.aborted || isBusy(cause)) return;
    noteFailure(parts, cause);
    return;
  }
  if (reason === 'daily')
    await daily(parts).catch((cause: unknown) => deps.logger.error('Daily upkeep failed.', { error: cause }));
}

/** Besides the backup: an archive for the bucket, when something is new, and what is too old goes. */
async function daily(parts: ServiceParts): Promise<void> {
  const { deps, memory, exclusive, signal } = parts;
  const isNew = deps.facts.unsavedSince(memory.read().archivedChange).count > 0;
  if (deps.settings().isArchiving && deps.bucketPlace() !== null && isNew) {
    const wish = { reason: 'daily', tag: null, isEncrypted: true, sanityCheck: true, exportTo: null } as const;
    await exclusive
      .run('backup', () => makeArchive(wish, parts.make), BY_ITSELF)
      .catch((cause: unknown) => {
        if (!signal.aborted) deps.logger.warn('The daily archive could not be made.', { error: cause });
      });
  }
  const pruned = await exclusive.run('clearing of old backups', () => pruneAll(parts.upkeep, false, signal), BY_ITSELF);
  if (pruned.removed.length > 0) deps.logger.info('Old archives were removed.', { removed: pruned.removed });
  for (const { at, reason } of pruned.skipped) deps.logger.info('No old archives were removed.', { at, reason });
}

async function drillNow(parts: ServiceParts): Promise<void> {
  const { deps, exclusive, signal } = parts;
  try {
    const receipt = await exclusive.run('drill', () => drillOnce(parts.upkeep, 'latest', signal), BY_ITSELF);
    if (receipt.passed) deps.logger.info('A backup was restored and is byte for byte the vault.', { ...receipt });
    else {
      deps.logger.error('A backup did not come back as it should.', { ...receipt });
      deps.note('backup.failed', `The drill of a backup found ${receipt.differences.length} differences.`);
    }
  } catch (cause) {
    if (!signal.aborted && !isBusy(cause)) deps.logger.warn('A drill could not be done.', { error: cause });
  }
  deps.onState();
}

function noteFailure({ deps, memory }: ServiceParts, cause: unknown): void {
  const before = memory.read();
  const problem = toStored(cause);
  const failures = before.failures + 1;
  const waitMs = Math.max(60_000, deps.backoffMs(failures + FIRST_FAILURES, deps.random));
  memory.update({ failures, notBeforeMs: deps.nowMs() + waitMs, problem });
  deps.logger.error('A backup failed; it is tried again.', { error: cause, waitMs });
  if (before.problem?.code !== problem.code) deps.note('backup.failed', `A backup failed: ${problem.message}`);
  deps.onState();
}

function isBusy(cause: unknown): boolean {
  return cause instanceof AppError && cause.code === 'backup.busy';
}
