import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { QueueEntry } from '../../../shared/contract-sync.ts';
import { displayPath } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { keyOf, keyText } from '../../data/sync-view.ts';
import { Button, ErrorCard, useTell } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { strings } from '../../strings.ts';
import { syncText } from '../../strings-sync.ts';

const text = syncText.discard;
const SHOWN = 8;

type DiscardProps = { entries: readonly QueueEntry[]; onClose: () => void; onDone: () => void };

/** Takes entries out of the queue after a copy of them is in a file. */
export function DiscardDialog({ entries, onClose, onDone }: DiscardProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [file, setFile] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const discard = (): void => {
    setBusy(true);
    setError(null);
    client
      .call('queue.discard', {
        keys: entries.slice(0, 1_000).map(keyOf),
        ...(file.trim() === '' ? {} : { exportTo: file.trim() }),
      })
      .then(
        ({ discarded, exportedTo }) => {
          tell.ok(text.done(discarded, displayPath(exportedTo)));
          onClose();
          onDone();
        },
        (failure: unknown) => {
          setBusy(false);
          setError(failure);
        },
      );
  };
  return (
    <Dialog title={text.title(entries.length)} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          discard();
        }}
      >
        <p>{text.text}</p>
        <ul class="bullet-list small">
          {entries.slice(0, SHOWN).map((entry) => (
            <li key={keyText(entry)} class="wrap">
              {displayPath(entry.title)}
            </li>
          ))}
          {entries.length > SHOWN ? <li>…</li> : null}
        </ul>
        <TextField label={text.file} note={text.fileNote} value={file} onInput={setFile} />
        {error === null ? null : <ErrorCard error={error} />}
        <div class="row end">
          <Button onClick={onClose}>{strings.frame.cancel}</Button>
          <Button kind="danger" busy={busy} onClick={discard}>
            {text.confirm}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
