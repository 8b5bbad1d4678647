/**
 * What runs in a page: the bridge between the page's own world and the isolated world of the preload script, and in
 * that world the sandboxed `require`. Every function here is self-contained; its source is put into pages.
 */
import { createCodec } from './codec.ts';

export const ISOLATED_WORLD = 'Electron Isolated Context';
/** The binding through which the isolated world reaches the program; it exists in that world alone. */
export const BINDING = '__electronHostSend';
/** What the program calls in the isolated world. */
export const RECEIVER = '__electronHostReceive';

type Described = readonly [kind: string, value: unknown];
type BridgeSide = {
  readonly describe: (value: unknown, depth?: number) => Described;
  readonly revive: (described: Described, isFrozen: boolean) => unknown;
  readonly dispatch: (kind: string, detail: unknown) => void;
  readonly listen: (kind: string, listener: (detail: never) => void) => void;
};

/**
 * One side of the bridge. The worlds share nothing but the document, so calls travel as events of it, synchronously,
 * under a name that only both sides know. Functions become proxies, promises are settled later, all else is cloned.
 */
function bridgeSide(token: string, mine: string, other: string, codec: ReturnType<typeof createCodec>): BridgeSide {
  const target = document;
  const add = EventTarget.prototype.addEventListener.bind(target);
  const send = EventTarget.prototype.dispatchEvent.bind(target);
  const Custom = CustomEvent;
  const { parse, stringify } = JSON;
  const { freeze } = Object;
  const functions = new Map<number, (...args: unknown[]) => unknown>();
  const ids = new Map<unknown, number>();
  const settlers = new Map<number, (isOk: boolean, value: unknown) => void>();
  let next = 0;
  let reply: unknown = null;

  const dispatch: BridgeSide['dispatch'] = (kind, detail) => {
    send(new Custom(`${token}:${other}:${kind}`, { detail: stringify(detail) }));
  };
  const listen: BridgeSide['listen'] = (kind, listener) => {
    add(`${token}:${mine}:${kind}`, (event) => listener(parse((event as CustomEvent<string>).detail) as never));
  };
  const describe: BridgeSide['describe'] = (value, depth = 0) => {
    if (depth > 1_000)
      throw new TypeError(
        'Electron contextBridge recursion depth exceeded.  Nested objects deeper than 1000 are not supported.',
      );
    if (typeof value === 'function') {
      let id = ids.get(value);
      if (id === undefined) {
        next += 1;
        id = next;
        ids.set(value, id);
        functions.set(id, value as never);
      }
      return ['function', id];
    }
    if (value instanceof Promise) {
      next += 1;
      const id = next;
      value.then(
        (result) => dispatch('settle', [id, true, describe(result)]),
        (error: unknown) => dispatch('settle', [id, false, describe(error)]),
      );
      return ['promise', id];
    }
    if (Array.isArray(value)) return ['array', value.map((inner) => describe(inner, depth + 1))];
    if (typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Object]')
      return ['object', Object.entries(value).map(([key, inner]) => [key, describe(inner, depth + 1)])];
    return ['clone', codec.encode(value)];
  };
  const revive: BridgeSide['revive'] = ([kind, value], isFrozen) => {
    switch (kind) {
      case 'function':
        return (...args: unknown[]) => call(value as number, args);
      case 'promise':
        return new Promise((resolve, reject) => {
          settlers.set(value as number, (isOk, result) => (isOk ? resolve(result) : reject(result)));
        });
      case 'array': {
        const list = (value as Described[]).map((inner) => revive(inner, isFrozen));
        return isFrozen ? freeze(list) : list;
      }
      case 'object': {
        const object: Record<string, unknown> = {};
        for (const [key, inner] of value as [string, Described][]) object[key] = revive(inner, isFrozen);
        return isFrozen ? freeze(object) : object;
      }
      default:
        return codec.decode(value as string);
    }
  };
  const call = (id: number, args: readonly unknown[]): unknown => {
    reply = null;
    dispatch('call', [id, args.map((one) => describe(one))]);
    const [isOk, result] = (reply ?? [false, ['clone', codec.encode(new Error('the bridge is gone'))]]) as [
      boolean,
      Described,
    ];
    const value = revive(result, false);
    if (isOk) return value;
    throw value;
  };
  listen('reply', (detail) => {
    reply = detail;
  });
  listen('call', ([id, args]: [number, Described[]]) => {
    let answer: [boolean, Described];
    try {
      answer = [true, describe(functions.get(id)?.(...args.map((one) => revive(one, false))))];
    } catch (error) {
      answer = [false, describe(error instanceof Error ? error : new Error(String(error)))];
    }
    dispatch('reply', answer);
  });
  listen('settle', ([id, isOk, value]: [number, boolean, Described]) => {
    const settle = settlers.get(id);
    settlers.delete(id);
    settle?.(isOk, revive(value, false));
  });
  return { describe, revive, dispatch, listen };
}

