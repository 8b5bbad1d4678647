import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { RestoreRun } from '../../../shared/contract-backup.ts';
import { displayPath } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { useQuery } from '../../data/query.ts';
import { Badge, Button, useTell, When } from '../../parts/basics.tsx';
import { ConfirmDialog } from '../../parts/dialog.tsx';
import type { Look } from '../../parts/looks.ts';
import { backupText } from '../../strings-backups.ts';

const text = backupText.restores;
const LOOKS: Record<RestoreRun['state'], Look> = {
  done: { tone: 'ok', icon: 'check' },
  undone: { tone: 'neutral', icon: 'restore' },
  interrupted: { tone: 'warn', icon: 'alert' },
  failed: { tone: 'error', icon: 'error' },
};

/** What was restored before, and the way back from it while there is one. */
export function Restores(): VNode | null {
  const { data } = useQuery('restore.list', { limit: 10 }, ['backups']);
  const [asking, setAsking] = useState<RestoreRun | null>(null);
  const undo = useUndo();
  if (data === undefined || data.restores.length === 0) return <span />;
  return (
    <section class="card">
      <h2>{text.title}</h2>
      <ul class="restore-runs">
        {data.restores.map((run) => (
          <li key={run.restoreId} class="row between">
            <p class="grow">
              <Badge tone={LOOKS[run.state].tone} icon={LOOKS[run.state].icon}>
                {text.states[run.state]}
              </Badge>{' '}
              <When timeMs={run.startedAtMs} />
              <br />
              <span class="small muted wrap">
                {text.counts(run.written, run.overwritten)},{' '}
                {run.target === null ? text.inPlace : text.to(displayPath(run.target))}
                {run.undoUntilMs === null ? null : (
                  <>
                    {`; ${text.undoUntil} `}
                    <When timeMs={run.undoUntilMs} />
                  </>
                )}
              </span>
            </p>
            {run.state === 'done' && run.undoUntilMs !== null ? (
              <Button icon="restore" onClick={() => setAsking(run)}>
                {text.undo}
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
      {asking === null ? null : (
        <ConfirmDialog
          title={text.undoAsk}
          text={text.undoText}
          confirm={text.undo}
          onConfirm={() => undo(asking.restoreId)}
          onClose={() => setAsking(null)}
        />
      )}
    </section>
  );
}

/** Gives back what was there before a restore, and says so; answers whether it could. */
export function useUndo(): (restoreId: string) => Promise<boolean> {
  const { client } = useApp();
  const tell = useTell();
  return async (restoreId) => {
    try {
      await client.call('restore.undo', { restoreId });
      tell.ok(text.undone);
      return true;
    } catch (error) {
      tell.fail(error);
      return false;
    }
  };
}
