import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { displayPath, displayText } from '../../../shared/display.ts';
import type { RootInfo } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import { fileName } from '../../data/paths.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { Badge, Button, ErrorCard, Fix, useTell } from '../../parts/basics.tsx';
import { ConfirmDialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { rootLooks } from '../../parts/looks.ts';
import { plural, strings } from '../../strings.ts';

const text = strings.settings;

/** The watched folders: add one, stop watching one. */
export function RootSettings({ focusAdd }: { focusAdd: boolean }): VNode {
  const { client } = useApp();
  const tell = useTell();
  const { data, reload } = useQuery('roots.list', {}, ['status', 'settings']);
  const [path, setPath] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [removing, setRemoving] = useState<RootInfo | null>(null);
  const add = (): void => {
    if (path.trim() === '' || busy) return;
    setBusy(true);
    setError(null);
    client
      .call('roots.add', { path: path.trim() })
      .then(({ root }) => {
        setPath('');
        tell.ok(text.added(displayPath(root.path)));
        reload();
      }, setError)
      .finally(() => setBusy(false));
  };
  const remove = (root: RootInfo): void => {
    client.call('roots.remove', { path: root.path }).then(() => {
      tell.ok(text.removed(displayPath(root.path)));
      reload();
    }, tell.fail);
  };
  return (
    <section class="card" aria-labelledby="root-settings">
      <h2 id="root-settings">{text.folders}</h2>
      <ul class="plain-list">
        {data?.roots.map((root) => {
          const look = rootLooks[root.state];
          return (
            <li key={root.rootId} class="root-line">
              <div class="grow">
                <span class="path wrap">{displayPath(root.path)}</span>
                <p class="row tight small muted">
                  <Badge tone={look.tone} icon={look.icon}>
                    {strings.rootStates[root.state]}
                  </Badge>
                  {plural(root.files, 'file')}
                </p>
                {root.reason === null ? null : <p class="small">{displayText(root.reason)}</p>}
                {root.hold === null ? (
                  root.fix === null ? null : (
                    <Fix text={root.fix} />
                  )
                ) : (
                  <a href={formatRoute('files', { root: String(root.rootId) })}>{text.decide}</a>
                )}
              </div>
              <Button kind="quiet" label={`${text.remove} ${displayPath(root.path)}`} onClick={() => setRemoving(root)}>
                {text.remove}
              </Button>
            </li>
          );
        })}
      </ul>
      <form
        class="add-root"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <TextField
          label={text.addLabel}
          placeholder={text.addPlaceholder}
          value={path}
          onInput={setPath}
          autoFocus={focusAdd}
        />
        <Button kind="primary" icon="plus" busy={busy} onClick={add}>
          {busy ? text.adding : text.add}
        </Button>
      </form>
      {error === null ? null : <ErrorCard error={error} />}
      {removing === null ? null : (
        <ConfirmDialog
          title={text.removeAsk(displayPath(fileName(removing.path)))}
          text={text.removeText}
          confirm={text.remove}
          danger
          onConfirm={() => remove(removing)}
          onClose={() => setRemoving(null)}
        />
      )}
    </section>
  );
}
