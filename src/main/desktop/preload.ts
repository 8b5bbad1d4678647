/**
 * Runs in the window before its page, in a world of its own, sandboxed. It gives the page two verbs and nothing of
 * Electron: no channel names, no event objects, no way to other channels.
 */
import { contextBridge, ipcRenderer } from 'electron';
import { CALL_CHANNEL, EVENT_CHANNEL } from './channels.ts';

type Listener = (payload: unknown) => void;
const listeners = new Map<string, Set<Listener>>();

ipcRenderer.on(EVENT_CHANNEL, (_event, name: string, payload: unknown) => {
  for (const listener of [...(listeners.get(name) ?? [])]) listener(payload);
});

contextBridge.exposeInMainWorld('angles', {
  call: (method: unknown, input: unknown) => ipcRenderer.invoke(CALL_CHANNEL, String(method), input),
  on: (event: unknown, listener: unknown) => {
    if (typeof listener !== 'function') throw new TypeError('A listener is a function.');
    const name = String(event);
    const known = listeners.get(name) ?? new Set<Listener>();
    listeners.set(name, known);
    const mine: Listener = (payload) => (listener as Listener)(payload);
    known.add(mine);
    return () => {
      known.delete(mine);
      if (known.size === 0) listeners.delete(name);
    };
  },
});
