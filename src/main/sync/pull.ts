/** Reads what changed at one remote, and compares all of it from time to time. */
import type { SyncHold } from '../../shared/contract-sync.ts';
import type { Remote } from '../../shared/model.ts';
import type { Connector, MergedTable, PullPage } from './connector.ts';
import { withDeadline } from './deadline.ts';
import { type IntakeParts, type LossAnswer, openIntake } from './intake.ts';
import type { Incoming } from './plan-change.ts';
import type { FoundChange } from './push.ts';
import { isMerged } from './record-check.ts';
import type { Tally } from './tally.ts';

export const PULL_LIMIT_MS = 120_000;
const READ_STEP = 200;

export type PullOrder = {
  readonly connector: Connector;
  readonly signal: AbortSignal;
  readonly tally: Tally;
  readonly answer: LossAnswer;
  readonly assertMayRead: () => void;
};

/** Takes in everything since the stored cursor. Gives back what is held; then the cursor stays before it. */
export async function pullAll(parts: IntakeParts, remote: Remote, order: PullOrder): Promise<SyncHold | null> {
  const intake = openIntake(parts, remote, order.answer, order.tally);
  for await (const page of pages(order, parts.stores.states.read(remote).pullCursor)) {
    intake.take(incomingOf(page), page.cursor);
  }
  return intake.finish();
}

/**
 * What a push found, as far as a pull that came after it told nothing newer: that one moves or removes the link. A
 * record without a link is read once more, since a pull tells nothing of what is not linked and is gone again.
 */
export async function stillNews(
  { stores }: IntakeParts,
  remote: Remote,
  order: Pick<PullOrder, 'connector' | 'signal' | 'assertMayRead'>,
  found: readonly FoundChange[],
): Promise<Incoming[]> {
  const news: Incoming[] = [];
  for (const { record, incoming } of found) {
    const link = stores.links.find(remote, record.table, record.id);
    const isAsSent = (link?.baseVersion ?? null) === record.baseVersion && (link?.remoteId ?? null) === record.remoteId;
    if (!isAsSent) continue;
    if (link !== undefined) {
      news.push(incoming);
      continue;
    }
    order.assertMayRead();
    const read = (signal: AbortSignal) => order.connector.read(record.table, [record.id], signal);
    const rows = await withDeadline(PULL_LIMIT_MS, order.signal, read);
    news.push(...rows.map((row): Incoming => ({ kind: 'record', record: row })));
  }
  return news;
}

/** What was found while sending, or by comparing. */
export function takeFound(
  parts: IntakeParts,
  remote: Remote,
  order: Pick<PullOrder, 'tally' | 'answer'>,
  found: readonly Incoming[],
): SyncHold | null {
  const intake = openIntake(parts, remote, order.answer, order.tally);
  intake.take(found, null);
  return intake.finish();
}

/**
 * Compares every linked record with its row: finds what no cursor tells, a row that was deleted without a trace, or one
 * that was written beside the change numbers. A remote that can be listed cheaply is listed, the other one is asked by id.
 */
export async function reconcile(parts: IntakeParts, remote: Remote, order: PullOrder): Promise<SyncHold | null> {
  const { connector } = order;
  const intake = openIntake(parts, remote, order.answer, order.tally);
  const listsAll = !connector.tables.includes('file_snapshots');
  const seen = new Set<string>();
  if (listsAll) {
    for await (const page of pages(order, null)) {
      for (const record of page.records) seen.add(record.remoteId);
      intake.take(incomingOf(page), null);
    }
  }
  for (const table of connector.tables.filter(isMerged)) {
    for (let after = ''; ; ) {
      const links = parts.stores.links.page(remote, table, after, READ_STEP);
      const last = links.at(-1);
      if (last === undefined) break;
      after = last.recordId;
      const asked = links.filter(
        (link) => link.baseJson !== null && !(link.remoteId !== null && seen.has(link.remoteId)),
      );
      intake.take(await compare(order, table, asked), null);
    }
  }
  return intake.finish();
}

type Asked = { readonly recordId: string; readonly remoteId: string | null; readonly baseVersion: string | null };

async function compare(order: PullOrder, table: MergedTable, links: readonly Asked[]): Promise<Incoming[]> {
  if (links.length === 0) return [];
  order.assertMayRead();
  const ids = links.map((link) => link.recordId);
  const records = await withDeadline(PULL_LIMIT_MS, order.signal, (signal) => order.connector.read(table, ids, signal));
  const byId = new Map(records.flatMap((record) => (record.id === null ? [] : [[record.id, record] as const])));
  return links.flatMap((link): Incoming[] => {
    const record = byId.get(link.recordId);
    if (record === undefined)
      return [{ kind: 'gone', table, id: link.recordId, remoteId: link.remoteId ?? link.recordId }];
    return record.version === link.baseVersion ? [] : [{ kind: 'record', record }];
  });
}

async function* pages(order: PullOrder, from: string | null): AsyncGenerator<PullPage> {
  for (let cursor = from; ; ) {
    order.assertMayRead();
    const page = await withDeadline(PULL_LIMIT_MS, order.signal, (signal) => order.connector.pull(cursor, signal));
    yield page;
    if (!page.hasMore) return;
    cursor = page.cursor;
  }
}

/** A row that is there was made again after it was gone: the page does not say in which order, so it comes last. */
export function incomingOf(page: PullPage): Incoming[] {
  return [
    ...page.gone.map((one): Incoming => ({ kind: 'gone', ...one })),
    ...page.records.map((record): Incoming => ({ kind: 'record', record })),
  ];
}

/** The pages themselves, for a dry run. */
export const readPages = pages;
