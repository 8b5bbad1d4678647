/** The words of states, kinds and outcomes, wherever they stand. */
import type { ErrorCode } from '../shared/errors.ts';
import type {
  ActivityKind,
  Check,
  DecisionStatus,
  FileState,
  LogLevel,
  MemoryKind,
  Priority,
  RootState,
  ScanProgress,
  SearchKind,
  SkipReason,
  SnapshotChange,
} from '../shared/model.ts';

export const rootStates: Record<RootState, string> = {
  stopped: 'Not watched now',
  starting: 'Starting',
  scanning: 'Reading',
  watching: 'Watching',
  limited: 'Scanned regularly',
  held: 'Needs you',
  missing: 'Missing',
  unreadable: 'Cannot be read',
};
export const fileStates: Record<FileState, string> = { present: 'Present', deleted: 'Deleted', skipped: 'Skipped' };
export const skipReasons: Record<SkipReason, string> = {
  'file.too_large': 'Above the size limit',
  'file.unreadable': 'Cannot be read',
  'file.io_error': 'The disk failed while reading',
  'file.special': 'A pipe, socket or device',
  'file.symlink': 'A symbolic link',
  'file.excluded': 'Excluded by a rule',
};
export const changes: Record<SnapshotChange, string> = {
  created: 'Added',
  modified: 'Saved',
  renamed: 'Renamed',
  deleted: 'Deleted',
};
export const activityKinds: Record<ActivityKind, string> = {
  'file.created': 'Added',
  'file.modified': 'Saved',
  'file.renamed': 'Renamed',
  'file.deleted': 'Deleted',
  'record.created': 'Record written',
  'record.edited': 'Record edited',
  'record.retired': 'Record retired',
  'record.restored': 'Record brought back',
  'record.superseded': 'Record superseded',
  'agent.started': 'Agent started',
  'agent.stopped': 'Agent stopped',
  'agent.recovered': 'Agent recovered',
  'root.added': 'Folder added',
  'root.removed': 'Folder removed',
  'root.held': 'Deletions held',
  'root.released': 'Hold decided',
  'sync.conflict': 'Conflict found',
  'sync.resolved': 'Conflict decided',
  'sync.held': 'Sync held',
  'sync.decided': 'Sync decided',
  'backup.made': 'Backup made',
  'backup.failed': 'Backup failed',
  'restore.done': 'Restored',
  'restore.undone': 'Restore undone',
};
export const statuses: Record<DecisionStatus | 'active', string> = {
  proposed: 'Proposed',
  open: 'Open',
  accepted: 'Accepted',
  rejected: 'Rejected',
  deprecated: 'Deprecated',
  superseded: 'Superseded',
  active: 'Active',
};
export const priorities: Record<Priority, string> = {
  low: 'Low',
  medium: 'Medium',
  high: 'High',
  critical: 'Critical',
};
export const memoryKinds: Record<MemoryKind, string> = {
  fact: 'Fact',
  preference: 'Preference',
  instruction: 'Instruction',
  context: 'Context',
  note: 'Note',
};
export const searchKinds: Record<SearchKind, string> = { file: 'Files', decision: 'Decisions', memory: 'Memories' };
export const levels: Record<LogLevel, string> = {
  debug: 'Everything',
  info: 'Info and worse',
  warn: 'Warnings and errors',
  error: 'Errors only',
};
export const verdicts: Record<Check['verdict'], string> = {
  ok: 'Fine',
  warn: 'Look at this',
  error: 'Mend this',
  off: 'Off',
};
export const phases: Record<ScanProgress['phase'], string> = {
  listing: 'Listing files',
  capturing: 'Capturing',
  done: 'Done',
};
/** Texts for the page where the catalogue speaks to the command line. */
export const fixes: Partial<Record<ErrorCode, string>> = {
  'agent.not_running': 'Start it with `angles start`. This page comes back by itself.',
  'server.unauthorized': 'Run `angles open` to sign this browser in.',
  'window.no_bridge': 'Install Angles again. Until then, `angles open` shows this page in a browser.',
  'not_found.root': 'It may have been removed in another window. Reload to see the watched folders.',
  'not_found.file': 'It may have been renamed. Look for it in Files.',
  'not_found.snapshot': 'Choose another version from the history.',
  'not_found.record': 'It may be of another vault. Go back to the list.',
  'file.exists': 'Choose another target.',
  'record.changed': 'Read it again, then repeat your change: your text stays in the form.',
  internal: 'Look into the log for the line of this moment, and report it.',
};
