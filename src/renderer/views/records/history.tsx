import type { VNode } from 'preact';
import { displayText } from '../../../shared/display.ts';
import type { FieldChange } from '../../../shared/model.ts';
import { formatFull } from '../../data/time.ts';
import { When } from '../../parts/basics.tsx';
import { strings } from '../../strings.ts';

const text = strings.records;
const LONG = 120;

/** Every value that each field ever held, newest first. */
export function History({ history }: { history: readonly FieldChange[] }): VNode {
  const newestFirst = [...history].sort((a, b) => b.seq - a.seq);
  return (
    <section class="card">
      <h2>{text.history}</h2>
      {newestFirst.length === 0 ? (
        <p class="muted">{text.noHistory}</p>
      ) : (
        <ol class="field-history">
          {newestFirst.map((change) => (
            <li key={change.seq}>
              <div class="row between">
                <strong>{text.fields[change.field] ?? change.field}</strong>
                <span class="small muted">
                  {change.origin}, <When timeMs={change.changedAtMs} ago />
                </span>
              </div>
              <Value name={text.was} value={change.before} field={change.field} kind="removed" />
              <Value name={text.became} value={change.after} field={change.field} kind="added" />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

type ValueProps = { name: string; value: unknown; field: string; kind: 'added' | 'removed' };
function Value({ name, value, field, kind }: ValueProps): VNode {
  const shown = showValue(value, field);
  const sign = kind === 'added' ? '+' : '−';
  if (shown.length <= LONG) {
    return (
      <p class={`field-value ${kind}`}>
        <span class="diff-sign" aria-hidden="true">
          {sign}
        </span>
        <span class="visually-hidden">{name} </span>
        <span class="wrap">{shown === '' ? <em>{text.emptyValue}</em> : shown}</span>
      </p>
    );
  }
  return (
    <details class={`field-value ${kind}`}>
      <summary>
        <span class="diff-sign" aria-hidden="true">
          {sign}
        </span>
        <span class="visually-hidden">{name} </span>
        {`${shown.slice(0, LONG)}…`}
      </summary>
      <p class="body-text wrap">{shown}</p>
    </details>
  );
}

/** A value of a field as text; times and lists in their usual form. */
export function showValue(value: unknown, field: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' && field.endsWith('Ms')) return formatFull(value);
  if (Array.isArray(value)) return value.map((one) => showValue(one, '')).join(', ');
  return displayText(typeof value === 'string' ? value : JSON.stringify(value));
}
