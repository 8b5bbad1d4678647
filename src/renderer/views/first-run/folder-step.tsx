import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { displayPath } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { useStatus } from '../../data/use-status.ts';
import { Button, ErrorCard, useTell } from '../../parts/basics.tsx';
import { TextField } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import type { StepProps } from './first-run.tsx';

const text = strings.firstRun;

/** Which folder? In the desktop app by its dialog, in a browser by its path. */
export function FolderStep({ onNext }: StepProps): VNode {
  const { client } = useApp();
  const roots = useStatus().data?.roots ?? [];
  const [path, setPath] = useState('');
  const [asking, setAsking] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { desktop } = client;

  // Reading a large folder takes a while; it goes on behind the next step.
  const isWatched = asking !== null && roots.length > 0;
  useEffect(() => {
    if (isWatched) onNext();
  }, [isWatched]);

  const add = (wanted: string): void => {
    if (wanted.trim() === '' || asking !== null) return;
    setError(null);
    setAsking(wanted.trim());
    client.call('roots.add', { path: wanted.trim() }).then(onNext, (cause: unknown) => {
      setAsking(null);
      setError(cause);
    });
  };
  const pick = (): void => {
    desktop?.call('desktop.pickFolder', {}).then(({ path: picked }) => {
      if (picked !== null) add(picked);
    }, setError);
  };
  return (
    <div class="stack">
      <p>{text.folderText}</p>
      {roots.map((root) => (
        <p key={root.rootId} class="row tight">
          <Icon name="check" size={16} />
          <span class="path wrap">{displayPath(root.path)}</span>
        </p>
      ))}
      {desktop === null ? (
        <form
          class="add-root"
          onSubmit={(event) => {
            event.preventDefault();
            add(path);
          }}
        >
          <TextField
            label={text.pathLabel}
            placeholder={strings.settings.addPlaceholder}
            value={path}
            onInput={setPath}
            autoFocus
          />
          <Button kind="primary" busy={asking !== null} onClick={() => add(path)}>
            {text.watch}
          </Button>
        </form>
      ) : (
        <div class="row">
          <Button kind="primary" icon="files" busy={asking !== null} onClick={pick}>
            {asking === null ? text.pick : text.picked(displayPath(asking))}
          </Button>
        </div>
      )}
      {error === null ? null : <ErrorCard error={error} />}
      <p class="small muted">{text.folderNote}</p>
      <SampleOffer />
    </div>
  );
}

/** For who wants to look around before choosing anything. */
function SampleOffer(): VNode {
  const { desktop } = useApp().client;
  const tell = useTell();
  const [busy, setBusy] = useState(false);
  const open = (): void => {
    setBusy(true);
    desktop
      ?.call('desktop.openDemo', {})
      .then(() => tell.ok(text.sampleOpens), tell.fail)
      .finally(() => setBusy(false));
  };
  return (
    <div class="row first-run-sample">
      <p class="small muted grow">{text.sampleText}</p>
      {desktop === null ? (
        <code>angles start --demo</code>
      ) : (
        <Button busy={busy} onClick={open}>
          {text.sample}
        </Button>
      )}
    </div>
  );
}
