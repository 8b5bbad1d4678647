import type { VNode } from 'preact';
import type { BackupEntryView } from '../../../shared/contract-backup.ts';
import { displayPath, formatBytes } from '../../../shared/display.ts';
import { fileName, folderOf } from '../../data/paths.ts';
import { Badge, When } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import type { Look } from '../../parts/looks.ts';
import { Cell } from '../../parts/virtual-list.tsx';
import { backupText as text } from '../../strings-backups.ts';

const LOOKS: Record<NonNullable<BackupEntryView['now']>, Look> = {
  same: { tone: 'neutral', icon: 'check' },
  differs: { tone: 'info', icon: 'diff' },
  missing: { tone: 'warn', icon: 'deleted' },
};

/** A file or a folder of a backup; `whole` adds where it lies. */
export function EntryRow({ entry, whole }: { entry: BackupEntryView; whole: boolean }): VNode {
  const look = entry.now === null ? null : LOOKS[entry.now];
  const folder = folderOf(entry.path);
  return (
    <>
      <Cell class="file-cell">
        <Icon name={entry.kind === 'folder' ? 'files' : entry.kind === 'symlink' ? 'link' : 'file'} />
        <span class="file-text">
          <span class="cut">{displayPath(entry.path === '' ? fileName(entry.root) : entry.name)}</span>
          {whole || entry.path === '' ? (
            <span class="cut small muted path">
              {displayPath(
                entry.path === '' ? entry.root : `${fileName(entry.root)}${folder === '' ? '' : `/${folder}`}`,
              )}
            </span>
          ) : null}
        </span>
      </Cell>
      <Cell class="state-cell">
        <span class="row tight">
          {entry.redactions > 0 ? <Badge tone="warn">{text.redacted(entry.redactions)}</Badge> : null}
          {look === null || entry.now === null ? null : (
            <Badge tone={look.tone} icon={look.icon}>
              {text.nows[entry.now]}
            </Badge>
          )}
        </span>
      </Cell>
      <Cell class="numbers small muted cell-size">{entry.path === '' ? '' : formatBytes(entry.sizeBytes)}</Cell>
      <Cell class="numbers small muted cell-when">{entry.mtimeMs === null ? '' : <When timeMs={entry.mtimeMs} />}</Cell>
    </>
  );
}
