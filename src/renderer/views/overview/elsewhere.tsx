/** What the first page says of sync and backups: what needs the person, the remotes, and how old the last proof is. */
import type { VNode } from 'preact';
import type { BackupStatus } from '../../../shared/contract-backup.ts';
import type { SyncStatus } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import type { Remote } from '../../../shared/model.ts';
import { type Need, needsOf } from '../../data/needs.ts';
import { formatRoute } from '../../data/route.ts';
import { Badge, When } from '../../parts/basics.tsx';
import { Icon, type IconName } from '../../parts/icon.tsx';
import { backupLooks, syncLooks } from '../../parts/looks.ts';
import { strings } from '../../strings.ts';

const text = strings.overview;
const ICONS: Record<Need['kind'], IconName> = {
  interrupted_restore: 'restore',
  safe_mode: 'pause',
  hold: 'alert',
  remote: 'alert',
  paused: 'pause',
  backup: 'alert',
  kit: 'key',
  proof: 'clock',
  parked: 'archive',
  conflicts: 'conflicts',
};

function titleOf({ kind, of, count }: Need): string {
  const name = text.remoteNames[of as Remote] ?? of;
  switch (kind) {
    case 'hold':
    case 'remote':
      return text.needs[kind](name);
    case 'paused':
    case 'parked':
      return text.needs[kind](name, count);
    case 'conflicts':
      return text.needs.conflicts(count);
    default:
      return text.needs[kind];
  }
}

/** What needs the person, one line each, with the way to it. */
export function Needs({ sync, backup }: { sync: SyncStatus; backup: BackupStatus | undefined }): VNode | null {
  const needs = needsOf(sync, backup);
  if (needs.length === 0) return null;
  return (
    <ul class="card needs" aria-label={text.attention}>
      {needs.map((need) => {
        const reason = need.kind === 'kit' ? text.needs.kitText : need.reason;
        return (
          <li key={`${need.kind} ${need.of}`}>
            <Icon name={ICONS[need.kind]} />
            <p class="grow">
              <strong>{titleOf(need)}</strong>
              {reason === null ? null : <span class="small muted wrap need-reason">{displayText(reason)}</span>}
            </p>
            <a class="button plain" href={need.href} aria-label={`${text.needActs[need.kind]}: ${titleOf(need)}`}>
              {text.needActs[need.kind]}
            </a>
          </li>
        );
      })}
    </ul>
  );
}

/** The remotes in a line each. */
export function Remotes({ sync }: { sync: SyncStatus }): VNode {
  return (
    <section class="card">
      <h2>{text.remotes}</h2>
      <ul class="folder-list">
        {sync.remotes.map((one) => {
          const look = syncLooks[one.state];
          const waiting = one.pending + one.leased;
          return (
            <li key={one.remote}>
              <a href={formatRoute('sync')}>
                <span class="folder-name">{text.remoteNames[one.remote]}</span>
                <Badge tone={look.tone} icon={look.icon}>
                  {text.remoteStates[one.state]}
                </Badge>
                <span class="small muted">
                  {one.configured ? (
                    <>
                      {waiting > 0 ? `${text.waitsRemote(waiting, text.remoteNames[one.remote])}, ` : ''}
                      {one.lastSuccessAtMs === null ? (
                        text.neverSent
                      ) : (
                        <>
                          {text.lastSent} <When timeMs={one.lastSuccessAtMs} ago />
                        </>
                      )}
                    </>
                  ) : (
                    text.remoteOff(text.remoteNames[one.remote])
                  )}
                </span>
              </a>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Whether there are backups, and how old the last proof is that one can be restored. */
export function BackupCard({ status }: { status: BackupStatus | undefined }): VNode | null {
  if (status === undefined) return null;
  const look = backupLooks[status.state];
  const { lastBackupAtMs, lastProvenAtMs, unsavedChanges } = status;
  return (
    <section class="card">
      <h2>{text.backups}</h2>
      <ul class="folder-list">
        <li>
          <a href={formatRoute('backups')}>
            <span class="folder-name">{displayText(status.summary)}</span>
            <span class={`backup-mark tone-${look.tone}`}>
              <Icon name={look.icon} />
            </span>
            <span class="small muted">
              {text.lastBackup}: {lastBackupAtMs === null ? text.backupNone : <When timeMs={lastBackupAtMs} ago />}
            </span>
            <span class={`small ${status.proofIsStale ? 'folder-reason' : 'muted'}`}>
              {text.lastProven}:{' '}
              {lastProvenAtMs === null ? (
                lastBackupAtMs === null ? (
                  text.backupNone
                ) : (
                  text.proofNone
                )
              ) : (
                <When timeMs={lastProvenAtMs} ago />
              )}
            </span>
            {unsavedChanges > 0 ? <span class="small muted">{text.unsaved(unsavedChanges)}</span> : null}
          </a>
        </li>
      </ul>
    </section>
  );
}
