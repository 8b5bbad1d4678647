/** Counts what a run does, or would do, and keeps a few lines of it in plain words. */
import type { SyncTableCounts } from '../../shared/contract-sync.ts';
import { displayPath } from '../../shared/display.ts';
import type { SyncTable } from './connector.ts';
import type { Change, GoneChange, MergeChange } from './plan-change.ts';

const MOST_LINES = 20;
const MOST_TITLE = 80;

export type Tally = {
  readonly push: (table: SyncTable, title: string, isRetired: boolean) => void;
  readonly change: (change: Change) => void;
  readonly say: (line: string) => void;
  readonly tables: () => SyncTableCounts[];
  readonly lines: () => string[];
  /** How many records changed here, or were sent. */
  readonly moved: () => { readonly pushed: number; readonly pulled: number; readonly conflicts: number };
};

export function createTally(): Tally {
  const counts = new Map<SyncTable, { -readonly [K in keyof SyncTableCounts]: SyncTableCounts[K] }>();
  const lines: string[] = [];
  const of = (table: SyncTable) => {
    const known = counts.get(table) ?? emptyCounts(table);
    counts.set(table, known);
    return known;
  };
  const say = (line: string): void => {
    if (lines.length < MOST_LINES) lines.push(line);
  };
  return {
    push: (table, title, isRetired) => {
      const one = of(table);
      one.push += 1;
      if (isRetired) one.pushDeletes += 1;
      if (title !== '') say(`${isRetired ? 'Retire over there' : 'Send'}: ${shortTitle(title)}`);
    },
    change: (change) => {
      if (change.kind === 'activity') {
        of('activities').pull += 1;
        of('activities').pullCreates += 1;
      }
      if (change.kind === 'gone' && change.action === 'retire') countGone(of(change.table), change, say);
      if (change.kind === 'merge') countMerge(of(change.table), change, say);
    },
    say,
    tables: () => [...counts.values()],
    lines: () => [...lines],
    moved: () => {
      const sum = { pushed: 0, pulled: 0, conflicts: 0 };
      for (const one of counts.values()) {
        sum.pushed += one.push;
        sum.pulled += one.pull;
        sum.conflicts += one.conflicts;
      }
      return sum;
    },
  };
}

function emptyCounts(table: SyncTable): SyncTableCounts {
  return { table, push: 0, pushDeletes: 0, pull: 0, pullCreates: 0, pullDeletes: 0, conflicts: 0, invalid: 0 };
}

type Counts = { -readonly [K in keyof SyncTableCounts]: SyncTableCounts[K] };

function countGone(counts: Counts, change: GoneChange, say: (line: string) => void): void {
  counts.pull += 1;
  counts.pullDeletes += 1;
  say(`Retire here: ${shortTitle(change.local.title)}`);
}

function countMerge(counts: Counts, change: MergeChange, say: (line: string) => void): void {
  const { local, apply } = change;
  counts.conflicts += change.conflicts.length;
  counts.invalid += change.problems.length;
  const fields = Object.keys(apply);
  if (local !== null && fields.length === 0) return;
  counts.pull += 1;
  if (local === null) counts.pullCreates += 1;
  if (change.loss === 'delete') counts.pullDeletes += 1;
  say(describeMerge(change, fields));
}

/** What a change does here, in one line. */
export function describeMerge({ local, apply, loss }: MergeChange, fields: readonly string[]): string {
  if (local === null) return `New here: ${shortTitle(String(apply.title ?? ''))}`;
  if (loss === 'delete') return `Retire here: ${shortTitle(local.title)}`;
  return `Change here: ${shortTitle(local.title)} (${fields.join(', ')})`;
}

export function shortTitle(title: string): string {
  const characters = [...displayPath(title)];
  return `"${characters.length <= MOST_TITLE ? characters.join('') : `${characters.slice(0, MOST_TITLE - 1).join('')}…`}"`;
}
