import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { BackupItem } from '../../../shared/contract-backup.ts';
import { displayText } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import type { Chosen } from '../../data/backup-view.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute, type Route } from '../../data/route.ts';
import { formatClock, formatDay, formatFull } from '../../data/time.ts';
import { ErrorCard, Skeleton, useNow, ViewHead } from '../../parts/basics.tsx';
import { strings } from '../../strings.ts';
import { backupText as text } from '../../strings-backups.ts';
import { Inside } from './inside.tsx';
import { RestoreView } from './restore.tsx';

/** One backup: what is in it, and the way to bring it back. What is chosen is kept between the two. */
export function OneBackup({ id, route }: { id: string; route: Route }): VNode {
  const { go } = useApp();
  const { data, error, reload } = useQuery('backups.show', { id }, ['backups']);
  const [chosen, setChosen] = useState<readonly Chosen[]>([]);
  const nowMs = useNow();
  if (data === undefined) {
    return (
      <div class="view">
        <Back />
        <ViewHead title={strings.views.backups} />
        {error === null ? <Skeleton rows={8} tall /> : <ErrorCard error={error} onRetry={reload} />}
      </div>
    );
  }
  const { backup, roots } = data;
  const name =
    backup.tag === null
      ? text.dated(formatDay(backup.createdAtMs, nowMs), formatClock(backup.createdAtMs))
      : text.named(displayText(backup.tag));
  const { restore } = route.params;
  if (restore !== undefined) {
    return (
      <div class="view">
        <Back backup={backup} name={name} />
        <ViewHead
          title={<span title={formatFull(backup.createdAtMs)}>{text.choose.title(name)}</span>}
          lead={text.choose.lead}
        />
        <RestoreView
          key={restore}
          backup={backup}
          chosen={chosen}
          atOnce={restore === 'now'}
          onPick={() => go(formatRoute('backups', { id }))}
        />
      </div>
    );
  }
  return (
    <Inside
      backup={backup}
      roots={roots}
      route={route}
      name={name}
      back={<Back />}
      chosen={chosen}
      onChoose={setChosen}
      onRestore={(entries, atOnce) => {
        setChosen(entries);
        go(formatRoute('backups', { id, restore: atOnce ? 'now' : '1' }));
      }}
    />
  );
}

function Back({ backup, name }: { backup?: BackupItem; name?: string }): VNode {
  return (
    <nav class="trail" aria-label={strings.views.backups}>
      <a href={formatRoute('backups')}>{text.inside.back}</a>
      {backup === undefined ? null : (
        <a href={formatRoute('backups', { id: backup.id })}>{text.inside.title(name ?? '')}</a>
      )}
    </nav>
  );
}
