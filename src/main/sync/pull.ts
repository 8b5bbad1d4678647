/** Reads what changed at one remote, and compares all of it from time to time. */
import type { SyncHold } from '../../shared/contract-sync.ts';
import { AppError } from '../../shared/errors.ts';
import type { Remote } from '../../shared/model.ts';
import { type Connector, errorClassOf, type MergedTable, type PullPage, type SyncTable } from './connector.ts';
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
  /** Hears of each table that could not be read while the others were. */
  readonly onUnread: (table: SyncTable, error: AppError) => void;
};

/** Takes in everything since the stored cursor. Gives back what is held; then the cursor stays before it. */
export async function pullAll(parts: IntakeParts, remote: Remote, order: PullOrder): Promise<SyncHold | null> {
  const intake = openIntake(parts, remote, order.answer, order.tally);
  for await (const page of pages(order, parts.stores.states.read(remote).pullCursor)) {
    await followMoved(parts, remote, order, page);
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
      await followMoved(parts, remote, order, page);
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
      const found = await compareOrTell(order, table, asked);
      if (found === null) break;
      intake.take(found, null);
    }
  }
  return intake.finish();
}

/** Null when a person has to mend this table over there first: then it is told, and the other tables go on. */
async function compareOrTell(
  order: PullOrder,
  table: MergedTable,
  asked: readonly Asked[],
): Promise<readonly Incoming[] | null> {
  try {
    return await compare(order, table, asked);
  } catch (cause) {
    if (!(cause instanceof AppError) || errorClassOf(cause.code) !== 'blocked') throw cause;
    order.onUnread(table, cause);
    return null;
  }
}

/**
 * A row was deleted for good, and another device has written its record into a new one: the link follows there, with what
 * was agreed on. Without that the new row would pass for a copy that a person made, a record of its own.
 */
async function followMoved({ stores }: IntakeParts, remote: Remote, order: PullOrder, page: PullPage): Promise<void> {
  const { links } = stores;
  const moved = page.records.flatMap(({ table, id, remoteId }) => {
    const link = id === null || !isMerged(table) ? undefined : links.find(remote, table, id.toLowerCase());
    if (!link?.remoteId || link.remoteId === remoteId || links.findByRemoteId(remote, table, remoteId)) return [];
    return [{ table, id: link.recordId, remoteId: link.remoteId, link: { ...link, remoteId, baseVersion: null } }];
  });
  if (moved.length === 0) return;
  const { readLinked } = order.connector;
  order.assertMayRead();
  const there = await withDeadline(PULL_LIMIT_MS, order.signal, async (signal) => readLinked?.(moved, signal));
  const gone = new Set([...page.gone, ...(there?.gone ?? [])].map(({ remoteId }) => remoteId));
  stores.write((tx) => {
    for (const { remoteId, link } of moved) if (gone.has(remoteId)) links.save(tx, link);
  });
}

const isPlaced = <T extends Asked>(link: T): link is T & { readonly remoteId: string } => link.remoteId !== null;

type Asked = { readonly recordId: string; readonly remoteId: string | null; readonly baseVersion: string | null };

async function compare(order: PullOrder, table: MergedTable, links: readonly Asked[]): Promise<Incoming[]> {
  if (links.length === 0) return [];
  order.assertMayRead();
  const { readLinked } = order.connector;
  if (readLinked !== undefined && links.every(isPlaced)) {
    const pages = links.filter(isPlaced).map(({ recordId: id, remoteId }) => ({ table, id, remoteId }));
    return incomingOf(await withDeadline(PULL_LIMIT_MS, order.signal, (signal) => readLinked(pages, signal)));
  }
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
    for (const { table, error } of page.failed ?? []) order.onUnread(table, error);
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
