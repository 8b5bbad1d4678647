/** The words of summaries for people: what a run of sync did, and what happened in a while. Pure. */
import type { SyncPlan } from '../../shared/contract-sync.ts';
import { displayPath } from '../../shared/display.ts';
import type { ActivityKind, ActivityRecord } from '../../shared/model.ts';

export type RunFacts = {
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly device: string;
  readonly timeZone: string;
  readonly plans: readonly SyncPlan[];
  readonly openConflicts: number;
};

export type WhileFacts = {
  readonly untilMs: number;
  readonly device: string;
  readonly timeZone: string;
  readonly counts: readonly { readonly kind: ActivityKind; readonly count: number }[];
  /** What is worth a line of its own: backups, restores, decisions about sync. Newest first. */
  readonly events: readonly Pick<ActivityRecord, 'summary' | 'occurredAtMs'>[];
  readonly waiting: readonly { readonly remote: string; readonly count: number }[];
  readonly openConflicts: number;
};

/** One page a run; its title is its own. */
export function describeRun(facts: RunFacts): { readonly title: string; readonly text: string } {
  const { date, time } = clockOf(facts.startedAtMs, facts.timeZone, true);
  const seconds = ((facts.finishedAtMs - facts.startedAtMs) / 1_000).toFixed(1);
  const lines = facts.plans.flatMap((plan) => [
    `## ${plan.remote === 'supabase' ? 'Supabase' : 'Notion'}`,
    '',
    ...(plan.problem === null ? [] : [`- Not finished: ${oneLine(plan.problem.message)}`]),
    ...(plan.hold === null ? [] : ['- Held until a person decides: `angles sync --accept` or `--refuse`']),
    ...plan.tables.flatMap(({ table, push, pull, pushDeletes, pullDeletes, conflicts }) => [
      `- ${table}: ${push} sent${retired(pushDeletes)}, ${pull} taken${retired(pullDeletes)}${conflicts > 0 ? `, ${counted(conflicts, 'conflict')}` : ''}`,
    ]),
    ...(plan.tables.length === 0 && plan.problem === null ? ['- The same on both sides'] : []),
    ...plan.sample.slice(0, MOST_LINES).map((line) => `- ${oneLine(line)}`),
    '',
  ]);
  const text = [
    `By ${oneLine(facts.device)}, in ${seconds} s. ${conflictsText(facts.openConflicts)}`,
    '',
    ...lines,
  ].join('\n');
  return { title: `Sync ${date} ${time}, ${oneLine(facts.device)}`, text: text.trimEnd() };
}

/** A section of the page of a day; null when nothing happened. */
export function describeWhile(
  facts: WhileFacts,
): { readonly title: string; readonly heading: string; readonly text: string } | null {
  const lines = WORDS.flatMap(({ title, kinds }) => {
    const parts = kinds.flatMap(({ kind, word }) => {
      const count = facts.counts.find((one) => one.kind === kind)?.count ?? 0;
      return count === 0 ? [] : [`${count} ${word}`];
    });
    return parts.length === 0 ? [] : [`- ${title}: ${parts.join(', ')}`];
  });
  if (lines.length === 0) return null;
  const { date, time } = clockOf(facts.untilMs, facts.timeZone, true);
  const events = facts.events.slice(0, MOST_LINES).map((event) => {
    const at = clockOf(event.occurredAtMs, facts.timeZone, false).time;
    return `- ${at} ${oneLine(event.summary)}`;
  });
  const waits = facts.waiting.filter(({ count }) => count > 0).map(({ remote, count }) => `${count} for ${remote}`);
  const still = waits.length === 0 ? 'Nothing waits to be sent.' : `Waiting to be sent: ${waits.join(', ')}.`;
  return {
    title: `Angles ${date}`,
    heading: `${time}, ${oneLine(facts.device)}`,
    text: [...lines, ...events, '', `${still} ${conflictsText(facts.openConflicts)}`].join('\n'),
  };
}

/** What gets a line of its own besides being counted. */
export const EVENT_KINDS: readonly ActivityKind[] = [
  'agent.recovered',
  'root.held',
  'sync.held',
  'sync.decided',
  'backup.made',
  'backup.failed',
  'restore.done',
  'restore.undone',
];

type Words = {
  readonly title: string;
  readonly kinds: readonly { readonly kind: ActivityKind; readonly word: string }[];
};
const WORDS: readonly Words[] = [
  {
    title: 'Files',
    kinds: [
      { kind: 'file.created', word: 'new' },
      { kind: 'file.modified', word: 'changed' },
      { kind: 'file.renamed', word: 'renamed' },
      { kind: 'file.deleted', word: 'deleted' },
    ],
  },
  {
    title: 'Decisions and memories',
    kinds: [
      { kind: 'record.created', word: 'new' },
      { kind: 'record.edited', word: 'edited' },
      { kind: 'record.superseded', word: 'superseded' },
      { kind: 'record.retired', word: 'retired' },
      { kind: 'record.restored', word: 'restored' },
    ],
  },
  {
    title: 'Sync',
    kinds: [
      { kind: 'sync.conflict', word: 'conflicts met' },
      { kind: 'sync.resolved', word: 'conflicts decided' },
      { kind: 'sync.held', word: 'held' },
      { kind: 'sync.decided', word: 'holds decided' },
    ],
  },
  {
    title: 'Backups',
    kinds: [
      { kind: 'backup.made', word: 'made' },
      { kind: 'backup.failed', word: 'failed' },
    ],
  },
  {
    title: 'Restores',
    kinds: [
      { kind: 'restore.done', word: 'done' },
      { kind: 'restore.undone', word: 'undone' },
    ],
  },
  {
    title: 'Agent',
    kinds: [
      { kind: 'agent.recovered', word: 'recovered' },
      { kind: 'root.held', word: 'folders held' },
    ],
  },
];

const MOST_LINES = 20;
const oneLine = (text: string): string => displayPath(text).slice(0, 300);
const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
const retired = (count: number): string => (count === 0 ? '' : ` (${count} retired)`);
const conflictsText = (open: number): string =>
  open === 0 ? 'No conflict waits for a decision.' : `${counted(open, 'conflict')} wait for a decision.`;

function clockOf(atMs: number, timeZone: string, withSeconds: boolean): { date: string; time: string } {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  const parts = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const time = `${parts.hour}:${parts.minute}${withSeconds ? `:${parts.second}` : ''}`;
  return { date: `${parts.year}-${parts.month}-${parts.day}`, time };
}
