import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import { useApp } from '../../app-context.ts';
import { isTag, shortId } from '../../data/backup-view.ts';
import { Button, ErrorCard, useTell } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { strings } from '../../strings.ts';
import { backupText } from '../../strings-backups.ts';
import { ProgressLine } from './progress-line.tsx';
import { useBackupProgress } from './use-backup-progress.ts';

const text = backupText.run;

/** A backup now, with a name if wanted. It goes on when the dialog is closed. */
export function RunDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [tag, setTag] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const progress = useBackupProgress(undefined);
  const run = (): void => {
    if (tag !== '' && !isTag(tag)) {
      setWrong(text.tagInvalid);
      return;
    }
    setBusy(true);
    setError(null);
    client
      .call('backups.run', tag === '' ? {} : { tag })
      .then((answer) => {
        tell.ok(wordsOf(answer));
        onClose();
      }, setError)
      .finally(() => {
        setBusy(false);
        onDone();
      });
  };
  return (
    <Dialog title={text.title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) run();
        }}
      >
        <p>{text.text}</p>
        <TextField
          label={text.tag}
          note={text.tagNote}
          value={tag}
          error={wrong}
          autoFocus
          onInput={(value) => {
            setTag(value.trim());
            setWrong(null);
          }}
        />
        {busy && progress !== null ? <ProgressLine progress={progress} /> : null}
        {error === null ? null : <ErrorCard error={error} />}
        <div class="row end">
          <Button onClick={onClose}>{busy ? strings.frame.close : strings.frame.cancel}</Button>
          <Button kind="primary" icon="backups" busy={busy} onClick={run}>
            {busy ? text.working : text.start}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function wordsOf({ backup, isNew, destinations }: MethodOutput<'backups.run'>): string {
  const done = isNew ? text.done(backup.tag ?? shortId(backup)) : text.same(backup.tag ?? shortId(backup));
  const missing = destinations.filter((one) => one.state === 'behind' || one.state === 'needs_you');
  if (missing.length === 0) return done;
  return `${done} ${text.some(missing.map((one) => backupText.destinations[one.kind]).join(', '))}`;
}
