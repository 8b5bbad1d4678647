import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Conflict } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { type ConflictAnswer, defaultAnswer, editedValue, valueText } from '../../data/conflict-view.ts';
import { useQuery } from '../../data/query.ts';
import { formatRoute } from '../../data/route.ts';
import { Badge, Button, ErrorCard, Skeleton, ViewHead, When } from '../../parts/basics.tsx';
import { Select, TextArea, TextField } from '../../parts/fields.tsx';
import { strings } from '../../strings.ts';
import { syncText, conflictText as text } from '../../strings-sync.ts';
import { DECISION_STATUSES, MEMORY_STATUSES, viewOf } from '../records/records.tsx';
import { fieldName } from '../sync/entry-dialog.tsx';
import { Sides } from './sides.tsx';
import { titleOf } from './title-of.ts';
import { useResolve } from './use-resolve.ts';

/** One conflict and the others of its record: both values side by side, and the answer to each field. */
export function ConflictDetail({ id }: { id: string }): VNode {
  const { data, error, reload } = useQuery('conflicts.show', { id }, ['conflicts', 'records']);
  const back = (
    <nav class="trail" aria-label={strings.views.conflicts}>
      <a href={formatRoute('conflicts')}>{strings.views.conflicts}</a>
    </nav>
  );
  if (data === undefined) {
    return (
      <div class="view">
        {back}
        <ViewHead title={strings.views.conflicts} />
        {error === null ? <Skeleton rows={8} tall /> : <ErrorCard error={error} onRetry={reload} />}
      </div>
    );
  }
  const { conflict, others, record } = data;
  return (
    <div class="view">
      {back}
      <ViewHead
        title={<span class="wrap">{titleOf(conflict)}</span>}
        lead={others.length > 0 ? text.others(others.length) : undefined}
      >
        {record === null ? null : <OpenRecord conflict={conflict} />}
      </ViewHead>
      {[conflict, ...others].map((one) => (
        <FieldConflict key={one.id} conflict={one} onChanged={reload} />
      ))}
    </div>
  );
}

function OpenRecord({ conflict }: { conflict: Conflict }): VNode {
  const { go } = useApp();
  return (
    <Button
      icon={viewOf(conflict.table)}
      onClick={() => go(formatRoute(viewOf(conflict.table), { id: conflict.recordId }))}
    >
      {text.openRecord}
    </Button>
  );
}

function explain({ kind, field, remote, mine }: Conflict): string {
  const name = syncText.remotes[remote];
  if (kind === 'delete') return text.explain.delete(name, mine !== null);
  return kind === 'invalid' ? text.explain.invalid(name) : text.explain.edit(fieldName(field), name);
}

function FieldConflict({ conflict, onChanged }: { conflict: Conflict; onChanged: () => void }): VNode {
  const id = `conflict-${conflict.id}`;
  return (
    <section class="card conflict" aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>{fieldName(conflict.field)}</h2>
        <Badge
          tone={conflict.kind === 'invalid' ? 'error' : 'warn'}
          icon={conflict.kind === 'invalid' ? 'error' : 'conflicts'}
        >
          {text.kinds[conflict.kind]}
        </Badge>
      </header>
      <p class="muted">
        {explain(conflict)} {conflict.reason === null ? '' : displayText(conflict.reason)} {text.found}{' '}
        <When timeMs={conflict.detectedAtMs} ago />.
      </p>
      <Sides conflict={conflict} />
      {conflict.resolvedAtMs === null ? (
        <Answer conflict={conflict} onDone={onChanged} />
      ) : (
        <Decided conflict={conflict} onDone={onChanged} />
      )}
    </section>
  );
}

function Decided({ conflict, onDone }: { conflict: Conflict; onDone: () => void }): VNode {
  const { undo } = useResolve();
  return (
    <div class="row between decided">
      <p>
        <Badge tone="ok" icon="check">
          {conflict.resolution === null ? text.decidedWas : text.decisions[conflict.resolution]}
        </Badge>{' '}
        {conflict.resolvedAtMs === null ? null : <When timeMs={conflict.resolvedAtMs} ago />}
      </p>
      {conflict.canUndo ? (
        <Button icon="restore" onClick={() => undo([conflict.id]).then(onDone)}>
          {text.undo}
        </Button>
      ) : null}
    </div>
  );
}

function Answer({ conflict, onDone }: { conflict: Conflict; onDone: () => void }): VNode {
  const { busy, error, resolve } = useResolve();
  const usual = defaultAnswer(conflict);
  const [answer, setAnswer] = useState<ConflictAnswer>(usual);
  const [typed, setTyped] = useState(() => valueText(conflict.field, conflict.current ?? conflict.mine));
  const name = syncText.remotes[conflict.remote];
  const labels: Record<ConflictAnswer, readonly [string, string]> = {
    mine: [text.answers.mine, text.answerNotes.mine(name)],
    theirs: [text.answers.theirs(name), text.answerNotes.theirs],
    both: [text.answers.both, conflict.field === 'tags' ? text.answerNotes.bothTags : text.answerNotes.bothText],
    edited: [text.answers.edited, text.answerNotes.edited],
  };
  const decide = (): void => {
    resolve([conflict.id], answer, editedValue(conflict.field, typed)).then(onDone);
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        decide();
      }}
    >
      <fieldset class="choices">
        <legend class="strong">{text.question(fieldName(conflict.field))}</legend>
        {conflict.choices.map((choice) => (
          <label key={choice} class="option">
            <input
              type="radio"
              name={`answer-${conflict.id}`}
              checked={answer === choice}
              onChange={() => setAnswer(choice)}
            />
            <span>
              <strong>{labels[choice][0]}</strong> {choice === usual ? <Badge tone="accent">{text.usual}</Badge> : null}
              <br />
              <span class="small muted">{labels[choice][1]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {answer === 'edited' ? <EditField conflict={conflict} value={typed} onInput={setTyped} /> : null}
      {error === null ? null : <ErrorCard error={error} />}
      <div class="row">
        <Button kind="primary" icon="check" busy={busy} onClick={decide}>
          {busy ? text.applying : labels[answer][0]}
        </Button>
      </div>
    </form>
  );
}

type EditProps = { conflict: Conflict; value: string; onInput: (value: string) => void };
/** The value to write anew, in the kind of box that the field has elsewhere. */
function EditField({ conflict, value, onInput }: EditProps): VNode {
  const { field, table } = conflict;
  const list =
    field === 'status'
      ? (table === 'decision_vault' ? DECISION_STATUSES : MEMORY_STATUSES).map((one) => ({
          value: one,
          label: strings.statuses[one],
        }))
      : field === 'priority'
        ? Object.entries(strings.priorities).map(([one, label]) => ({ value: one, label }))
        : field === 'kind'
          ? Object.entries(strings.memoryKinds).map(([one, label]) => ({ value: one, label }))
          : null;
  if (list !== null) return <Select label={text.edit} value={value} choices={list} onChange={onInput} />;
  if (field === 'decision' || field === 'content')
    return <TextArea label={text.edit} rows={12} value={value} onInput={onInput} />;
  if (field === 'date') return <TextField label={text.edit} type="date" value={value} onInput={onInput} />;
  return (
    <TextField
      label={text.edit}
      value={value}
      onInput={onInput}
      {...(field === 'tags' ? { note: strings.records.tagsHint } : {})}
    />
  );
}
