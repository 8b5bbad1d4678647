import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RestoreResultView } from '../../../shared/contract-backup.ts';
import { displayPath, displayText, formatDuration } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { formatRoute } from '../../data/route.ts';
import { Button, CopyButton, When } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { backupText } from '../../strings-backups.ts';
import { useUndo } from './restores.tsx';

const text = backupText.result;

/** What a restore did, what it could not do, and the way back. */
export function RestoreResult({ result }: { result: RestoreResultView }): VNode {
  const { go } = useApp();
  const undo = useUndo();
  const [busy, setBusy] = useState(false);
  const [undone, setUndone] = useState(false);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  const takeBack = (): void => {
    setBusy(true);
    undo(result.restoreId)
      .then(setUndone)
      .finally(() => setBusy(false));
  };
  const complete = result.failed.length === 0;
  return (
    <section class={`card result-card ${complete ? '' : 'partly'}`}>
      <div class="row tight">
        <Icon name={undone ? 'restore' : complete ? 'safe' : 'alert'} size={26} />
        <h2 ref={title} tabIndex={-1}>
          {undone ? text.undone : complete ? text.title : text.partly}
        </h2>
      </div>
      <p>{text.summary(result.written, result.overwritten, formatDuration(result.durationMs))}</p>
      {result.rowsInserted + result.rowsUpdated === 0 ? null : (
        <p>{text.rows(result.rowsInserted, result.rowsUpdated)}</p>
      )}
      {result.target === null || undone ? null : (
        <div class="plan-target">
          <p class="small muted">{text.at}</p>
          <p class="row tight">
            <code class="wrap">{displayPath(result.target)}</code>
            <CopyButton text={result.target} label={text.copy} />
          </p>
        </div>
      )}
      {complete ? null : (
        <div>
          <h3>{text.failed}</h3>
          <ul class="bullet-list">
            {result.failed.map((one) => (
              <li key={one.target} class="wrap">
                <span class="path">{displayPath(one.target)}</span>: {displayText(one.reason)}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div class="row">
        {result.undoUntilMs === null || undone ? null : (
          <>
            <Button icon="restore" busy={busy} onClick={takeBack}>
              {text.undo}
            </Button>
            <span class="small muted">
              {text.until} <When timeMs={result.undoUntilMs} />
            </span>
          </>
        )}
        <span class="push">
          <Button kind="primary" onClick={() => go(formatRoute('backups'))}>
            {text.back}
          </Button>
        </span>
      </div>
    </section>
  );
}
