import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/**
 * What two threads that list one tree say to each other: one that has nothing left to list takes half of what the
 * other has. Both work without pause (a thread that listens for messages could not list meanwhile), so they meet in
 * one word of shared memory and sleep on it.
 */
export type ScanShare = {
  /** Lists first what was asked for; the other one begins with nothing. */
  readonly isFirst: boolean;
  /** Before each folder: hands half of the waiting folders over, if the other one has none. The first wait longest. */
  readonly give: (waiting: string[]) => void;
  /** Waits for folders of the other one; null when nobody has any. */
  readonly take: () => readonly string[] | null;
  /**
   * After `take` gave null: the one who sees the end first hears what the other one found and concludes for both; the
   * other one gets null.
   */
  readonly conclude: (mine: ScanShareEnd) => ScanShareEnd | null;
};

export type ScanShareEnd = { readonly visited: readonly string[]; readonly unreadable: readonly string[] };

/** Handed to both threads; `port` is one end of a channel each. */
export type ScanShareData = { readonly state: SharedArrayBuffer; readonly port: MessagePort; readonly me: 0 | 1 };

/** 0 while both list, else who has nothing (1 or 2), at last 3. Only the one who still lists feeds the other. */
const BOTH_LIST = 0;
const OVER = 3;
const HUNGRY = [1, 2] as const;
/** In the second word: the account of the one who waited is in the mail. */
const SENT = 1;

export const createShareState = (): SharedArrayBuffer => new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);

export function createScanShare({ state, port, me }: ScanShareData): ScanShare {
  const words = new Int32Array(state);
  const mine = HUNGRY[me];
  const others = HUNGRY[1 - me];
  let hasWaited = true;

  /** What the other one posted before it changed the word: a message is there as soon as it is posted. */
  const receive = <T>(): T => {
    const received = receiveMessageOnPort(port) as { readonly message: T } | undefined;
    if (received === undefined) throw new Error('the other thread announced what it did not send');
    return received.message;
  };

  return {
    isFirst: me === 0,
    give: (waiting) => {
      if (waiting.length < 2 || Atomics.load(words, 0) !== others) return;
      port.postMessage(waiting.splice(0, waiting.length >> 1));
      Atomics.store(words, 0, BOTH_LIST);
      Atomics.notify(words, 0);
    },
    take: () => {
      if (Atomics.compareExchange(words, 0, BOTH_LIST, mine) !== BOTH_LIST) {
        // The other one has nothing either, and only this one could have fed it.
        Atomics.store(words, 0, OVER);
        Atomics.notify(words, 0);
        hasWaited = false;
        return null;
      }
      Atomics.wait(words, 0, mine);
      return Atomics.load(words, 0) === OVER ? null : receive<readonly string[]>();
    },
    conclude: (end) => {
      if (hasWaited) {
        port.postMessage(end);
        Atomics.store(words, 1, SENT);
        Atomics.notify(words, 1);
        return null;
      }
      Atomics.wait(words, 1, 0);
      return receive<ScanShareEnd>();
    },
  };
}
