import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { RestoreItem, RestorePlanView, RestoreResultView } from '../../../shared/contract-backup.ts';
import { displayPath, displayText, formatBytes } from '../../../shared/display.ts';
import { AppError } from '../../../shared/errors.ts';
import { useApp } from '../../app-context.ts';
import { isConfirmed, needsTyping, planCounts, writesAnything } from '../../data/backup-view.ts';
import { usePages } from '../../data/pages.ts';
import { Badge, Button, CopyButton, Empty, ErrorCard, Fix, Skeleton } from '../../parts/basics.tsx';
import { TextField } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import type { Look } from '../../parts/looks.ts';
import { Cell, VirtualList } from '../../parts/virtual-list.tsx';
import { formatCount } from '../../strings.ts';
import { backupText } from '../../strings-backups.ts';
import { ProgressLine } from './progress-line.tsx';
import { useBackupProgress } from './use-backup-progress.ts';

const text = backupText.plan;
const PAGE = 500;
const LOOKS: Record<RestoreItem['action'], Look> = {
  new: { tone: 'ok', icon: 'added' },
  overwrite: { tone: 'warn', icon: 'edit' },
  unchanged: { tone: 'neutral', icon: 'check' },
  extra: { tone: 'neutral', icon: 'file' },
  insert: { tone: 'ok', icon: 'added' },
  update: { tone: 'warn', icon: 'edit' },
  same: { tone: 'neutral', icon: 'check' },
  refused: { tone: 'error', icon: 'deleted' },
};

type PlanProps = {
  readonly plan: RestorePlanView;
  readonly onChange: () => void;
  readonly onPlanAgain: () => void;
  readonly onDone: (result: RestoreResultView) => void;
};

/** What a restore would do, to the last item, before it does any of it. */
export function PlanView({ plan, onChange, onPlanAgain, onDone }: PlanProps): VNode {
  const [action, setAction] = useState<RestoreItem['action'] | null>(null);
  return (
    <>
      <section class="card plan-card" aria-labelledby="plan-title">
        <h2 id="plan-title" tabIndex={-1}>
          {text.title}
        </h2>
        <Target plan={plan} />
        <ul class="plan-counts">
          {planCounts(plan).map((one) => (
            <li key={one.action}>
              <button
                type="button"
                class={`plan-count tone-${LOOKS[one.action].tone}`}
                aria-pressed={action === one.action}
                onClick={() => setAction(action === one.action ? null : one.action)}
              >
                <span class="row tight">
                  <Icon name={LOOKS[one.action].icon} size={16} />
                  {backupText.actions[one.action]}
                </span>
                <strong class="numbers">{formatCount(one.count)}</strong>
              </button>
            </li>
          ))}
        </ul>
        <p class="small muted">
          {text.bytes(formatBytes(plan.bytesToWrite), plan.bytesFree === null ? null : formatBytes(plan.bytesFree))}
        </p>
        {plan.warnings.map((warning) => (
          <p key={warning} class="note warn row tight nowrap-row">
            <Icon name="alert" size={16} />
            <span class="wrap">{displayText(warning)}</span>
          </p>
        ))}
      </section>
      <PlanItems plan={plan} action={action} />
      <Confirm plan={plan} onChange={onChange} onPlanAgain={onPlanAgain} onDone={onDone} />
    </>
  );
}

function Target({ plan }: { plan: RestorePlanView }): VNode {
  if (plan.target === null) return <p>{plan.inPlace ? text.inPlace : text.tablesOnly}</p>;
  return (
    <div class="plan-target">
      <p class="small muted">{text.beside}</p>
      <p class="row tight">
        <code class="wrap">{displayPath(plan.target)}</code>
        <CopyButton text={plan.target} />
      </p>
    </div>
  );
}

