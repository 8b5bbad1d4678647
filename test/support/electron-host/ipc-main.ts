import { EventEmitter } from 'node:events';
import { createCodec } from './codec.ts';
import { strict } from './strict.ts';

type Handler = (event: unknown, ...args: unknown[]) => unknown;
const handlers = new Map<string, Handler>();
const codec = createCodec();

class IpcMain extends EventEmitter {
  handle(channel: string, handler: Handler): void {
    if (handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
    handlers.set(channel, handler);
  }

  handleOnce(channel: string, handler: Handler): void {
    this.handle(channel, (event, ...args) => {
      handlers.delete(channel);
      return handler(event, ...args);
    });
  }

  removeHandler(channel: string): void {
    handlers.delete(channel);
  }
}
export const ipcMain = strict('ipcMain', new IpcMain());

/** The encoded answer of a handler. Rejects as Electron does; the text of the error is what the page gets of it. */
export async function answerInvoke(channel: string, event: object, args: readonly unknown[]): Promise<string> {
  const handler = handlers.get(channel);
  if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
  const value = await handler(event, ...args);
  try {
    return codec.encode(value);
  } catch {
    throw new Error('An object could not be cloned.');
  }
}
