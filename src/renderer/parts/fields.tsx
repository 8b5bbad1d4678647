/** Form pieces: each with its label, its note and its error tied together for a screen reader. */
import type { PartialInputHTMLAttributes, VNode } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';

export type Choice = { readonly value: string; readonly label: string };

type InputType = 'text' | 'search' | 'date' | 'password';
type FieldProps = {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly hideLabel?: boolean;
  readonly placeholder?: string;
  readonly type?: InputType;
  readonly error?: string | null;
  readonly note?: string;
  readonly autoFocus?: boolean;
};

export function TextField(props: FieldProps): VNode {
  const id = useId();
  const hasNote = props.note !== undefined;
  const hasError = props.error !== undefined && props.error !== null;
  const described = [hasNote ? `${id}-note` : '', hasError ? `${id}-error` : ''].filter((one) => one !== '').join(' ');
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (props.autoFocus === true) input.current?.focus();
  }, []);
  const common = {
    id,
    ref: input,
    value: props.value,
    autocomplete: 'off' as const,
    spellcheck: false,
    ...(props.placeholder === undefined ? {} : { placeholder: props.placeholder }),
    ...(described === '' ? {} : { 'aria-describedby': described }),
    ...(hasError ? { 'aria-invalid': 'true' as const } : {}),
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => props.onInput(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id} class={props.hideLabel === true ? 'visually-hidden' : undefined}>
        {props.label}
      </label>
      {inputOf(props.type ?? 'text', common)}
      {hasNote ? (
        <p id={`${id}-note`} class="small muted">
          {props.note}
        </p>
      ) : null}
      {hasError ? (
        <p id={`${id}-error`} class="field-error" role="alert">
          {props.error}
        </p>
      ) : null}
    </div>
  );
}

/** Typed attributes differ by the type of an input, so each is written out. */
function inputOf(type: InputType, common: Omit<PartialInputHTMLAttributes<HTMLInputElement>, 'type' | 'role'>): VNode {
  if (type === 'date') return <input type="date" {...common} />;
  if (type === 'password') return <input type="password" {...common} />;
  return type === 'search' ? <input type="search" {...common} /> : <input type="text" {...common} />;
}

export function TextArea(props: {
  label: string;
  value: string;
  rows?: number;
  onInput: (value: string) => void;
}): VNode {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <textarea
        id={id}
        rows={props.rows ?? 8}
        value={props.value}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </div>
  );
}

type SelectProps = {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly Choice[];
  readonly onChange: (value: string) => void;
  readonly hideLabel?: boolean;
};
export function Select(props: SelectProps): VNode {
  const id = useId();
  return (
    <div class="field">
      <label for={id} class={props.hideLabel === true ? 'visually-hidden' : undefined}>
        {props.label}
      </label>
      <select id={id} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.choices.map((choice) => (
          <option key={choice.value} value={choice.value} selected={choice.value === props.value}>
            {choice.label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Several of a few: chips that are pressed or not. */
export function Chips(props: {
  label: string;
  choices: readonly Choice[];
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
}): VNode {
  const toggle = (value: string): void => {
    const on = props.chosen.includes(value);
    props.onChange(on ? props.chosen.filter((one) => one !== value) : [...props.chosen, value]);
  };
  return (
    <fieldset class="chips">
      <legend class="visually-hidden">{props.label}</legend>
      {props.choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          class="chip"
          aria-pressed={props.chosen.includes(choice.value)}
          onClick={() => toggle(choice.value)}
        >
          {choice.label}
        </button>
      ))}
    </fieldset>
  );
}

/** One of a few, side by side. */
export function Segments(props: {
  label: string;
  choices: readonly Choice[];
  value: string;
  onChange: (value: string) => void;
}): VNode {
  const name = useId();
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{props.label}</legend>
      {props.choices.map((choice) => (
        <label key={choice.value} class="segment">
          <input
            type="radio"
            name={name}
            checked={choice.value === props.value}
            onChange={() => props.onChange(choice.value)}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** What was typed, a moment after the typing stopped. */
export function useSettled(value: string, delayMs: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delayMs);
    return () => clearTimeout(timer);
  }, [value, delayMs]);
  return settled;
}
