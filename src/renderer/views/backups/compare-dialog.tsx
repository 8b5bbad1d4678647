import type { VNode } from 'preact';
import type { MethodOutput } from '../../../shared/contract.ts';
import type { BackupEntryView } from '../../../shared/contract-backup.ts';
import { displayPath, formatBytes } from '../../../shared/display.ts';
import { fileName } from '../../data/paths.ts';
import { useQuery } from '../../data/query.ts';
import { Button, ErrorCard, Skeleton } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { strings } from '../../strings.ts';
import { backupText } from '../../strings-backups.ts';
import { Hunks } from '../files/diff-pane.tsx';

const text = backupText.inside;
type CompareProps = { id: string; entry: BackupEntryView; onClose: () => void; onRestore: () => void };

/** A file of a backup against how it is now, before anything is written. */
export function CompareDialog({ id, entry, onClose, onRestore }: CompareProps): VNode {
  const { rootId, path } = entry;
  const { data, error, reload } = useQuery('backups.diff', { id, rootId, path });
  return (
    <Dialog title={text.diffTitle(displayPath(fileName(path)))} kind="wide" onClose={onClose}>
      <p class="path small muted wrap">{displayPath(`${entry.root}/${path}`)}</p>
      {data === undefined ? (
        error === null ? (
          <Skeleton rows={8} />
        ) : (
          <ErrorCard error={error} onRetry={reload} />
        )
      ) : (
        <Comparison diff={data} />
      )}
      <div class="row end">
        <Button onClick={onClose}>{strings.frame.close}</Button>
        <Button kind="primary" icon="restore" onClick={onRestore}>
          {text.restoreThis}
        </Button>
      </div>
    </Dialog>
  );
}

type Diff = MethodOutput<'backups.diff'>;
function Comparison({ diff }: { diff: Diff }): VNode {
  if (diff.after === null) return <p>{text.missing}</p>;
  if (!diff.comparable) return <Sizes before={diff.before} after={diff.after} />;
  if (diff.hunks.length === 0) return <p>{text.same}</p>;
  return (
    <>
      <p class="small muted numbers">{text.summary(diff.added, diff.removed)}</p>
      <Hunks hunks={diff.hunks} />
    </>
  );
}

function Sizes({ before, after }: { before: Diff['before']; after: NonNullable<Diff['after']> }): VNode {
  const sides = [
    [text.before, before],
    [text.after, after],
  ] as const;
  return (
    <>
      <p>{text.binary}</p>
      <dl class="facts">
        {sides.map(([name, side]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {formatBytes(side.sizeBytes)} <code class="small wrap">{side.sha256 ?? ''}</code>
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
