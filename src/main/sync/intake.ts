/** Takes in what a remote tells: plans each record, carries out what loses nothing at once, and weighs the rest at the end. */
import type { SyncHold } from '../../shared/contract-sync.ts';
import type { Remote } from '../../shared/model.ts';
import type { Applier } from './apply-change.ts';
import { mustHold } from './breaker.ts';
import type { MergedTable } from './connector.ts';
import type { SyncShell, SyncStores } from './parts.ts';
import type { Change, Incoming, Planner } from './plan-change.ts';
import { describeMerge, shortTitle, type Tally } from './tally.ts';

/** What is done with changes that take something away here. */
export type LossAnswer =
  /** Done when they are few, held when they are many. */
  | { readonly kind: 'weigh' }
  /** A person agreed to as many; more are held again. */
  | { readonly kind: 'accept'; readonly deletes: number; readonly overwrites: number }
  /** A person said no: this vault's state is sent instead. */
  | { readonly kind: 'refuse' };

export type Intake = {
  /**
   * Durable when it returns, together with the cursor as far as nothing before it waits to be weighed. Safe to repeat.
   */
  readonly take: (incoming: readonly Incoming[], cursor: string | null) => void;
  /** Weighs what is left, and does it or gives back why it is held. */
  readonly finish: () => SyncHold | null;
};

export type IntakeParts = {
  readonly stores: SyncStores;
  readonly shell: SyncShell;
  readonly plan: Planner;
  readonly applier: Applier;
};

/** Rows of one transaction: the main thread does nothing else meanwhile. */
const STEP = 200;

export function openIntake(
  { stores, shell, plan, applier }: IntakeParts,
  remote: Remote,
  answer: LossAnswer,
  tally: Tally,
): Intake {
  /** By row over there; the newest state of a row replaces an older one. */
  const waiting = new Map<string, Incoming>();
  const touched = new Set<MergedTable>();
  let reached: string | null = null;

  const carryOut = (group: readonly Change[]): void => {
    stores.write((tx) => applier.apply(tx, remote, group));
    for (const change of group) {
      tally.change(change);
      if (change.kind === 'merge' || change.kind === 'gone') touched.add(change.table);
    }
  };
  /** Plans and does; a record that comes twice is planned again after its first change is written. */
  const process = (incoming: readonly Incoming[], isWeighed: boolean): void => {
    let group: Change[] = [];
    let ids = new Set<string>();
    const flush = (): void => {
      if (group.length > 0) carryOut(group);
      group = [];
      ids = new Set();
    };
    for (const one of incoming) {
      let change = plan(remote, one);
      if (change.kind === 'none') {
        waiting.delete(rowOf(one));
        continue;
      }
      const id = change.kind === 'activity' ? change.activity.id : change.id;
      if (ids.has(id)) {
        flush();
        change = plan(remote, one);
      }
      if (change.loss !== null && !isWeighed) {
        waiting.set(rowOf(one), one);
        continue;
      }
      waiting.delete(rowOf(one));
      ids.add(id);
      group.push(change);
    }
    flush();
  };
  const tell = (): void => {
    for (const table of touched) shell.onRecords(table);
    touched.clear();
  };

  return {
    take: (incoming, cursor) => {
      for (let start = 0; start < incoming.length; start += STEP) {
        stores.write(() => process(incoming.slice(start, start + STEP), false));
      }
      if (cursor !== null) reached = cursor;
      if (cursor !== null && waiting.size === 0) stores.states.update(remote, { pullCursor: cursor });
      tell();
    },
    finish: () => {
      const left = [...waiting.values()];
      const hold = weigh(
        stores,
        shell,
        left.map((one) => plan(remote, one)),
        answer,
      );
      if (hold !== null) return hold;
      stores.write((tx) => {
        if (answer.kind === 'refuse') for (const one of left) applier.refuse(tx, remote, plan(remote, one));
        else process(left, true);
        if (reached !== null) stores.states.update(remote, { pullCursor: reached });
      });
      tell();
      return null;
    },
  };
}

const rowOf = (incoming: Incoming): string =>
  incoming.kind === 'record'
    ? `${incoming.record.table} ${incoming.record.remoteId}`
    : `${incoming.table} ${incoming.remoteId}`;

function weigh(stores: SyncStores, shell: SyncShell, changes: readonly Change[], answer: LossAnswer): SyncHold | null {
  const lost = changes.filter((change) => change.loss !== null);
  if (lost.length === 0 || answer.kind === 'refuse') return null;
  const deletes = lost.filter((change) => change.loss === 'delete').length;
  const overwrites = lost.length - deletes;
  if (answer.kind === 'accept' && deletes <= answer.deletes && overwrites <= answer.overwrites) return null;
  const tables = ['decision_vault', 'memories'] as const;
  const isHeld = tables.some((table) => {
    const own = lost.filter((change) => 'table' in change && change.table === table);
    const gone = own.filter((change) => change.loss === 'delete').length;
    const total = stores.records.count(table);
    return mustHold({ deletes: gone, overwrites: own.length - gone, total }, shell.settings().limits);
  });
  if (!isHeld) return null;
  const total = tables.reduce((sum, table) => sum + stores.records.count(table), 0);
  return {
    kind: 'pull',
    sinceMs: shell.nowMs(),
    deletes,
    overwrites,
    total,
    sample: lost.slice(0, 10).flatMap(lineOf),
  };
}

function lineOf(change: Change): string[] {
  if (change.kind === 'merge') return [describeMerge(change, Object.keys(change.apply))];
  return change.kind === 'gone' ? [`Retire here: ${shortTitle(change.local.title)}`] : [];
}
