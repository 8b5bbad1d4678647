/**
 * Whatever the program uses of Electron and this stand-in does not have must fail by name at once: a silent
 * `undefined` would let a test pass that proves nothing.
 */

/** What runtimes ask of any value on their own account. */
const ASKED_BY_RUNTIMES: ReadonlySet<string> = new Set(['then', 'toJSON', 'inspect', 'constructor', 'prototype']);

/** Wraps an object so that reading or writing a property that it does not have throws with its full name. */
export function strict<T extends object>(name: string, target: T): T {
  return new Proxy(target, {
    get(object, key, receiver) {
      if (typeof key === 'symbol' || key in object || ASKED_BY_RUNTIMES.has(key))
        return Reflect.get(object, key, receiver) as unknown;
      throw notEmulated(`${name}.${key}`);
    },
    set(object, key, value) {
      if (typeof key !== 'symbol' && !(key in object)) throw notEmulated(`${name}.${key} (set)`);
      return Reflect.set(object, key, value);
    },
  });
}

/** A class whose instances are strict, too. */
export function strictClass<C extends new (...args: never[]) => object>(name: string, target: C): C {
  return strict(
    name,
    new Proxy(target, {
      construct: (made, args) => strict(name, Reflect.construct(made, args) as object),
    }),
  );
}

/** Throws for a listener of an event that is never emitted here. */
export function checkEvent(name: string, known: ReadonlySet<string>, event: string | symbol): void {
  if (typeof event === 'string' && !known.has(event) && event !== 'newListener' && event !== 'removeListener')
    throw notEmulated(`${name} event '${event}'`);
}

/** Throws for an option that would be ignored here. */
export function checkOptions(name: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) if (!known.includes(key)) throw notEmulated(`${name} option '${key}'`);
}

export function notEmulated(what: string): Error {
  return new Error(`electron-host: ${what} is not emulated`);
}
