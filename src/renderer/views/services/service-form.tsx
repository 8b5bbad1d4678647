import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import { displayText } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import {
  type Draft,
  isSetUp,
  type KnownField,
  knownFields,
  missingIn,
  type Service,
  type Steps,
  valuesOf,
} from '../../data/services.ts';
import { Button, CopyButton, ErrorCard, useTell } from '../../parts/basics.tsx';
import { ConfirmDialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import { servicesText as text } from '../../strings-services.ts';
import { TestSteps, testService } from './test-steps.tsx';
import '../../styles/services.css';

type FormProps = {
  readonly service: Service;
  readonly environment: MethodOutput<'settings.show'>['environment'];
  /** Something was saved, removed or created. */
  readonly onChanged: () => void;
};

/** Three steps, fields to paste into, and a test that names the step that fails. What is typed is kept nowhere else. */
export function ServiceForm({ service, environment, onChanged }: FormProps): VNode {
  const { client } = useApp();
  const tell = useTell();
  const [draft, setDraft] = useState<Draft>({});
  const [busy, setBusy] = useState<'save' | 'test' | null>(null);
  const [asked, setAsked] = useState(false);
  const [steps, setSteps] = useState<Steps | null>(null);
  const [error, setError] = useState<unknown>(null);
  const fields = knownFields(service, environment);
  const missing = missingIn(fields, draft);

  const test = async (): Promise<void> => {
    setBusy('test');
    setSteps(await testService(client, service.id));
    onChanged();
  };
  const attempt = (work: () => Promise<void>): void => {
    setError(null);
    work()
      .catch(setError)
      .finally(() => setBusy(null));
  };
  const save = (): void => {
    setAsked(true);
    if (busy !== null || missing.length > 0) return;
    attempt(async () => {
      setBusy('save');
      const values = valuesOf(draft);
      if (Object.keys(values).length > 0) {
        const { kept } = await client.call('environment.set', { values });
        const places = new Set(kept.map((one) => one.in));
        tell.ok(text.saved(places.size > 1 ? 'both' : places.has('keychain') ? 'keychain' : '.env'));
        setDraft({});
        setAsked(false);
        onChanged();
      }
      await test();
    });
  };
  const change = (name: string, value: string | undefined): void => setDraft({ ...draft, [name]: value });
  const rows = (some: readonly KnownField[]): VNode[] =>
    some.map((field) => (
      <FieldRow
        key={field.name}
        field={field}
        typed={draft[field.name]}
        isMissing={asked && missing.includes(field.name)}
        onChange={(value) => change(field.name, value)}
      />
    ));
  const hasDraft = Object.keys(valuesOf(draft)).length > 0;
  return (
    <div class="stack service-form">
      <Help service={service} />
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <div class="service-fields">{rows(fields)}</div>
        <p class="small muted">{text.secretNote}</p>
        <div class="row">
          {hasDraft || !isSetUp(fields) ? (
            <Button kind="primary" icon="check" busy={busy !== null} onClick={save}>
              {busy === 'save' ? text.saving : busy === 'test' ? text.testing : text.save}
            </Button>
          ) : (
            <Button kind="primary" icon="health" busy={busy !== null} onClick={() => attempt(test)}>
              {busy === null ? text.test : text.testing}
            </Button>
          )}
          <RemoveKeys service={service} fields={fields} onRemoved={onChanged} />
        </div>
        {/* Enter in a field saves, as everywhere. */}
        <button type="submit" class="visually-hidden" tabIndex={-1} aria-hidden="true" />
      </form>
      {error === null ? null : <ErrorCard error={error} />}
      {steps === null ? null : (
        <TestSteps service={service.id} steps={steps} onPrepared={() => attempt(test)} onClose={() => setSteps(null)} />
      )}
    </div>
  );
}

function Help({ service }: { service: Service }): VNode {
  const { client } = useApp();
  const tell = useTell();
  const { desktop } = client;
  const [first, ...others] = text.services[service.id].steps;
  return (
    <ol class="number-list" aria-label={text.steps}>
      <li>
        {first}{' '}
        {desktop === null ? (
          <CopyButton text={service.page} label={text.copyAddress} />
        ) : (
          <Button
            kind="quiet"
            onClick={() => void desktop.call('desktop.openLink', { url: service.page }).catch(tell.fail)}
          >
            {text.openPage}
          </Button>
        )}
      </li>
      {others.map((step) => (
        <li key={step}>{step}</li>
      ))}
    </ol>
  );
}

type RowProps = {
  readonly field: KnownField;
  /** undefined while what is set stays as it is. */
  readonly typed: string | undefined;
  readonly isMissing: boolean;
  readonly onChange: (value: string | undefined) => void;
};

/** A field that is set says where, and is written only after Replace: a secret is never shown. */
function FieldRow({ field, typed, isMissing, onChange }: RowProps): VNode {
  const words = text.fields[field.name] ?? { label: field.name };
  const { source } = field;
  if (source !== null && typed === undefined) {
    return (
      <div class="field service-set">
        <span class="service-label">{words.label}</span>
        <div class="row tight">
          <Icon name="check" size={16} />
          <span class="wrap">{field.value === null ? text.isSet(source) : displayText(field.value)}</span>
          {source === 'environment' ? null : (
            <Button kind="quiet" label={`${text.replace}: ${words.label}`} onClick={() => onChange('')}>
              {text.replace}
            </Button>
          )}
        </div>
        {source === 'environment' ? <p class="small muted">{text.fixed}</p> : null}
      </div>
    );
  }
  return (
    <div class="service-field">
      <TextField
        label={words.label}
        type={field.isSecret ? 'password' : 'text'}
        value={typed ?? ''}
        onInput={onChange}
        autoFocus={source !== null}
        error={isMissing ? text.missing : null}
        {...(words.note === undefined ? {} : { note: words.note })}
        {...(words.placeholder === undefined ? {} : { placeholder: words.placeholder })}
      />
      {source === null ? null : (
        <Button kind="quiet" onClick={() => onChange(undefined)}>
          {text.keep}
        </Button>
      )}
    </div>
  );
}

type RemoveProps = {
  readonly service: Service;
  readonly fields: readonly KnownField[];
  readonly onRemoved: () => void;
};

/** Removes what was set here. */
function RemoveKeys({ service, fields, onRemoved }: RemoveProps): VNode | null {
  const { client } = useApp();
  const tell = useTell();
  const [asking, setAsking] = useState(false);
  const ours = fields.filter((one) => one.source === '.env' || one.source === 'keychain');
  if (ours.length === 0) return null;
  const { name } = text.services[service.id];
  const remove = (): void => {
    client.call('environment.set', { values: Object.fromEntries(ours.map((one) => [one.name, null])) }).then(() => {
      tell.ok(text.removed(name));
      onRemoved();
    }, tell.fail);
  };
  return (
    <>
      <Button kind="quiet" label={`${text.remove} ${name}`} onClick={() => setAsking(true)}>
        {text.remove}
      </Button>
      {asking ? (
        <ConfirmDialog
          title={text.removeAsk(name)}
          text={text.removeText}
          confirm={text.remove}
          danger
          onConfirm={remove}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </>
  );
}
