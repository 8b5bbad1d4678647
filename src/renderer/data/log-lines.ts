/** The live tail: a bounded list of log lines and the filter that new ones must pass. */
import type { LogLevel, LogRecord } from '../../shared/model.ts';

export const KEPT_LINES = 5_000;
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export type LogFilter = { readonly level: LogLevel; readonly component: string; readonly text: string };

/** Whether a line passes: this level and worse, this part, this text (in any case). */
export const passes = (line: LogRecord, filter: LogFilter): boolean =>
  LEVELS.indexOf(line.level) >= LEVELS.indexOf(filter.level) &&
  (filter.component === '' || line.component === filter.component) &&
  (filter.text === '' || line.message.toLowerCase().includes(filter.text.toLowerCase()));

/** Adds lines in order of their sequence number, each once, and keeps the newest. */
export function addLines(
  known: readonly LogRecord[],
  fresh: readonly LogRecord[],
  kept = KEPT_LINES,
): readonly LogRecord[] {
  const last = known.at(-1)?.seq ?? -1;
  const after = fresh.every((line, index) => line.seq > (fresh[index - 1]?.seq ?? last));
  if (after) return fresh.length === 0 ? known : [...known, ...fresh].slice(-kept);
  const bySeq = new Map([...known, ...fresh].map((line) => [line.seq, line]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq).slice(-kept);
}
