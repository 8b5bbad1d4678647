import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { BackupItem } from '../../../shared/contract-backup.ts';
import { displayText, formatBytes } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { shortId, timelineOf } from '../../data/backup-view.ts';
import { usePages } from '../../data/pages.ts';
import { formatRoute } from '../../data/route.ts';
import { formatClock, formatDay } from '../../data/time.ts';
import { Badge, Button, Empty, ErrorCard, Skeleton, useNow } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Cell, VirtualList } from '../../parts/virtual-list.tsx';
import { backupText as text } from '../../strings-backups.ts';

const PAGE = 500;

/** Every point in time that can be gone back to, under its day. */
export function Timeline({ empty }: { empty: () => void }): VNode {
  const { client, go } = useApp();
  const nowMs = useNow();
  const pages = usePages<BackupItem>(
    'backups',
    async (cursor) => {
      const answer = await client.call('backups.list', { limit: PAGE, cursor });
      return { items: answer.backups, next: answer.next, total: answer.total };
    },
    ['backups'],
  );
  const rows = useMemo(() => timelineOf(pages.items), [pages.items]);
  return (
    <section class="stack" aria-labelledby="timeline-title">
      <div class="row between">
        <h2 id="timeline-title">{text.timelineTitle}</h2>
        {pages.total === null ? null : <span class="small muted numbers">{text.total(pages.total)}</span>}
      </div>
      {pages.error !== null ? <ErrorCard error={pages.error} onRetry={pages.reload} /> : null}
      {rows.length > 0 ? (
        <VirtualList
          class="panel timeline"
          label={text.timeline}
          items={rows}
          rowHeight={58}
          keyOf={(row) => row.key}
          onOpen={(row) => {
            if (row.kind === 'backup') go(formatRoute('backups', { id: row.backup.id }));
          }}
          onNearEnd={pages.readMore}
          render={(row) =>
            row.kind === 'day' ? (
              <Cell class="day-row">
                <strong>{formatDay(row.timeMs, nowMs)}</strong>
                <span class="small muted">{text.onDay(row.backups)}</span>
              </Cell>
            ) : (
              <BackupRow backup={row.backup} />
            )
          }
        />
      ) : pages.loading ? (
        <Skeleton rows={6} tall />
      ) : pages.error !== null ? null : (
        <Empty icon="backups" title={text.empty} text={text.emptyText}>
          <Button kind="primary" icon="backups" onClick={empty}>
            {text.now}
          </Button>
        </Empty>
      )}
    </section>
  );
}

const rowsOf = (backup: BackupItem): number => Object.values(backup.tables).reduce((sum, count) => sum + count, 0);

function BackupRow({ backup }: { backup: BackupItem }): VNode {
  return (
    <>
      <Cell class="numbers backup-time">{formatClock(backup.createdAtMs)}</Cell>
      <Cell class="file-cell">
        <Icon name={backup.kind === 'archive' ? 'archive' : 'backups'} />
        <span class="file-text">
          <span class="cut">
            {backup.tag === null ? displayText(backup.reason) : <strong>{displayText(backup.tag)}</strong>}
          </span>
          <span class="cut small muted">
            {text.files(backup.files)}, {text.rows(rowsOf(backup))}
            <span class="path backup-id"> {displayText(shortId(backup))}</span>
          </span>
        </span>
      </Cell>
      <Cell class="state-cell">
        <BackupBadges backup={backup} />
      </Cell>
      <Cell class="small muted cell-where cut">{backup.where.map((one) => text.destinations[one]).join(', ')}</Cell>
      <Cell class="numbers small muted cell-size">{formatBytes(backup.sizeBytes)}</Cell>
    </>
  );
}

/** What is particular about a backup; a verified one without anything particular has one word. */
export function BackupBadges({ backup }: { backup: BackupItem }): VNode {
  return (
    <span class="row tight">
      {backup.incomplete > 0 ? (
        <Badge tone="warn" icon="alert">
          {text.incomplete(backup.incomplete)}
        </Badge>
      ) : null}
      {backup.redacted > 0 ? <Badge tone="warn">{text.redacted(backup.redacted)}</Badge> : null}
      {backup.isEncrypted ? null : <Badge tone="warn">{text.plain}</Badge>}
      {backup.verifiedAtMs === null ? (
        <Badge tone="neutral" icon="clock">
          {text.unverified}
        </Badge>
      ) : (
        <Badge tone="ok" icon="check">
          {text.verified}
        </Badge>
      )}
    </span>
  );
}
