import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import { useApp } from '../../app-context.ts';
import { describeError } from '../../data/describe-error.ts';
import { Button, ErrorCard, Skeleton, useTell } from '../../parts/basics.tsx';
import { TextField } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import { backupText } from '../../strings-backups.ts';
import '../../styles/kit.css';

const text = backupText.kit;
const SHORTEST = 4;
type Kit = MethodOutput<'key.kit'>;
type KitProps = {
  readonly onConfirmed: () => void;
  /** Stands beside the button that confirms. */
  readonly other?: VNode;
};

/** The recovery kit: shown, printed or saved, then confirmed by its ending. It is kept nowhere in the page. */
export function KitBody({ onConfirmed, other }: KitProps): VNode {
  const { client } = useApp();
  const [kit, setKit] = useState<Kit | null>(null);
  const [error, setError] = useState<unknown>(null);
  // Not by a query: those remember their answers, and this one is the key.
  useEffect(() => {
    let wanted = true;
    client.call('key.kit', {}).then(
      (answer) => {
        if (wanted) setKit(answer);
      },
      (failure: unknown) => {
        if (wanted) setError(failure);
      },
    );
    return () => {
      wanted = false;
    };
  }, [client]);
  return (
    <>
      <p class="row tight nowrap-row">
        <Icon name="alert" />
        <span>{text.warning}</span>
      </p>
      {error === null ? null : <ErrorCard error={error} />}
      {kit === null ? (
        error === null ? (
          <Skeleton rows={5} />
        ) : null
      ) : (
        <KitForm kit={kit} onConfirmed={onConfirmed} {...(other === undefined ? {} : { other })} />
      )}
    </>
  );
}

function KitForm({ kit, onConfirmed, other }: { readonly kit: Kit } & KitProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [ending, setEnding] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const save = (): void => {
    saveText(kit.fileName, kit.text);
    tell.ok(text.saved(kit.fileName));
  };
  const confirm = (): void => {
    if (ending.trim().length < SHORTEST) {
      setWrong(text.endingShort);
      return;
    }
    setBusy(true);
    client
      .call('key.confirm', { ending: ending.trim() })
      .then(
        () => {
          tell.ok(text.confirmed);
          onConfirmed();
        },
        (failure: unknown) => {
          const { title, message } = describeError(failure);
          setWrong(message ?? title);
        },
      )
      .finally(() => setBusy(false));
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        confirm();
      }}
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
      <pre class="panel kit-text" tabIndex={0}>
        {kit.text}
      </pre>
      <div class="row">
        <Button icon="file" onClick={() => print()}>
          {text.print}
        </Button>
        <Button icon="down" onClick={save}>
          {text.save}
        </Button>
      </div>
      <TextField
        label={text.ending}
        note={text.endingNote}
        value={ending}
        error={wrong}
        onInput={(value) => {
          setEnding(value);
          setWrong(null);
        }}
      />
      <div class="row end">
        {other ?? null}
        <Button kind="primary" icon="check" busy={busy} disabled={ending.trim() === ''} onClick={confirm}>
          {text.confirm}
        </Button>
      </div>
    </form>
  );
}

function saveText(name: string, content: string): void {
  const address = URL.createObjectURL(new Blob([content], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
