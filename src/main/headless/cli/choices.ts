/** The words that options take. They stand here as plain text because the schemas would load zod into every command. */
import type { ConflictChoice, QueueEntry } from '../../../shared/contract-sync.ts';
import type {
  ActivityKind,
  DecisionStatus,
  LogLevel,
  MemoryKind,
  MemoryStatus,
  Priority,
  Remote,
  SearchKind,
} from '../../../shared/model.ts';

// `Record` makes a word that is missing or unknown fail to compile.
const words = <T extends string>(table: Readonly<Record<T, true>>): readonly T[] => Object.keys(table) as T[];

export const DECISION_STATUSES = words<DecisionStatus>({
  proposed: true,
  accepted: true,
  rejected: true,
  deprecated: true,
  superseded: true,
  open: true,
});
export const PRIORITIES = words<Priority>({ low: true, medium: true, high: true, critical: true });
export const MEMORY_KINDS = words<MemoryKind>({
  fact: true,
  preference: true,
  instruction: true,
  context: true,
  note: true,
});
export const MEMORY_STATUSES = words<MemoryStatus>({ active: true, superseded: true });
export const SEARCH_KINDS = words<SearchKind>({ file: true, decision: true, memory: true });
export const REMOTES = words<Remote>({ supabase: true, notion: true });
export const CONFLICT_CHOICES = words<Exclude<ConflictChoice, 'edited'>>({ mine: true, theirs: true, both: true });
export const QUEUE_STATES = words<QueueEntry['state']>({ pending: true, leased: true, parked: true });
export const LOG_LEVELS = words<LogLevel>({ debug: true, info: true, warn: true, error: true });
export const ACTIVITY_KINDS = words<ActivityKind>({
  'file.created': true,
  'file.modified': true,
  'file.renamed': true,
  'file.deleted': true,
  'record.created': true,
  'record.edited': true,
  'record.retired': true,
  'record.restored': true,
  'record.superseded': true,
  'agent.started': true,
  'agent.stopped': true,
  'agent.recovered': true,
  'root.added': true,
  'root.removed': true,
  'root.held': true,
  'root.released': true,
  'sync.conflict': true,
  'sync.resolved': true,
  'sync.held': true,
  'sync.decided': true,
  'backup.made': true,
  'backup.failed': true,
  'restore.done': true,
  'restore.undone': true,
});
