/** Texts of the charts and of the schedule, which are loaded with their views. */
import type { ScheduleEntry } from '../shared/contract-ops.ts';
import type { Measure } from './data/health-view.ts';
import { plural } from './strings.ts';

type MeasureText = {
  readonly title: string;
  /** What the figure is, and what is good. */
  readonly what: string;
  readonly lines: readonly string[];
  readonly empty: string;
};

const measures: Readonly<Record<Measure, MeasureText>> = {
  latency: {
    title: 'From a change to the services',
    what: 'How long records waited until Supabase or Notion had acknowledged them.',
    lines: ['On average', 'At most'],
    empty: 'Nothing was sent in this time.',
  },
  queued: {
    title: 'What waits',
    what: 'Changes that were still to be captured or to be sent.',
    lines: ['Changes'],
    empty: 'No minute was noted in this time.',
  },
  cpu: {
    title: 'Processor',
    what: 'Share of one core that the agent used.',
    lines: ['Share of a core'],
    empty: 'No minute was noted in this time.',
  },
  memory: {
    title: 'Memory',
    what: 'What the agent held of the memory of this machine.',
    lines: ['Memory'],
    empty: 'No minute was noted in this time.',
  },
  backup_size: {
    title: 'Size of backups',
    what: 'What each backup of the last 90 days added to the repository.',
    lines: ['Added'],
    empty: 'No backup was made yet.',
  },
  backup_time: {
    title: 'Duration of backups',
    what: 'How long each took, with reading it back.',
    lines: ['Duration'],
    empty: 'No backup was made yet.',
  },
};

export const healthText = {
  title: 'Over time',
  lead: 'Noted once a minute while the agent runs, kept for seven days, on this machine only.',
  span: 'Show',
  spans: { hour: 'Past hour', day: 'Past day', week: 'Past week' },
  measures,
  summary: (last: string, mean: string, most: string, when: string) =>
    `Last ${last}. On average ${mean}, at most ${most} (${when}).`,
  table: 'As a table',
  /** `title`: of the chart. */
  tableOf: (title: string) => `${title}: the most of each stretch`,
  time: 'Time',
  none: 'no value',
  chart: (title: string, summary: string) => `Chart. ${title}. ${summary}`,
  nothing: 'Nothing is noted yet',
  nothingText: 'The first minute shows up here a minute after the agent started; backups as they are made.',
};

type EntryText = { readonly name: string; readonly what: string };
const entries: Readonly<Record<ScheduleEntry['id'], EntryText>> = {
  backup_changes: { name: 'Backup of changes', what: 'When what you save has come to rest.' },
  backup_daily: { name: 'Daily backup', what: 'Also when nothing changed; the archive for Supabase goes with it.' },
  drill: { name: 'Proof by a restore', what: 'A backup is restored into a scratch folder and compared byte by byte.' },
  retention: { name: 'Clearing of old archives', what: 'After the daily backup. The newest proven one always stays.' },
  scan: { name: 'Safety scan', what: 'Reads all watched folders for what events missed.' },
  sync_supabase: { name: 'Round with Supabase', what: 'Changes go at once; a round compares everything.' },
  sync_notion: { name: 'Round with Notion', what: 'Changes go at once; a round compares everything.' },
  tidy: { name: 'Tidying of the log', what: 'Lines that are older than the setting go.' },
};

export const scheduleText = {
  lead: 'What Angles does by itself, and when. What was slept through runs once, when the machine is back.',
  list: 'What runs by itself',
  entries,
  states: { on: 'On', waiting: 'Waits for a change', off: 'Off', failing: 'Failing' } as Readonly<
    Record<ScheduleEntry['state'], string>
  >,
  outcomes: { ok: 'well', failed: 'failed' } as const,
  last: 'Last',
  next: 'Next',
  later: 'Then',
  never: 'not yet',
  now: 'now',
  onChange: 'after your next change',
  afterFirst: 'a day after the first backup',
  daily: (time: string, zone: string) => `Every day at ${time} (${zone})`,
  every: (ms: number) => everyText(ms),
  quiet: (ms: number) => `${plural(Math.round(ms / 1_000), 'second')} after the last change`,
  followsDaily: (time: string, zone: string) => `After the daily backup at ${time} (${zone})`,
  weekly: 'Every week',
  zone: (zone: string) => `Times are those of this browser (${zone}).`,
  change: 'Change the times',
  others: 'Reports, sweeps and other jobs are not part of this version: what is not listed here does not run.',
};

function everyText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes % 10_080 === 0) return minutes === 10_080 ? 'Every week' : `Every ${minutes / 10_080} weeks`;
  if (minutes % 1_440 === 0) return minutes === 1_440 ? 'Every day' : `Every ${minutes / 1_440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? 'Every hour' : `Every ${minutes / 60} hours`;
  return `Every ${plural(minutes, 'minute')}`;
}
