import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MethodInput } from '../../../shared/contract.ts';
import { AppError } from '../../../shared/errors.ts';
import type { EditableRecord } from '../../../shared/model.ts';
import { useApp } from '../../app-context.ts';
import {
  changedFields,
  emptyTexts,
  type FormTexts,
  type SomeDecisionFields,
  type SomeMemoryFields,
  textsOf,
} from '../../data/record-fields.ts';
import { Button, ErrorCard, useTell } from '../../parts/basics.tsx';
import { Select, TextArea, TextField } from '../../parts/fields.tsx';
import { strings } from '../../strings.ts';
import { DECISION_STATUSES, MEMORY_STATUSES } from './records.tsx';

const text = strings.records;
type Table = EditableRecord['table'];
export type FormPurpose =
  | { readonly kind: 'create' }
  | { readonly kind: 'edit'; readonly record: EditableRecord }
  | { readonly kind: 'supersede'; readonly record: EditableRecord };

type FormProps = {
  readonly table: Table;
  readonly purpose: FormPurpose;
  readonly onDone: (record: EditableRecord) => void;
  readonly onCancel: () => void;
};

/** Writes, edits or supersedes a record. A refused edit keeps what was typed. */
export function RecordForm({ table, purpose, onDone, onCancel }: FormProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [before] = useState(() => (purpose.kind === 'create' ? emptyTexts(table) : textsOf(purpose.record)));
  const [texts, setTexts] = useState<FormTexts>(() => firstTexts(before, purpose));
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const set = (field: string) => (value: string) => setTexts((known) => ({ ...known, [field]: value }));
  const titleMissing = (texts.title ?? '').trim() === '';

  const save = (): void => {
    setTried(true);
    if (titleMissing) return;
    setBusy(true);
    setError(null);
    const fields = changedFields(texts, purpose.kind === 'supersede' ? {} : before);
    send(client, table, purpose, fields, (texts.title ?? '').trim()).then(
      (record) => {
        tell.ok(purpose.kind === 'edit' ? text.saved : text.createdNotice);
        onDone(record);
      },
      (failure: unknown) => {
        setBusy(false);
        setError(failure);
      },
    );
  };

  return (
    <form
      class="card form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) save();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !busy) save();
      }}
    >
      <TextField
        label={text.fields.title ?? ''}
        value={texts.title ?? ''}
        onInput={set('title')}
        error={tried && titleMissing ? text.titleMissing : null}
        autoFocus
      />
      {table === 'decision_vault' ? (
        <TextArea label={text.fields.decision ?? ''} value={texts.decision ?? ''} onInput={set('decision')} />
      ) : (
        <TextArea label={text.fields.content ?? ''} value={texts.content ?? ''} onInput={set('content')} />
      )}
      <div class="form-grid">
        <FormSelect field="status" texts={texts} set={set} labels={statusLabels(table)} />
        {table === 'decision_vault' ? (
          <FormSelect field="priority" texts={texts} set={set} labels={Object.entries(strings.priorities)} />
        ) : (
          <FormSelect field="kind" texts={texts} set={set} labels={Object.entries(strings.memoryKinds)} />
        )}
        <TextField label={text.fields.category ?? ''} value={texts.category ?? ''} onInput={set('category')} />
        {table === 'decision_vault' ? (
          <>
            <TextField label={text.fields.type ?? ''} value={texts.type ?? ''} onInput={set('type')} />
            <TextField label={text.fields.date ?? ''} type="date" value={texts.date ?? ''} onInput={set('date')} />
          </>
        ) : null}
        <TextField label={text.fields.tags ?? ''} value={texts.tags ?? ''} onInput={set('tags')} note={text.tagsHint} />
      </div>
      {error === null ? null : <ErrorCard error={error} />}
      {error instanceof AppError && error.code === 'record.changed' ? (
        <Button onClick={onCancel}>{text.readAgain}</Button>
      ) : null}
      <div class="row end">
        <Button onClick={onCancel}>{strings.frame.cancel}</Button>
        <Button kind="primary" busy={busy} onClick={save}>
          {purpose.kind === 'edit' ? text.save : purpose.kind === 'create' ? text.create : text.supersede}
        </Button>
      </div>
    </form>
  );
}

/** A replacement starts from the old text, as a proposal that stands. */
function firstTexts(before: FormTexts, purpose: FormPurpose): FormTexts {
  if (purpose.kind !== 'supersede') return before;
  return { ...before, status: purpose.record.table === 'decision_vault' ? 'accepted' : 'active' };
}

function statusLabels(table: Table): [string, string][] {
  const known = table === 'decision_vault' ? DECISION_STATUSES : MEMORY_STATUSES;
  return known.map((status) => [status, strings.statuses[status]]);
}

type FormSelectProps = {
  field: string;
  texts: FormTexts;
  set: (field: string) => (value: string) => void;
  labels: readonly (readonly [string, string])[];
};
function FormSelect({ field, texts, set, labels }: FormSelectProps): VNode {
  return (
    <Select
      label={text.fields[field] ?? field}
      value={texts[field] ?? ''}
      choices={labels.map(([value, label]) => ({ value, label }))}
      onChange={set(field)}
    />
  );
}

async function send(
  client: ReturnType<typeof useApp>['client'],
  table: Table,
  purpose: FormPurpose,
  changed: Record<string, unknown>,
  title: string,
): Promise<EditableRecord> {
  const origin = 'dashboard' as const;
  if (purpose.kind === 'create') {
    const fields = { ...changed, title };
    const input: MethodInput<'records.create'> =
      table === 'decision_vault' ? { table, fields, origin } : { table, fields, origin };
    return (await client.call('records.create', input)).record;
  }
  const { id, changeSeq } = purpose.record;
  const target =
    table === 'decision_vault'
      ? ({ table, id, fields: changed as SomeDecisionFields, origin } as const)
      : ({ table, id, fields: changed as SomeMemoryFields, origin } as const);
  if (purpose.kind === 'supersede') return (await client.call('records.supersede', target)).record;
  return (await client.call('records.edit', { ...target, ifChangeSeq: changeSeq })).record;
}