/** The page's side: puts what the preload script exposes on `window`, frozen, not to be replaced. */
function mainWorld(token: string, makeCodec: typeof createCodec, makeSide: typeof bridgeSide): void {
  if (window.top !== window) return;
  const { defineProperty } = Object;
  const side = makeSide(token, 'main', 'isolated', makeCodec());
  side.listen('expose', ([key, api]: [string, Described]) => {
    const isTaken = key in window;
    if (!isTaken) {
      const value = side.revive(api, true);
      defineProperty(window, key, { value, enumerable: true, writable: false, configurable: false });
    }
    side.dispatch('exposed', [isTaken]);
  });
  // A window that the program denies is null to the page; Chromium alone would give one.
  defineProperty(window, 'open', {
    value: (url?: string | URL, name?: string) => {
      side.dispatch('open', [new URL(String(url ?? 'about:blank'), document.baseURI).href, String(name ?? '')]);
      return null;
    },
    writable: true,
    configurable: true,
  });
  side.dispatch('ready', []);
}

type PreloadFacts = { readonly platform: string; readonly versions: Readonly<Record<string, string>> };

/** The preload's side: what a sandboxed preload script finds, then the script itself. */
function isolatedWorld(
  token: string,
  names: { readonly binding: string; readonly receiver: string },
  facts: PreloadFacts,
  makeCodec: typeof createCodec,
  makeSide: typeof bridgeSide,
  script: ((...scope: unknown[]) => void) | null,
): void {
  if (window.top !== window) return;
  const codec = makeCodec();
  const side = makeSide(token, 'isolated', 'main', codec);
  const toProgram = (globalThis as unknown as Record<string, (text: string) => void>)[names.binding];
  const post = (message: readonly unknown[]): void => toProgram?.(JSON.stringify(message));
  const missing = (what: string): Error => new Error(`electron-host: ${what} is not emulated in the preload`);
  const strict = <T extends object>(name: string, value: T): T =>
    new Proxy(value, {
      get: (object, key) => {
        if (typeof key === 'symbol' || key in object || key === 'then')
          return (object as Record<string | symbol, unknown>)[key];
        throw missing(`${name}.${key}`);
      },
    });

  type Listener = (...args: unknown[]) => void;
  const listeners = new Map<string, Listener[]>();
  const pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();
  let calls = 0;
  const emitter = {
    on: (channel: string, listener: Listener) => {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
      return ipcRenderer;
    },
    removeListener: (channel: string, listener: Listener) => {
      listeners.set(
        channel,
        (listeners.get(channel) ?? []).filter((one) => one !== listener),
      );
      return ipcRenderer;
    },
  };
  const ipcRenderer: Record<string, unknown> = strict('ipcRenderer', {
    invoke: async (channel: string, ...args: unknown[]) => {
      const text = codec.encode(args);
      calls += 1;
      const id = calls;
      const answer = new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
      post(['invoke', id, channel, text]);
      return answer;
    },
    send: (channel: string, ...args: unknown[]) => post(['send', 0, channel, codec.encode(args)]),
    on: emitter.on,
    addListener: emitter.on,
    off: emitter.removeListener,
    removeListener: emitter.removeListener,
    once: (channel: string, listener: Listener) => {
      const once: Listener = (...args) => {
        emitter.removeListener(channel, once);
        listener(...args);
      };
      return emitter.on(channel, once);
    },
    removeAllListeners: (channel: string) => {
      listeners.delete(channel);
      return ipcRenderer;
    },
  });
  Object.defineProperty(globalThis, names.receiver, {
    value: (kind: string, id: number, name: string, text: string) => {
      if (kind === 'event') {
        const args = codec.decode(text) as unknown[];
        for (const listener of listeners.get(name) ?? []) listener({ sender: ipcRenderer, ports: [] }, ...args);
        return;
      }
      const call = pending.get(id);
      pending.delete(id);
      if (kind === 'value') call?.resolve(codec.decode(text));
      else call?.reject(new Error(`Error invoking remote method '${name}': ${text}`));
    },
  });

  side.listen('open', ([url, name]: [string, string]) => post(['open', 0, url, name]));
  let exposed: [boolean] | null = null;
  let isReady = false;
  const queue: [string, Described][] = [];
  side.listen('exposed', (detail) => {
    exposed = detail;
  });
  side.listen('ready', () => {
    isReady = true;
    for (const one of queue.splice(0)) side.dispatch('expose', one);
  });
  const contextBridge = strict('contextBridge', {
    exposeInMainWorld: (key: string, api: unknown) => {
      const described = side.describe(api);
      exposed = null;
      side.dispatch('expose', [key, described]);
      if ((exposed as [boolean] | null)?.[0] === true)
        throw new Error('Cannot bind an API on top of an existing property on the window object');
      // The page's side was not there yet: it asks when it is.
      if (exposed === null && !isReady) queue.push([key, described]);
    },
  });

  class Emitter {
    readonly heard = new Map<string, Listener[]>();
    on(event: string, listener: Listener): this {
      this.heard.set(event, [...(this.heard.get(event) ?? []), listener]);
      return this;
    }
    off(event: string, listener: Listener): this {
      this.heard.set(
        event,
        (this.heard.get(event) ?? []).filter((one) => one !== listener),
      );
      return this;
    }
    emit(event: string, ...args: unknown[]): boolean {
      for (const listener of this.heard.get(event) ?? []) listener(...args);
      return (this.heard.get(event) ?? []).length > 0;
    }
  }
  // "Process Sandboxing" of Electron's documentation lists exactly these.
  const modules: Record<string, unknown> = {
    electron: strict('electron', { contextBridge, ipcRenderer }),
    events: Object.assign(Emitter, { EventEmitter: Emitter }),
    timers: { setTimeout, clearTimeout, setInterval, clearInterval },
    url: { URL, URLSearchParams },
  };
  const require = (name: string): unknown => {
    const found = modules[name.replace(/^node:/, '')];
    if (found === undefined) throw new Error(`module not found: ${name}`);
    return found;
  };
  const module = { exports: {} };
  const process = strict('process', {
    platform: facts.platform,
    versions: facts.versions,
    type: 'renderer',
    sandboxed: true,
    contextIsolated: true,
    env: {},
  });
  try {
    script?.(require, module, module.exports, process);
  } catch (error) {
    post(['preload-error', 0, String((error as Error).message), String((error as Error).stack)]);
  }
}

/** The sources of both worlds for one page. `token` must not be guessable by the page. */
export function worldSources(
  token: string,
  preload: string | null,
  facts: PreloadFacts,
): { readonly main: string; readonly isolated: string } {
  const text = (value: unknown): string => JSON.stringify(value);
  const shared = `const createCodec = ${createCodec.toString()}; const bridgeSide = ${bridgeSide.toString()};`;
  const script = preload === null ? 'null' : `(function (require, module, exports, process) {\n${preload}\n})`;
  return {
    main: `(() => { ${shared} (${mainWorld.toString()})(${text(token)}, createCodec, bridgeSide); })();`,
    isolated: `(() => { ${shared} (${isolatedWorld.toString()})(${text(token)}, ${text({ binding: BINDING, receiver: RECEIVER })}, ${text(facts)}, createCodec, bridgeSide, ${script}); })();`,
  };
}
