import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { attentionPlace } from '../../../shared/attention-place.ts';
import type { AgentStatus } from '../../../shared/contract.ts';
import { displayPath, displayText } from '../../../shared/display.ts';
import type { RootInfo } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import { fileName } from '../../data/paths.ts';
import { formatRoute } from '../../data/route.ts';
import { Button, Fix, useTell, When } from '../../parts/basics.tsx';
import { ConfirmDialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';

/** What a person must decide or mend, worst first, each with its button. */
export function Attention({ status }: { status: AgentStatus }): VNode | null {
  if (status.attention.length === 0) return null;
  return (
    <section class="stack" aria-labelledby="attention-title">
      <h2 id="attention-title" class="visually-hidden">
        {strings.overview.attention}
      </h2>
      {status.attention.map((item) => {
        const root = status.roots.find((one) => one.rootId === item.rootId);
        return root !== undefined && root.hold !== null ? (
          <HoldCard key={`${item.code} ${root.rootId}`} root={root} />
        ) : (
          <AttentionCard
            key={`${item.code} ${item.message}`}
            item={item}
            root={root}
            said={item.message === status.safety.summary}
          />
        );
      })}
    </section>
  );
}

type AttentionItem = AgentStatus['attention'][number];
type CardProps = { item: AttentionItem; root: RootInfo | undefined; said: boolean };
function AttentionCard({ item, root, said }: CardProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState(false);
  const check = (): void => {
    if (root === undefined) return;
    setBusy(true);
    client
      .call('scan.run', { path: root.path })
      .catch(tell.fail)
      .finally(() => setBusy(false));
  };
  return (
    <article class="card attention-card">
      <Icon name="alert" size={22} />
      <div class="stack">
        {/* The headline of the page may have said it already. */}
        <h3 class={said ? 'visually-hidden' : 'wrap'}>{displayText(item.message)}</h3>
        <Fix text={item.fix} />
        {root === undefined ? (
          <WayThere code={item.code} />
        ) : (
          <div class="row">
            <Button kind="primary" busy={busy} onClick={check}>
              {strings.hold.check}
            </Button>
          </div>
        )}
      </div>
    </article>
  );
}

/** The page where it is mended, for what is not mended here. */
function WayThere({ code }: { code: string }): VNode | null {
  const place = attentionPlace(code);
  if (place === 'overview') return null;
  return (
    <div class="row">
      <a class="button" href={formatRoute(place)}>
        {strings.overview.goTo(strings.views[place])}
      </a>
    </div>
  );
}

/** Many files are gone at once: the person says which it was. */
export function HoldCard({ root }: { root: RootInfo }): VNode | null {
  const { client } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState<'accept' | 'check' | null>(null);
  const [asking, setAsking] = useState(false);
  const { hold } = root;
  if (hold === null) return null;
  const text = strings.hold;
  const decide = (decision: 'accept' | 'check'): void => {
    setBusy(decision);
    client
      .call('roots.decide', { path: root.path, decision })
      .then(({ result }) => {
        if (decision === 'accept') tell.ok(text.accepted(result.deleted));
        else tell.ok(result.heldDeletes > 0 ? text.still(result.heldDeletes) : text.released);
      }, tell.fail)
      .finally(() => setBusy(null));
  };
  return (
    <article class="card attention-card">
      <Icon name="alert" size={22} />
      <div class="stack grow">
        <div>
          <h3>{text.title(hold.deletes, hold.total)}</h3>
          <p class="path wrap">{displayPath(root.path)}</p>
        </div>
        <p>{text.text}</p>
        <details>
          <summary>{text.sample}</summary>
          <ul class="plain-list path small">
            {hold.sample.map((path) => (
              <li key={path} class="wrap">
                {displayPath(path)}
              </li>
            ))}
          </ul>
          <p class="small muted">
            {text.since} <When timeMs={hold.sinceMs} ago />
          </p>
        </details>
        <div class="answers">
          <div>
            <Button kind="primary" busy={busy === 'check'} onClick={() => decide('check')}>
              {text.check}
            </Button>
            <p class="small muted">{text.checkText}</p>
          </div>
          <div>
            <Button busy={busy === 'accept'} onClick={() => setAsking(true)}>
              {text.accept}
            </Button>
            <p class="small muted">{text.acceptText}</p>
          </div>
        </div>
      </div>
      {asking ? (
        <ConfirmDialog
          title={text.confirm(displayPath(fileName(root.path)))}
          text={text.acceptText}
          confirm={text.accept}
          onConfirm={() => decide('accept')}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </article>
  );
}
