/** How states look: which tone and which shape. */

import type { BackupStatus, Destination } from '../../shared/contract-backup.ts';
import type { ScheduleEntry } from '../../shared/contract-ops.ts';
import type { SyncState } from '../../shared/contract-sync.ts';
import type { ActivityKind, Check, DecisionStatus, LogLevel, Priority, RootState } from '../../shared/model.ts';
import type { Tone } from './basics.tsx';
import type { IconName } from './icon.tsx';

export type Look = { readonly tone: Tone; readonly icon: IconName };

export const rootLooks: Record<RootState, Look> = {
  stopped: { tone: 'neutral', icon: 'off' },
  starting: { tone: 'info', icon: 'working' },
  scanning: { tone: 'info', icon: 'working' },
  watching: { tone: 'ok', icon: 'check' },
  limited: { tone: 'warn', icon: 'clock' },
  held: { tone: 'warn', icon: 'alert' },
  missing: { tone: 'warn', icon: 'alert' },
  unreadable: { tone: 'error', icon: 'error' },
};

export const syncLooks: Record<SyncState, Look> = {
  ok: { tone: 'ok', icon: 'check' },
  syncing: { tone: 'info', icon: 'working' },
  offline: { tone: 'neutral', icon: 'clock' },
  needs_you: { tone: 'warn', icon: 'alert' },
  off: { tone: 'neutral', icon: 'off' },
};

export const backupLooks: Record<BackupStatus['state'], Look> = {
  ok: { tone: 'ok', icon: 'safe' },
  waiting: { tone: 'info', icon: 'clock' },
  working: { tone: 'info', icon: 'working' },
  needs_you: { tone: 'warn', icon: 'alert' },
  off: { tone: 'neutral', icon: 'off' },
};

export const destinationLooks: Record<Destination['state'], Look> = {
  ok: { tone: 'ok', icon: 'check' },
  behind: { tone: 'info', icon: 'clock' },
  needs_you: { tone: 'warn', icon: 'alert' },
  off: { tone: 'neutral', icon: 'off' },
};

export const scheduleLooks: Record<ScheduleEntry['state'], Look> = {
  on: { tone: 'ok', icon: 'check' },
  waiting: { tone: 'neutral', icon: 'clock' },
  off: { tone: 'neutral', icon: 'off' },
  failing: { tone: 'warn', icon: 'alert' },
};

export const outcomeLooks: Record<'ok' | 'failed', Look> = {
  ok: { tone: 'ok', icon: 'check' },
  failed: { tone: 'error', icon: 'error' },
};

export const verdictLooks: Record<Check['verdict'], Look> = {
  ok: { tone: 'ok', icon: 'check' },
  warn: { tone: 'warn', icon: 'alert' },
  error: { tone: 'error', icon: 'error' },
  off: { tone: 'neutral', icon: 'off' },
};

export const statusLooks: Record<DecisionStatus | 'active', Look> = {
  proposed: { tone: 'info', icon: 'edit' },
  open: { tone: 'warn', icon: 'info' },
  accepted: { tone: 'ok', icon: 'check' },
  rejected: { tone: 'error', icon: 'close' },
  deprecated: { tone: 'neutral', icon: 'archive' },
  superseded: { tone: 'neutral', icon: 'right' },
  active: { tone: 'ok', icon: 'check' },
};

export const priorityTones: Record<Priority, Tone> = {
  low: 'neutral',
  medium: 'neutral',
  high: 'warn',
  critical: 'error',
};

export const levelTones: Record<LogLevel, Tone> = { debug: 'neutral', info: 'info', warn: 'warn', error: 'error' };

export function activityIcon(kind: ActivityKind): IconName {
  switch (kind) {
    case 'file.created':
      return 'added';
    case 'file.modified':
      return 'saved';
    case 'file.renamed':
      return 'renamed';
    case 'file.deleted':
      return 'deleted';
    case 'root.added':
    case 'root.removed':
      return 'files';
    case 'root.held':
    case 'sync.held':
    case 'sync.conflict':
    case 'backup.failed':
      return 'alert';
    case 'root.released':
    case 'sync.decided':
    case 'sync.resolved':
    case 'backup.made':
    case 'restore.done':
    case 'restore.undone':
      return 'check';
    case 'agent.started':
    case 'agent.stopped':
    case 'agent.recovered':
      return 'power';
    default:
      return 'decisions';
  }
}
