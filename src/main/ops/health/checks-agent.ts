import { displayPath, formatDuration } from '../../../shared/display.ts';
import type { Check } from '../../../shared/model.ts';
import { modeWarning } from '../../settings/mode-warnings.ts';
import type { DoctorFacts, Sample } from './facts.ts';
import { counted, error, off, ok, warn } from './verdicts.ts';

const RESTART = 'Restart the agent: `angles stop`, then `angles start`.';

export function checkAgent({ lock }: DoctorFacts): Check[] {
  const title = 'Agent';
  if (lock.holder === 'self') return ok('agent', title, `Running, process ${lock.pid}.`);
  if (lock.holder === 'none') {
    return warn(
      'agent',
      title,
      'No agent is running: saves are not captured now; the next start finds them.',
      'angles start',
    );
  }
  const holder = displayPath(lock.description);
  return error(
    'agent',
    title,
    `${holder} holds the data folder and does not answer.`,
    'Stop that process, then run `angles start`.',
  );
}

export function checkVault({ vault }: DoctorFacts): Check[] {
  const title = 'Vault';
  if (vault.quickCheck === null)
    return off('vault', title, `SQLite ${vault.sqliteVersion}; the file was not tested this time.`);
  if (vault.quickCheck === 'ok') return ok('vault', title, `The file is sound (SQLite ${vault.sqliteVersion}).`);
  return error(
    'vault',
    title,
    `The vault file is damaged: ${displayPath(vault.quickCheck.slice(0, 500))}`,
    `${RESTART} The damaged file is kept aside and everything readable carried into a new vault; a report says what is not.`,
  );
}

export function checkContents({ contents }: DoctorFacts): Check[] {
  const title = 'Stored contents';
  const { checked, missing, damaged, mended } = contents;
  if (missing.count + damaged.count === 0 && mended > 0)
    return warn(
      'contents',
      title,
      `${counted(mended, 'content')} could not be read any more and ${mended === 1 ? 'was' : 'were'} stored again from your files.`,
      'Look after the disk of the data folder: it loses or changes what was written.',
    );
  if (missing.count + damaged.count === 0)
    return ok('contents', title, `${counted(checked, 'content')} looked at, all there.`);
  const reason = [describeSample(missing, 'missing'), describeSample(damaged, 'damaged')]
    .filter((part) => part !== '')
    .join('; ');
  return error(
    'contents',
    title,
    `Of ${counted(checked, 'content')}: ${reason}.${mended === 0 ? '' : ` ${mended} more were stored again from your files.`}`,
    'Bring back the folder `objects` and the vault file from a copy of the data folder. Versions with other contents are not affected.',
  );
}

function describeSample({ count, sample }: Sample, word: string): string {
  if (count === 0) return '';
  const hashes = sample.slice(0, 3).map((hash) => hash.slice(0, 12));
  return `${count} ${word} (${hashes.join(', ')}${count > hashes.length ? ', ...' : ''})`;
}

const LATE_MS = 600_000;

export function checkSearch({ search, nowMs, lock }: DoctorFacts): Check[] {
  const title = 'Search';
  const { waiting, waitingSinceMs } = search;
  if (waiting === 0) return ok('search', title, 'Everything captured can be found.');
  const lagMs = waitingSinceMs === null ? 0 : nowMs - waitingSinceMs;
  const reason = `${waiting} captured, but not searchable yet${lagMs > 0 ? `, the oldest for ${formatDuration(lagMs)}` : ''}.`;
  if (lagMs < LATE_MS) return ok('search', title, reason);
  return warn('search', title, reason, lock.holder === 'self' ? RESTART : 'Start the agent: `angles start`.');
}

/** A wall clock may run a little behind the newest stamp without anybody noticing. */
const CLOCK_TOLERANCE_MS = 120_000;
/** Before this program was written. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);

export function checkClock({ nowMs, vault, platform }: DoctorFacts): Check[] {
  const title = 'Clock';
  const fix =
    platform === 'linux' ? 'Set the clock: `sudo timedatectl set-ntp true`.' : 'Set the clock of this machine.';
  if (nowMs < EARLIEST_MS)
    return error(
      'clock',
      title,
      'The clock of this machine shows a time long past; new versions get wrong dates.',
      fix,
    );
  const behindMs = vault.newestMs === null ? 0 : vault.newestMs - nowMs;
  if (behindMs <= CLOCK_TOLERANCE_MS) return ok('clock', title, 'The clock agrees with the vault.');
  return warn(
    'clock',
    title,
    `The clock is ${formatDuration(behindMs)} behind the newest entry of the vault: it jumped, now or then. The order of versions is kept; their dates are not right.`,
    fix,
  );
}

export function checkLog({ log }: DoctorFacts): Check[] {
  const title = 'Log';
  const lost = log.droppedFromDisk + log.droppedFromVault;
  if (log.failing !== null) {
    const reason = `The log cannot be written: ${displayPath(log.failing)}. ${counted(lost, 'record')} lost so far.`;
    return warn(
      'log',
      title,
      reason,
      `Mend the rights or free space for ${displayPath(log.folder)}; writing goes on by itself.`,
    );
  }
  if (lost === 0) return ok('log', title, 'Every record was written.');
  const reason = `It is written again, but it lost ${counted(lost, 'record')} since the start.`;
  return warn(
    'log',
    title,
    reason,
    'Look for the cause in the records around the loss: `angles logs --component log`.',
  );
}

/** Warnings about the settings, each with its fix; those about modes are told by the check of modes. */
export function checkSettings({ settings, modes }: DoctorFacts): Check[] {
  const told = new Set(modes.flatMap((guarded) => modeWarning(guarded, guarded.mode)).map((warning) => warning.fix));
  const warnings = settings.warnings.filter((warning) => !told.has(warning.fix));
  if (warnings.length === 0) return ok('settings', 'Settings', 'The settings on disk are in force.');
  return warnings.flatMap(({ message, fix }, index) => warn(`settings.${index + 1}`, 'Settings', message, fix));
}

/** Parts that are off for want of a setting: a calm state, with what would switch them on. */
export function checkOffParts({ settings }: DoctorFacts): Check[] {
  return settings.off.flatMap(({ part, missing, consequence }) =>
    off(
      `off.${part.toLowerCase().replace(/[^a-z]+/g, '_')}`,
      part,
      consequence,
      `To switch it on, set ${missing.join(', ')}.`,
    ),
  );
}