function PlanItems({ plan, action }: { plan: RestorePlanView; action: RestoreItem['action'] | null }): VNode {
  const { client } = useApp();
  const pages = usePages<RestoreItem>(JSON.stringify([plan.planId, action]), async (cursor) => {
    const answer = await client.call('restore.items', {
      planId: plan.planId,
      limit: PAGE,
      cursor,
      ...(action === null ? {} : { action }),
    });
    return { items: answer.items, next: answer.next };
  });
  if (pages.error !== null) return <ErrorCard error={pages.error} onRetry={pages.reload} />;
  if (pages.items.length === 0) {
    return pages.loading ? (
      <Skeleton rows={6} />
    ) : (
      <Empty icon="check" title={text.noneOf} text={action === null ? text.nothing : backupText.actions[action]} />
    );
  }
  return (
    <VirtualList
      key={action ?? 'all'}
      class="panel plan-items"
      label={text.items}
      items={pages.items}
      rowHeight={46}
      keyOf={(item) => `${item.action} ${item.target}`}
      onNearEnd={pages.readMore}
      render={(item) => <ItemRow item={item} />}
    />
  );
}

function ItemRow({ item }: { item: RestoreItem }): VNode {
  const look = LOOKS[item.action];
  return (
    <>
      <Cell class="file-cell">
        <span class="file-text">
          <span class="cut path" title={displayPath(item.target)}>
            {displayPath(item.target)}
          </span>
          {item.note === null ? null : <span class="cut small warn-text">{displayText(item.note)}</span>}
        </span>
      </Cell>
      <Cell class="state-cell">
        <Badge tone={look.tone} icon={look.icon}>
          {backupText.actions[item.action]}
        </Badge>
      </Cell>
      <Cell class="numbers small muted cell-size">{item.path === null ? '' : formatBytes(item.sizeBytes)}</Cell>
    </>
  );
}

/** The last step before something is written: typed where something is replaced. */
function Confirm({ plan, onChange, onPlanAgain, onDone }: PlanProps): VNode {
  const { client } = useApp();
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const progress = useBackupProgress(undefined);
  const files = plan.counts.created + plan.counts.overwritten;
  const ready = plan.problem === null && writesAnything(plan) && isConfirmed(plan, typed);
  const apply = (): void => {
    setBusy(true);
    setError(null);
    client
      .call('restore.apply', { planId: plan.planId, confirm: plan.confirmWith })
      .then(onDone, (failure: unknown) => {
        setBusy(false);
        setError(failure);
      });
  };
  const isOld = error instanceof AppError && error.code === 'restore.plan_changed';
  return (
    <form
      class="card confirm-card"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && !busy) apply();
      }}
    >
      {plan.problem === null ? null : (
        <div class="remote-reason needs_you" role="alert">
          <p class="wrap">{displayText(plan.problem.message)}</p>
          <Fix text={backupText.fixes[plan.problem.code] ?? plan.problem.fix} />
        </div>
      )}
      {writesAnything(plan) ? null : <p>{text.nothing}</p>}
      {needsTyping(plan) && writesAnything(plan) ? (
        <TextField
          label={text.confirmLabel(plan.confirmWith)}
          note={text.confirmNote}
          value={typed}
          onInput={setTyped}
        />
      ) : null}
      {error === null ? null : isOld ? <ErrorCard error={error} onRetry={onPlanAgain} /> : <ErrorCard error={error} />}
      {busy && progress !== null ? <ProgressLine progress={progress} /> : null}
      {busy && progress === null ? <p class="small muted">{backupText.progress.close}</p> : null}
      <div class="row end">
        <Button disabled={busy} onClick={onChange}>
          {text.change}
        </Button>
        <Button
          kind={needsTyping(plan) ? 'danger' : 'primary'}
          icon="restore"
          busy={busy}
          disabled={!ready}
          onClick={apply}
        >
          {busy
            ? text.applying
            : files > 0
              ? text.apply(files, formatBytes(plan.bytesToWrite))
              : text.applyRows(plan.counts.rowsInserted + plan.counts.rowsUpdated)}
        </Button>
      </div>
    </form>
  );
}
