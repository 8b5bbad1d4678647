import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: {
  readonly type: 'major';
  readonly execution: 'async';
  readonly flavor: 'last-resort';
}) => Promise<void>;

let collect: Collect | null = null;

/** Gives back what a bulk of work left: V8 keeps it for the next one, which may come in a month. Never throws. */
export function giveBackMemory(): void {
  setFlagsFromString('--expose-gc');
  collect ??= runInNewContext('gc') as Collect;
  void collect({ type: 'major', execution: 'async', flavor: 'last-resort' });
}
