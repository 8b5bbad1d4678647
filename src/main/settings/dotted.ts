export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a dotted path, or undefined. Inherited properties do not count. */
export function getDotted(object: JsonObject, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((at, part) => (isJsonObject(at) && Object.hasOwn(at, part) ? at[part] : undefined), object);
}

/**
 * A copy with the value at a dotted path replaced; every other key stays, in its order; a new key comes last.
 * `undefined` removes the key, and its section when that becomes empty.
 */
export function setDotted(object: JsonObject, key: string, value: unknown): JsonObject {
  const [head = '', ...rest] = key.split('.');
  const inner = Object.hasOwn(object, head) ? object[head] : undefined;
  const next = rest.length === 0 ? value : setDotted(isJsonObject(inner) ? inner : {}, rest.join('.'), value);
  const emptied = rest.length > 0 && value === undefined && isJsonObject(next) && Object.keys(next).length === 0;
  const entries = Object.entries(object);
  if (next === undefined || emptied) return Object.fromEntries(entries.filter(([name]) => name !== head));
  if (!Object.hasOwn(object, head)) return Object.fromEntries([...entries, [head, next]]);
  return Object.fromEntries(entries.map(([name, old]) => [name, name === head ? next : old]));
}
