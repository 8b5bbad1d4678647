import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { displayPath, formatBytes } from '../../../shared/display.ts';
import type { FileEntry, Snapshot } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import { absolutePath, fileName, suggestedCopyPath } from '../../data/paths.ts';
import { formatFull } from '../../data/time.ts';
import { Button, ErrorCard, useTell } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { strings } from '../../strings.ts';

const text = strings.restore;

type RestoreProps = { file: FileEntry; snapshot: Snapshot; onClose: () => void };

/** Brings a version back: as a copy beside the file, or in its place after a safety version, with a way to undo. */
export function RestoreDialog({ file, snapshot, onClose }: RestoreProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const original = absolutePath(file);
  const name = displayPath(fileName(file.path));
  const suggested = suggestedCopyPath(original, snapshot.capturedAtMs);
  // A name that cannot be typed is not offered for editing: the agent then names the copy itself.
  const editable = displayPath(suggested) === suggested;
  const [target, setTarget] = useState(suggested);
  const [inPlace, setInPlace] = useState(false);
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const undo = (snapshotId: string): void => {
    client
      .call('files.restore', { path: original, version: { snapshotId }, inPlace: true })
      .then(() => tell.ok(text.undone(name)), tell.fail);
  };
  const restore = (): void => {
    setBusy(true);
    setError(null);
    client
      .call('files.restore', {
        path: original,
        version: { snapshotId: snapshot.snapshotId },
        ...(inPlace ? { inPlace: true } : editable ? { to: target } : {}),
      })
      .then(
        ({ writtenTo, safetySnapshotId }) => {
          onClose();
          if (!inPlace) tell.ok(text.doneCopy(displayPath(writtenTo)));
          else if (safetySnapshotId === null) tell.ok(text.doneInPlace(name));
          else tell.ok(text.doneInPlace(name), { label: text.undo, run: () => undo(safetySnapshotId) });
        },
        (failure: unknown) => {
          setBusy(false);
          setError(failure);
        },
      );
  };

  return (
    <Dialog title={text.title(name)} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!inPlace || sure) restore();
        }}
      >
        <p class="muted">{text.version(formatFull(snapshot.capturedAtMs), formatBytes(snapshot.sizeBytes))}</p>
        <Option checked={!inPlace} title={text.copy} note={text.copyText} onChoose={() => setInPlace(false)} />
        {inPlace ? null : editable ? (
          <TextField label={text.target} value={target} onInput={setTarget} />
        ) : (
          <p class="path small wrap">
            {text.target}: {displayPath(suggested)}
          </p>
        )}
        <Option checked={inPlace} title={text.inPlace} note={text.inPlaceText} onChoose={() => setInPlace(true)} />
        {inPlace ? (
          <label class="check-line">
            <input type="checkbox" checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} />
            <span class="wrap">
              {text.confirm(name)}
              <br />
              <span class="path small muted">{displayPath(original)}</span>
            </span>
          </label>
        ) : null}
        {error === null ? null : <ErrorCard error={error} />}
        <div class="row end">
          <Button onClick={onClose}>{strings.frame.cancel}</Button>
          <Button
            kind={inPlace ? 'danger' : 'primary'}
            icon="restore"
            busy={busy}
            disabled={inPlace && !sure}
            onClick={restore}
          >
            {busy ? text.working : inPlace ? text.doInPlace(name) : text.doCopy}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

type OptionProps = { checked: boolean; title: string; note: string; onChoose: () => void };
function Option({ checked, title, note, onChoose }: OptionProps): VNode {
  return (
    <label class="option">
      <input type="radio" name="restore-where" checked={checked} onChange={onChoose} />
      <span>
        <strong>{title}</strong>
        <br />
        <span class="small muted">{note}</span>
      </span>
    </label>
  );
}
