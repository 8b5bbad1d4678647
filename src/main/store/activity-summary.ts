import { displayPath } from '../../shared/display.ts';
import { assertNever } from '../../shared/errors.ts';
import type { ActivityKind } from '../../shared/model.ts';

/** The sentence of an activity that was stored without one, safe to show whatever the path holds. */
export function activitySummary(kind: ActivityKind, path: string | null, previousPath: string | null): string {
  const file = path === null ? 'A file' : displayPath(path);
  switch (kind) {
    case 'file.created':
      return `${file} was added`;
    case 'file.modified':
      return `${file} was saved`;
    case 'file.renamed':
      return previousPath === null ? `${file} was renamed` : `${displayPath(previousPath)} was renamed to ${file}`;
    case 'file.deleted':
      return `${file} was deleted`;
    case 'record.created':
      return 'A record was created';
    case 'record.edited':
      return 'A record was edited';
    case 'record.retired':
      return 'A record was retired';
    case 'record.restored':
      return 'A record was brought back';
    case 'record.superseded':
      return 'A record was superseded';
    case 'agent.started':
      return 'The agent started';
    case 'agent.stopped':
      return 'The agent stopped';
    case 'agent.recovered':
      return 'The vault was recovered';
    case 'root.added':
      return 'A folder is watched';
    case 'root.removed':
      return 'A folder is not watched any more';
    case 'root.held':
      return 'Deletions in a folder wait for a decision';
    case 'root.released':
      return 'Deletions in a folder were decided';
    case 'sync.conflict':
      return 'A field was changed on two sides';
    case 'sync.resolved':
      return 'A conflict was decided';
    case 'sync.held':
      return 'Changes of a remote wait for a decision';
    case 'sync.decided':
      return 'Changes of a remote were decided';
    case 'backup.made':
      return 'A backup was made';
    case 'backup.failed':
      return 'A backup failed';
    case 'restore.done':
      return 'A backup was restored';
    case 'restore.undone':
      return 'A restore was undone';
    default:
      return assertNever(kind);
  }
}
