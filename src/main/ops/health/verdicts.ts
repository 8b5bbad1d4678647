import type { Check } from '../../../shared/model.ts';

export function ok(id: string, title: string, reason: string): Check[] {
  return [{ id, title, verdict: 'ok', reason, fix: null }];
}

export function off(id: string, title: string, reason: string, fix: string | null = null): Check[] {
  return [{ id, title, verdict: 'off', reason, fix }];
}

export function warn(id: string, title: string, reason: string, fix: string): Check[] {
  return [{ id, title, verdict: 'warn', reason, fix }];
}

export function error(id: string, title: string, reason: string, fix: string): Check[] {
  return [{ id, title, verdict: 'error', reason, fix }];
}

/** `1 file`, `2 files`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
