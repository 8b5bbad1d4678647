import { isSecretName, REDACTED } from './redact.ts';

/** JSON values only: what may go into a log line. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

const LONGEST_STRING = 8_192;
const LONGEST_RECORD = 32_768;
const MOST_ITEMS = 100;
const DEEPEST = 6;
/** More than the longest secret: a cut through one leaves no readable part of it. */
const CUT_MARGIN = 4_096;

type Walk = {
  readonly hide: (text: string) => string;
  readonly open: Set<object>;
  /** Characters that may still go into the record. */
  left: number;
};

/**
 * Any value as redacted JSON values, whatever it does: cycles, throwing getters and proxies, BigInt, errors with their
 * causes, bytes, huge texts and lists. Never throws; the result is small (about 32 thousand characters).
 */
export function toPlain(value: unknown, hide: (text: string) => string): Plain {
  const walk: Walk = { hide, open: new Set(), left: LONGEST_RECORD };
  return guarded(() => plain(value, walk, 0));
}

/** A text, redacted and cut. */
export function hideText(text: string, hide: (text: string) => string, longest = LONGEST_STRING): string {
  const cut = text.length > longest + 2 * CUT_MARGIN;
  const head = cut ? text.slice(0, longest + 2 * CUT_MARGIN) : text;
  const hidden = hide(head);
  const keep = Math.min(longest, cut ? Math.max(0, hidden.length - CUT_MARGIN) : hidden.length);
  if (keep === hidden.length && !cut) return hidden;
  return `${hidden.slice(0, keep).toWellFormed()}… (${text.length} characters)`;
}

function guarded(work: () => Plain): Plain {
  try {
    return work();
  } catch {
    // A getter, a proxy or a toJSON threw: that value cannot be shown, the rest can.
    return '[unreadable]';
  }
}

function plain(value: unknown, walk: Walk, depth: number): Plain {
  switch (typeof value) {
    case 'string':
      return text(value, walk);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
      return text(`${value}`, walk);
    case 'object':
      return value === null ? null : object(value, walk, depth);
    case 'symbol':
      return text(value.toString(), walk);
    case 'function':
      return '[function]';
    default:
      return null;
  }
}

function text(value: string, walk: Walk): string {
  if (walk.left <= 0) return '…';
  const hidden = hideText(value, walk.hide, Math.min(LONGEST_STRING, walk.left));
  walk.left -= hidden.length + 2;
  return hidden;
}

function object(value: object, walk: Walk, depth: number): Plain {
  if (walk.open.has(value)) return '[circular]';
  if (depth >= DEEPEST) return '[deeper]';
  walk.open.add(value);
  try {
    return objectByKind(value, walk, depth);
  } finally {
    walk.open.delete(value);
  }
}

function objectByKind(value: object, walk: Walk, depth: number): Plain {
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString();
  if (value instanceof Error) return fields(errorEntries(value), walk, depth);
  if (Array.isArray(value)) return list(value, walk, depth);
  if (value instanceof Set) return list([...value], walk, depth);
  if (value instanceof Map) return fields(mapEntries(value), walk, depth);
  const toJson = (value as { toJSON?: unknown }).toJSON;
  if (typeof toJson === 'function') return plain(toJson.call(value), walk, depth + 1);
  return fields(ownEntries(value), walk, depth);
}

type Entry = readonly [name: string, read: () => unknown];

function ownEntries(value: object): Entry[] {
  return Object.keys(value).map((name) => [name, () => (value as Record<string, unknown>)[name]]);
}

function mapEntries(map: ReadonlyMap<unknown, unknown>): Entry[] {
  return [...map].map(([name, inner]) => [typeof name === 'string' ? name : '[object key]', () => inner]);
}

function errorEntries(error: Error): Entry[] {
  const main: Entry[] = [
    ['name', () => error.name],
    ['message', () => error.message],
    ['stack', () => error.stack],
  ];
  if (error.cause !== undefined) main.push(['cause', () => error.cause]);
  if (error instanceof AggregateError) main.push(['errors', () => error.errors]);
  const known = new Set(main.map(([name]) => name));
  return [...main, ...ownEntries(error).filter(([name]) => !known.has(name))];
}

function list(values: readonly unknown[], walk: Walk, depth: number): Plain {
  const shown = values.slice(0, MOST_ITEMS).map((inner) => guarded(() => plain(inner, walk, depth + 1)));
  return values.length > MOST_ITEMS ? [...shown, `… (${values.length} items)`] : shown;
}

function fields(entries: readonly Entry[], walk: Walk, depth: number): Plain {
  const shown = new Map<string, Plain>();
  for (const [name, read] of entries.slice(0, MOST_ITEMS)) {
    if (walk.left <= 0) break;
    const shownName = hideText(name, walk.hide, 200);
    walk.left -= shownName.length + 6;
    const inner = guarded(() => field(name, read(), walk, depth));
    shown.set(shownName, inner);
  }
  if (shown.size < entries.length && (walk.left <= 0 || entries.length > MOST_ITEMS))
    shown.set('…', `${entries.length} fields`);
  return Object.fromEntries(shown);
}

function field(name: string, value: unknown, walk: Walk, depth: number): Plain {
  const tellsNothing = value === null || value === undefined || value === '' || typeof value === 'boolean';
  return tellsNothing || !isSecret(name, value) ? plain(value, walk, depth + 1) : REDACTED;
}

/** Numbers under a plural or a count (`tokens: 1200`) are amounts, not secrets. */
function isSecret(name: string, value: unknown): boolean {
  return isSecretName(name) && !(typeof value === 'number' && /(?:s|count|limit|used)$/i.test(name));
}
