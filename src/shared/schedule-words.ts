/** What runs by itself, in words that the window and the command line share. Pure. */
import type { ScheduleEntry } from './contract-ops.ts';

export type Rhythm =
  | { readonly kind: 'daily'; readonly time: string; readonly zone: string }
  | { readonly kind: 'after_daily'; readonly time: string; readonly zone: string }
  | { readonly kind: 'every'; readonly ms: number }
  | { readonly kind: 'quiet'; readonly ms: number };

export const scheduleNames: Readonly<Record<ScheduleEntry['id'], { readonly name: string; readonly what: string }>> = {
  backup_changes: { name: 'Backup of changes', what: 'When what you save has come to rest.' },
  backup_daily: { name: 'Daily backup', what: 'Also when nothing changed; the archive for Supabase goes with it.' },
  drill: { name: 'Proof by a restore', what: 'A backup is restored into a scratch folder and compared byte by byte.' },
  retention: { name: 'Clearing of old archives', what: 'After the daily backup. The newest proven one always stays.' },
  scan: { name: 'Safety scan', what: 'Reads all watched folders for what events missed.' },
  sync_supabase: { name: 'Round with Supabase', what: 'Changes go at once; a round compares everything.' },
  sync_notion: { name: 'Round with Notion', what: 'Changes go at once; a round compares everything.' },
  tidy: { name: 'Tidying of the log', what: 'Lines that are older than the setting go.' },
};

export const scheduleStates: Readonly<Record<ScheduleEntry['state'], string>> = {
  on: 'On',
  waiting: 'Waits for a change',
  off: 'Off',
  failing: 'Failing',
};

export function rhythmOf({ id, everyMs, dailyAt, timeZone }: ScheduleEntry): Rhythm {
  if (dailyAt !== null)
    return { kind: id === 'retention' ? 'after_daily' : 'daily', time: dailyAt, zone: timeZone ?? 'UTC' };
  return { kind: id === 'backup_changes' ? 'quiet' : 'every', ms: everyMs ?? 0 };
}

export function rhythmText(rhythm: Rhythm): string {
  switch (rhythm.kind) {
    case 'daily':
      return `Every day at ${rhythm.time} (${rhythm.zone})`;
    case 'after_daily':
      return `After the daily backup at ${rhythm.time} (${rhythm.zone})`;
    case 'quiet':
      return `${counted(Math.round(rhythm.ms / 1_000), 'second')} after the last change`;
    case 'every':
      return everyText(rhythm.ms);
  }
}

export function everyText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes % 10_080 === 0) return minutes === 10_080 ? 'Every week' : `Every ${minutes / 10_080} weeks`;
  if (minutes % 1_440 === 0) return minutes === 1_440 ? 'Every day' : `Every ${minutes / 1_440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? 'Every hour' : `Every ${minutes / 60} hours`;
  return minutes === 1 ? 'Every minute' : `Every ${minutes} minutes`;
}

/** Why an entry that is on has no next time: it waits for something. */
export function waitsFor({ id, state, nextAtMs }: ScheduleEntry): 'change' | 'first_backup' | null {
  if (state === 'off' || nextAtMs.length > 0) return null;
  if (id === 'backup_changes') return 'change';
  return id === 'drill' ? 'first_backup' : null;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
