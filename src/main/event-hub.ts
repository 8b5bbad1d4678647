import type { AgentEvent } from '../shared/contract.ts';

/** Hands events to the faces. A listener that fails harms nobody else. */
export type EventHub = {
  readonly subscribe: (listener: (event: AgentEvent) => void) => () => void;
  readonly emit: (event: AgentEvent) => void;
  /** Tells that the status changed: at most four times a second, the last one always. */
  readonly statusChanged: () => void;
  readonly stop: () => void;
};

const STATUS_EVERY_MS = 250;

export function createEventHub(onProblem: (cause: unknown) => void): EventHub {
  const listeners = new Set<(event: AgentEvent) => void>();
  let timer: NodeJS.Timeout | null = null;
  const emit = (event: AgentEvent): void => {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (cause) {
        onProblem(cause);
      }
    }
  };
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    emit,
    statusChanged: () => {
      if (timer !== null || listeners.size === 0) return;
      timer = setTimeout(() => {
        timer = null;
        emit({ event: 'status', payload: {} });
      }, STATUS_EVERY_MS);
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      listeners.clear();
    },
  };
}
