/**
 * Carries what the structured clone algorithm carries, as text: between Node and a page, and between the two worlds of
 * a page. The function is self-contained, because its source is put into pages.
 */
export type Codec = {
  /** Throws DataCloneError for what cannot be cloned (functions, symbols, DOM nodes). */
  readonly encode: (value: unknown) => string;
  readonly decode: (text: string) => unknown;
};

export function createCodec(): Codec {
  type Node = [kind: string, value?: unknown, more?: unknown];
  const toBase64 = (bytes: Uint8Array): string => {
    let binary = '';
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return btoa(binary);
  };
  const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const views = new Map<string, new (buffer: ArrayBuffer) => unknown>(
    [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
      DataView,
    ].map((one) => [one.name, one as never]),
  );

  const encode = (value: unknown): string => {
    const nodes: Node[] = [];
    const seen = new Map<object, number>();
    const add = (item: unknown): number => {
      if (typeof item === 'object' && item !== null) {
        const known = seen.get(item);
        if (known !== undefined) return known;
      }
      const index = nodes.length;
      nodes.push(['pending']);
      if (typeof item === 'object' && item !== null) seen.set(item, index);
      nodes[index] = describe(item);
      return index;
    };
    const describe = (item: unknown): Node => {
      if (item === undefined) return ['undefined'];
      if (typeof item === 'bigint') return ['bigint', String(item)];
      if (typeof item === 'number')
        return Number.isFinite(item) && !Object.is(item, -0)
          ? ['plain', item]
          : ['number', Object.is(item, -0) ? '-0' : String(item)];
      if (typeof item !== 'object' || item === null) return ['plain', item];
      if (Array.isArray(item))
        return ['array', Array.from(item, (_, index) => (index in item ? add(item[index]) : -1))];
      if (item instanceof Date) return ['date', item.getTime()];
      if (item instanceof RegExp) return ['regexp', item.source, item.flags];
      if (item instanceof Map) return ['map', [...item].map(([key, inner]) => [add(key), add(inner)])];
      if (item instanceof Set) return ['set', [...item].map(add)];
      if (item instanceof Error) return ['error', item.name, [item.message, item.stack]];
      if (item instanceof ArrayBuffer) return ['buffer', toBase64(new Uint8Array(item))];
      if (ArrayBuffer.isView(item))
        return [
          'view',
          item.constructor.name,
          toBase64(new Uint8Array(item.buffer as ArrayBuffer, item.byteOffset, item.byteLength)),
        ];
      const name = Object.prototype.toString.call(item);
      if (name !== '[object Object]') throw new DOMException(`${name} could not be cloned.`, 'DataCloneError');
      return ['object', Object.entries(item).map(([key, inner]) => [key, add(inner)])];
    };
    add(structuredClone(value));
    return JSON.stringify(nodes);
  };

  const decode = (text: string): unknown => {
    const nodes = JSON.parse(text) as Node[];
    const made = new Map<number, unknown>();
    const keep = <T>(index: number, value: T): T => {
      made.set(index, value);
      return value;
    };
    const get = (index: number): unknown => {
      if (made.has(index)) return made.get(index);
      const [kind, value, more] = nodes[index] as Node;
      switch (kind) {
        case 'undefined':
          return undefined;
        case 'bigint':
          return BigInt(value as string);
        case 'number':
          return Number(value);
        case 'plain':
          return value;
        case 'date':
          return keep(index, new Date(value as number));
        case 'regexp':
          return keep(index, new RegExp(value as string, more as string));
        case 'buffer':
          return keep(index, fromBase64(value as string).buffer);
        case 'view': {
          const View = views.get(value as string);
          if (View === undefined) throw new Error(`no view ${String(value)}`);
          return keep(index, new View(fromBase64(more as string).buffer as ArrayBuffer));
        }
        case 'error': {
          const [message, stack] = more as [string, string];
          const types: Record<string, ErrorConstructor> = { TypeError, RangeError, SyntaxError } as never;
          const error = new (types[value as string] ?? Error)(message);
          return keep(index, Object.assign(error, { stack }));
        }
        case 'array': {
          const list = keep<unknown[]>(index, []);
          (value as number[]).forEach((inner, at) => {
            if (inner >= 0) list[at] = get(inner);
            else list.length = at + 1;
          });
          return list;
        }
        case 'map': {
          const map = keep(index, new Map<unknown, unknown>());
          for (const [key, inner] of value as [number, number][]) map.set(get(key), get(inner));
          return map;
        }
        case 'set': {
          const set = keep(index, new Set<unknown>());
          for (const inner of value as number[]) set.add(get(inner));
          return set;
        }
        default: {
          const object = keep<Record<string, unknown>>(index, {});
          for (const [key, inner] of value as [string, number][])
            Object.defineProperty(object, key, {
              value: get(inner),
              enumerable: true,
              writable: true,
              configurable: true,
            });
          return object;
        }
      }
    };
    return get(0);
  };
  return { encode, decode };
}
