import { displayPath, formatBytes, formatDuration } from '../../../shared/display.ts';
import type { Context } from './context.ts';
import { formatTime } from './time.ts';

export { displayPath, displayText, formatBytes, formatDuration } from '../../../shared/display.ts';

/** The end of an id: its start is a time and alike for neighbours. Every command takes it in the place of the whole. */
export function shortId(id: string): string {
  return id.slice(-8);
}

export function when(context: Context, timeMs: number | null): string {
  return timeMs === null ? '-' : formatTime(timeMs, context.io.timeZone);
}

/** The same to the minute, for lists that are wide enough without seconds. */
export function whenShort(context: Context, timeMs: number | null): string {
  return when(context, timeMs).slice(0, 16);
}

/** How long something took: milliseconds below a second. */
export function took(durationMs: number): string {
  return durationMs < 1_000 ? `${Math.round(durationMs)} ms` : formatDuration(durationMs);
}

/** A message as one line of a terminal, whatever is in it. */
export function oneLine(text: string): string {
  return displayPath(text);
}

export function ago(context: Context, timeMs: number | null): string {
  if (timeMs === null) return 'never';
  const passed = context.io.nowMs() - timeMs;
  return passed < 1_000 ? 'just now' : `${formatDuration(passed)} ago`;
}

export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** `1,234,567`. Not through Intl, which takes longer to load than a quick command takes. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A file as a person knows it: its absolute path. */
export function fullPath(file: { readonly root: string; readonly path: string }): string {
  return displayPath(`${file.root}/${file.path}`);
}

export function filesAndSize(files: number, sizeBytes: number): string {
  return `${plural(files, 'file')}, ${formatBytes(sizeBytes)}`;
}
