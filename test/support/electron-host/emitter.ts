import { EventEmitter } from 'node:events';
import { checkEvent } from './strict.ts';

/** An emitter that knows which events exist: waiting for one that never comes is a mistake in the program. */
export class KnownEmitter extends EventEmitter {
  readonly emitterName: string;
  readonly known: ReadonlySet<string>;

  constructor(name: string, events: readonly string[]) {
    super();
    this.emitterName = name;
    this.known = new Set(events);
    this.setMaxListeners(50);
  }

  override on(event: string | symbol, listener: (...args: never[]) => void): this {
    checkEvent(this.emitterName, this.known, event);
    return super.on(event, listener as never);
  }

  override once(event: string | symbol, listener: (...args: never[]) => void): this {
    checkEvent(this.emitterName, this.known, event);
    return super.once(event, listener as never);
  }

  override addListener(event: string | symbol, listener: (...args: never[]) => void): this {
    return this.on(event, listener);
  }
}

/** The event object of a preventable event. */
export function preventable<T extends object>(
  fields: T,
): T & { preventDefault: () => void; defaultPrevented: boolean } {
  const event = {
    ...fields,
    defaultPrevented: false,
    preventDefault: () => {
      event.defaultPrevented = true;
    },
  };
  return event;
}
