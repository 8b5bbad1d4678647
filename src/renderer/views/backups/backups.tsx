import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { BackupStatus } from '../../../shared/contract-backup.ts';
import { displayPath, displayText, formatDuration } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute, type Route } from '../../data/route.ts';
import { Button, ErrorCard, Skeleton, useTell, ViewHead } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { backupText as text } from '../../strings-backups.ts';
import '../../styles/sync.css';
import '../../styles/backups.css';
import { Destinations } from './destinations.tsx';
import { KeyCard } from './key-card.tsx';
import { KitDialog } from './kit-dialog.tsx';
import { OneBackup } from './one-backup.tsx';
import { ProgressLine } from './progress-line.tsx';
import { Restores } from './restores.tsx';
import { RunDialog } from './run-dialog.tsx';
import { StatusCard } from './status-card.tsx';
import { Timeline } from './timeline.tsx';
import { useBackupProgress } from './use-backup-progress.ts';

/** Backups and restore: what is safe where, since when it is proven, and the way back to every one. */
export function BackupsView({ route }: { route: Route }): VNode {
  const { id } = route.params;
  return id === undefined ? <BackupsHome route={route} /> : <OneBackup key={id} id={id} route={route} />;
}

function BackupsHome({ route }: { route: Route }): VNode {
  const { replace } = useApp();
  const { data: status, error, reload } = useQuery('backups.status', {}, ['backups']);
  const progress = useBackupProgress(status?.progress);
  // In the place, so that a link from anywhere opens them.
  const openKit = (): void => replace(formatRoute('backups', { kit: '1' }));
  const openRun = (): void => replace(formatRoute('backups', { run: '1' }));
  const close = (): void => replace(formatRoute('backups'));
  return (
    <div class="view">
      <ViewHead title={strings.views.backups} lead={text.lead}>
        <DrillButton status={status} onDone={reload} />
        <Button kind="primary" icon="backups" onClick={openRun}>
          {text.now}
        </Button>
      </ViewHead>
      {status === undefined ? (
        error === null ? (
          <Skeleton rows={8} tall />
        ) : (
          <ErrorCard error={error} onRetry={reload} />
        )
      ) : (
        <>
          {status.interruptedRestore === null ? null : (
            <Interrupted restore={status.interruptedRestore} onDone={reload} />
          )}
          {progress === null ? null : <ProgressLine progress={progress} />}
          <StatusCard status={status} />
          {status.key.kind !== 'none' && status.key.kitConfirmedAtMs === null && status.key.source === 'generated' ? (
            <KitCard onOpen={openKit} />
          ) : null}
          <Destinations status={status} onKit={openKit} onChanged={reload} />
          <Timeline empty={openRun} />
          <div class="columns">
            <Restores />
            <KeyCard backupKey={status.key} onKit={openKit} onChanged={reload} />
          </div>
        </>
      )}
      {route.params.kit === undefined ? null : <KitDialog onClose={close} onConfirmed={reload} />}
      {route.params.run === undefined ? null : <RunDialog onClose={close} onDone={reload} />}
    </div>
  );
}

function DrillButton({ status, onDone }: { status: BackupStatus | undefined; onDone: () => void }): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState(false);
  const drill = (): void => {
    setBusy(true);
    client
      .call('backups.drill', {})
      .then(({ receipt }) => {
        if (receipt.passed) tell.ok(text.drilled(receipt.files, formatDuration(receipt.durationMs)));
        else tell.problem(text.drillFailed(receipt.differences.length));
      }, tell.fail)
      .finally(() => {
        setBusy(false);
        onDone();
      });
  };
  return (
    <Button icon="safe" busy={busy} disabled={status?.lastBackupAtMs === null} onClick={drill}>
      {busy ? text.drilling : text.drill}
    </Button>
  );
}

function KitCard({ onOpen }: { onOpen: () => void }): VNode {
  return (
    <article class="card attention-card">
      <Icon name="key" size={22} />
      <div class="stack">
        <h2>{text.kit.cardTitle}</h2>
        <p>{text.kit.cardText}</p>
        <div class="row">
          <Button kind="primary" icon="key" onClick={onOpen}>
            {text.kit.open}
          </Button>
        </div>
      </div>
    </article>
  );
}

type InterruptedProps = { restore: NonNullable<BackupStatus['interruptedRestore']>; onDone: () => void };
/** A restore that was cut off: both ways out of it are safe. */
function Interrupted({ restore, onDone }: InterruptedProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState<'resume' | 'undo' | null>(null);
  const words = text.interrupted;
  const act = (what: 'resume' | 'undo'): void => {
    setBusy(what);
    const answer =
      what === 'resume'
        ? client.call('restore.resume', {})
        : client.call('restore.undo', { restoreId: restore.restoreId });
    answer
      .then((result) => {
        if (what === 'undo') tell.ok(text.restores.undone);
        else if (result.failed.length > 0) tell.problem(displayText(result.failed[0]?.reason ?? ''));
        else tell.ok(words.resumed(result.written + result.overwritten));
      }, tell.fail)
      .finally(() => {
        setBusy(null);
        onDone();
      });
  };
  return (
    <article class="card attention-card">
      <Icon name="alert" size={22} />
      <div class="stack">
        <h2>{words.title}</h2>
        <p class="wrap">{words.text(displayPath(restore.target))}</p>
        <div class="answers">
          <div>
            <Button kind="primary" icon="restore" busy={busy === 'resume'} onClick={() => act('resume')}>
              {words.resume}
            </Button>
            <p class="small muted">{words.resumeText}</p>
          </div>
          <div>
            <Button busy={busy === 'undo'} onClick={() => act('undo')}>
              {words.undo}
            </Button>
            <p class="small muted">{words.undoText}</p>
          </div>
        </div>
      </div>
    </article>
  );
}
