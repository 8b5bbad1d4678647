import type { VNode } from 'preact';
import type { BackupStatus } from '../../../shared/contract-backup.ts';
import { displayText, formatDuration } from '../../../shared/display.ts';
import { type Proof, proofOf } from '../../data/backup-view.ts';
import { Fix, When } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { backupLooks } from '../../parts/looks.ts';
import { backupText as text } from '../../strings-backups.ts';

const PROOF_ICONS = { nothing: 'off', none: 'alert', stale: 'clock', failed: 'error', fresh: 'safe' } as const;
const PROOF_TONES: Record<Proof, string> = { nothing: '', none: 'warn', stale: 'warn', failed: 'error', fresh: 'ok' };

/** Whether everything is in a backup, and how old the last proof is that one can be restored. */
export function StatusCard({ status }: { status: BackupStatus }): VNode {
  const look = backupLooks[status.state];
  const proof = proofOf(status);
  const when = (timeMs: number | null): VNode | string => (timeMs === null ? text.never : <When timeMs={timeMs} ago />);
  return (
    <section class="card backup-status" aria-label={text.states[status.state]}>
      <div class="backup-head">
        <span class={`backup-emblem tone-${look.tone}`}>
          <Icon name={look.icon} size={30} />
        </span>
        <div class="stack">
          <div role="status">
            <p class="eyebrow">{text.states[status.state]}</p>
            <h2>{displayText(status.summary)}</h2>
          </div>
          {status.problem === null || status.interruptedRestore !== null ? null : (
            <div class="remote-reason needs_you">
              <p class="wrap">{displayText(status.problem.message)}</p>
              <Fix text={text.fixes[status.problem.code] ?? status.problem.fix} />
            </div>
          )}
        </div>
        <div class={`proof ${PROOF_TONES[proof]}`}>
          <Icon name={PROOF_ICONS[proof]} />
          <p>
            <span class="small">{text.facts.proven}</span>
            <br />
            <strong>{when(status.lastProvenAtMs)}</strong>
            <br />
            <span class="small">{text.proof[proof]}</span>
          </p>
        </div>
      </div>
      <dl class="fact-grid">
        <div>
          <dt>{text.facts.last}</dt>
          <dd>{when(status.lastBackupAtMs)}</dd>
        </div>
        <div>
          <dt>{text.facts.verified}</dt>
          <dd>{when(status.lastVerifiedAtMs)}</dd>
        </div>
        <div>
          <dt>{text.facts.unsaved}</dt>
          <dd>{status.unsavedChanges === 0 ? text.nothing : text.changes(status.unsavedChanges)}</dd>
        </div>
        {status.nextAtMs === null ? null : (
          <div>
            <dt>{text.facts.next}</dt>
            <dd>
              <When timeMs={status.nextAtMs} ago />
            </dd>
          </div>
        )}
      </dl>
      <Receipt status={status} />
      {status.warnings.length === 0 ? null : (
        <ul class="plain-list">
          {status.warnings.map((warning) => (
            <li key={warning} class="row tight">
              <Icon name="info" size={16} />
              <span class="wrap">{displayText(warning)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Receipt({ status }: { status: BackupStatus }): VNode {
  const receipt = status.lastDrill;
  if (receipt === null) return <p class="small muted">{text.noReceipt}</p>;
  const took = formatDuration(receipt.durationMs);
  return (
    <>
      <p class="small muted">{text.receipt(receipt.files, receipt.rows, took)}</p>
      {receipt.differences.length === 0 ? null : (
        <details>
          <summary>{text.differences}</summary>
          <ul class="bullet-list small">
            {receipt.differences.map((line) => (
              <li key={line} class="wrap">
                {displayText(line)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
