import { displayPath, formatBytes } from '../../../shared/display.ts';
import type { Check } from '../../../shared/model.ts';
import { modeWarning } from '../../settings/mode-warnings.ts';
import type { DoctorFacts } from './facts.ts';
import { counted, error, off, ok, warn } from './verdicts.ts';

const OLDEST_NODE = [22, 22] as const;

export function checkNode({ nodeVersion }: DoctorFacts): Check[] {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const isNew = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (isNew) return ok('node', 'Node', `Version ${nodeVersion}.`);
  return error(
    'node',
    'Node',
    `Version ${nodeVersion} is older than ${OLDEST_NODE.join('.')}.`,
    'Start the agent with `npm start`, which brings its own Node, or install a newer one.',
  );
}

export function checkDataFolder({ dataFolder }: DoctorFacts): Check[] {
  const path = displayPath(dataFolder.path);
  const title = 'Data folder';
  if (dataFolder.writable && dataFolder.exists) return ok('data_folder', title, `${path} can be written.`);
  if (dataFolder.writable) return ok('data_folder', title, `${path} does not exist yet; the first start creates it.`);
  return error(
    'data_folder',
    title,
    `${path} cannot be written: nothing can be captured.`,
    'Give its owner the right to write, or set ANGLES_HOME to another folder.',
  );
}

const FULL_BYTES = 200_000_000;
const LOW_BYTES = 1_000_000_000;

export function checkDisk({ disk, dataFolder }: DoctorFacts): Check[] {
  const title = 'Free space';
  if (disk === null) return off('disk', title, 'The system does not tell how much space is free.');
  const path = displayPath(dataFolder.path);
  const reason = `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)} are free on the disk of ${path}.`;
  const fix = 'Free some space on that disk, or move the data folder to a larger one and set ANGLES_HOME.';
  if (disk.freeBytes < FULL_BYTES) return error('disk', title, reason, fix);
  return disk.freeBytes < LOW_BYTES ? warn('disk', title, reason, fix) : ok('disk', title, reason);
}

export function checkModes({ modes, platform }: DoctorFacts): Check[] {
  const title = 'Who can read the vault';
  if (platform === 'win32')
    return off('modes', title, 'Windows keeps no modes; the folder has the rights of your profile.');
  const warnings = modes.flatMap((guarded) => modeWarning(guarded, guarded.mode));
  if (warnings.length === 0) return ok('modes', title, 'Only the user that runs the agent.');
  return warn(
    'modes',
    title,
    warnings.map((warning) => warning.message).join(' '),
    warnings.map((warning) => warning.fix).join(' && '),
  );
}

/** Part of the limit from which on it is worth raising before it is reached. */
const NEARLY = 0.8;
const GENEROUS_WATCHES = 524_288;

export function checkWatchLimits({ inotify, watchedFolders, platform }: DoctorFacts): Check[] {
  const title = 'Watch limit';
  if (platform !== 'linux') return off('watch_limits', title, 'Only Linux has such a limit.');
  if (inotify === null) return off('watch_limits', title, 'The system does not tell its limit.');
  if (watchedFolders === null) return off('watch_limits', title, 'Nothing is watched while no agent runs.');
  const { maxUserWatches } = inotify;
  const reason = `${counted(watchedFolders, 'folder')} watched; the system allows ${maxUserWatches} for all programs of this user.`;
  if (watchedFolders < maxUserWatches * NEARLY) return ok('watch_limits', title, reason);
  const limit = Math.max(GENEROUS_WATCHES, 2 ** Math.ceil(Math.log2(watchedFolders * 2)));
  return warn(
    'watch_limits',
    title,
    `${reason} Beyond it, folders are scanned regularly instead.`,
    `echo fs.inotify.max_user_watches=${limit} | sudo tee /etc/sysctl.d/60-angles.conf && sudo sysctl --system`,
  );
}
