import type { VNode } from 'preact';
import type { BackupProgressView } from '../../../shared/contract-backup.ts';
import { displayText, formatBytes } from '../../../shared/display.ts';
import { backupShare } from '../../data/backup-view.ts';
import { formatEta } from '../../data/time.ts';
import { backupText } from '../../strings-backups.ts';
import { useSpoken } from '../overview/progress-panel.tsx';

const text = backupText.progress;

/** What runs: phase, items, bytes, an estimate once it is honest, and that the window may be closed. */
export function ProgressLine({ progress }: { progress: BackupProgressView }): VNode {
  const share = backupShare(progress);
  const name = backupText.operations[progress.operation];
  const words = [
    displayText(progress.phase),
    progress.totalItems > 0 ? text.of(progress.doneItems, progress.totalItems) : '',
    progress.totalBytes > 0 ? `${formatBytes(progress.doneBytes)} / ${formatBytes(progress.totalBytes)}` : '',
    progress.etaMs === null ? '' : formatEta(progress.etaMs),
  ].filter((word) => word !== '');
  const spoken = useSpoken(`${name}: ${words.join(', ')}`);
  return (
    <section class="card progress-card" aria-label={name}>
      <div class="row between">
        <h2>{name}</h2>
        <span class="small muted numbers">{words.join(', ')}</span>
      </div>
      <div
        class={share === null ? 'bar unknown' : 'bar'}
        role="progressbar"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={share === null ? undefined : Math.round(share * 100)}
        aria-valuetext={spoken}
      >
        <span style={{ width: `${share === null ? 100 : share * 100}%` }} />
      </div>
      <p class="small muted">{text.close}</p>
    </section>
  );
}
