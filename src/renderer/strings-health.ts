/** Texts of the charts and of the schedule, which are loaded with their views. */
import { scheduleNames, scheduleStates } from '../shared/schedule-words.ts';
import type { Measure } from './data/health-view.ts';

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

export const scheduleText = {
  lead: 'What Angles does by itself, and when. What was slept through runs once, when the machine is back.',
  list: 'What runs by itself',
  entries: scheduleNames,
  states: scheduleStates,
  outcomes: { ok: 'well', failed: 'failed' } as const,
  last: 'Last',
  next: 'Next',
  later: 'Then',
  never: 'not yet',
  now: 'now',
  onChange: 'after your next change',
  afterFirst: 'a day after the first backup',
  zone: (zone: string) => `Times are those of this browser (${zone}).`,
  change: 'Change the times',
  others: 'Reports, sweeps and other jobs are not part of this version: what is not listed here does not run.',
};
