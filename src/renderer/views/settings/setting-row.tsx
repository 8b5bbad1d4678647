import type { VNode } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { displayText } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { describeError } from '../../data/describe-error.ts';
import { choicesOf, kindOf, parseValue, settingName, valueText } from '../../data/setting-values.ts';
import { Badge, Button, useTell } from '../../parts/basics.tsx';
import { strings } from '../../strings.ts';
import type { SettingsData } from './settings.tsx';

const text = strings.settings;
type Setting = SettingsData['values'][number];

/** One setting: saved when the field is left or Enter is pressed; what is wrong with it stands below. */
export function SettingRow({ setting, onSaved }: { setting: Setting; onSaved: () => void }): VNode {
  const { client } = useApp();
  const tell = useTell();
  const id = useId();
  const current = valueText(setting.value);
  const kind = kindOf(setting.key, setting.default);
  const [draft, setDraft] = useState(current);
  const [problem, setProblem] = useState<string | null>(null);
  const [restart, setRestart] = useState(false);
  useEffect(() => setDraft(current), [current]);

  const save = (value: unknown): void => {
    client.call('settings.set', { key: setting.key, value }).then(
      ({ restartNeeded }) => {
        setProblem(null);
        setRestart(restartNeeded);
        tell.ok(text.savedKey(setting.key));
        onSaved();
      },
      (error: unknown) => {
        const { title, message } = describeError(error);
        setProblem(message ?? title);
      },
    );
  };
  const commit = (typed: string): void => {
    setDraft(typed);
    if (typed === current) {
      setProblem(null);
      return;
    }
    const parsed = parseValue(kind, typed);
    if (parsed.ok) save(parsed.value);
    else setProblem(text.notNumber);
  };
  const [name, help] = text.keys[setting.key] ?? [settingName(setting.key), ''];
  const common = {
    id,
    'aria-describedby': `${id}-help ${id}-key${problem === null ? '' : ` ${id}-error`}`,
    'aria-invalid': problem === null ? undefined : ('true' as const),
  };

  return (
    <div class="setting">
      <div class="setting-name">
        <label for={id}>{name}</label>
        {help === '' ? null : (
          <p id={`${id}-help`} class="small muted">
            {help}
          </p>
        )}
        <code id={`${id}-key`} class="small muted wrap">
          {setting.key}
        </code>
      </div>
      <div class="setting-value">
        {kind === 'switch' ? (
          <input
            {...common}
            type="checkbox"
            role="switch"
            class="switch"
            checked={draft === 'true'}
            aria-checked={draft === 'true'}
            onChange={(event) => commit(String(event.currentTarget.checked))}
          />
        ) : kind === 'choice' ? (
          <select {...common} value={draft} onChange={(event) => commit(event.currentTarget.value)}>
            {choicesOf(setting.key).map((choice) => (
              <option key={choice} value={choice} selected={choice === draft}>
                {choice}
              </option>
            ))}
          </select>
        ) : (
          <input
            {...common}
            type="text"
            inputMode={kind === 'number' ? 'decimal' : 'text'}
            value={draft}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setDraft(event.currentTarget.value)}
            onBlur={(event) => commit(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') commit(event.currentTarget.value);
              if (event.key === 'Escape') {
                setDraft(current);
                setProblem(null);
              }
            }}
          />
        )}
        {problem === null ? null : (
          <p id={`${id}-error`} class="field-error" role="alert">
            {displayText(problem)}
          </p>
        )}
        {restart ? <p class="small note">{text.restart}</p> : null}
      </div>
      <div class="setting-source small muted">
        {setting.source === 'default' ? (
          <span>{text.isDefault}</span>
        ) : (
          <>
            <Badge tone="accent">{text.fromFile}</Badge>
            <span class="wrap">{text.defaultIs(valueText(setting.default))}</span>
            <Button kind="quiet" label={`${text.reset} ${setting.key}`} onClick={() => save(null)}>
              {text.reset}
            </Button>
          </>
        )}
      </div>
    </div>
  );
}
