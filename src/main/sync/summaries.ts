/**
 * Summaries in Notion for people to read, when they are asked for: a page for each run of sync that somebody started,
 * and a page for each day. What is to be written is stored first, and written beside sync: a Notion that cannot be
 * reached delays it, and loses nothing.
 */
import { z } from 'zod';
import type { SyncPlan } from '../../shared/contract-sync.ts';
import { AppError } from '../../shared/errors.ts';
import type { ActivityKind, ActivityRecord } from '../../shared/model.ts';
import { errorClassOf } from './connector.ts';
import { withDeadline } from './deadline.ts';
import type { SyncLogger } from './parts.ts';
import { describeRun, describeWhile, EVENT_KINDS } from './summary-text.ts';

/** Where summaries are written; safe to repeat. Errors are AppErrors. */
export type NoteService = {
  readonly put: (note: { readonly title: string; readonly text: string }, signal: AbortSignal) => Promise<unknown>;
  readonly append: (
    note: { readonly title: string; readonly heading: string; readonly text: string },
    signal: AbortSignal,
  ) => Promise<unknown>;
};

export type SummarySettings = { readonly runs: boolean; readonly days: boolean; readonly timeZone: string };

export type SummaryParts = {
  /** Null while there is nowhere to write, another device writes, or sending rests. */
  readonly service: () => NoteService | null;
  readonly settings: () => SummarySettings;
  readonly device: string;
  readonly nowMs: () => number;
  /** What happened after this change number, by kind. */
  readonly countSince: (afterSeq: number) => readonly { readonly kind: ActivityKind; readonly count: number }[];
  readonly eventsSince: (afterSeq: number, kinds: readonly ActivityKind[], limit: number) => readonly ActivityRecord[];
  readonly newestSeq: () => number;
  readonly waiting: () => readonly { readonly remote: string; readonly count: number }[];
  readonly openConflicts: () => number;
  readonly redact: (text: string) => { readonly text: string };
  readonly memory: { readonly get: () => string | null; readonly set: (value: string) => void };
  readonly log: SyncLogger;
};

export type Summaries = {
  readonly start: () => void;
  /** Notes a run that a person started; it is written when it can be. */
  readonly ran: (plans: readonly SyncPlan[], startedAtMs: number) => void;
  /** Writes what waits; never rejects. `isAsked`: the day's section does not wait for its hour. */
  readonly write: (isAsked: boolean) => Promise<void>;
  /** Gives what is being written a moment. */
  readonly stop: () => Promise<void>;
};

const storedNote = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('put'), title: z.string(), text: z.string() }),
  z.object({ kind: z.literal('append'), title: z.string(), heading: z.string(), text: z.string() }),
]);
type Note = z.infer<typeof storedNote>;
const mark = z.object({ name: z.string(), times: z.number() });
const stored = z.object({
  /** How far the page of the day tells, and when its last section was made; null while it is off. */
  day: z.object({ afterSeq: z.number(), atMs: z.number() }).nullable(),
  pending: z.array(storedNote),
  /** The newest page of a run and the newest section, and how many had that name: times tell seconds. */
  last: z.object({ put: mark.optional(), append: mark.optional() }).optional(),
});
type Memory = z.infer<typeof stored>;

const LOOK_EVERY_MS = 5 * 60_000;
const SECTION_EVERY_MS = 60 * 60_000;
const LIMIT_MS = 60_000;
const STOP_WAIT_MS = 5_000;
const MOST_PENDING = 50;
const MOST_EVENTS = 20;

export function createSummaries(parts: SummaryParts): Summaries {
  let timer: NodeJS.Timeout | null = null;
  let turn: Promise<void> | null = null;
  const stopping = new AbortController();

  const read = (): Memory => {
    const parsed = stored.safeParse(JSON.parse(parts.memory.get() ?? 'null'));
    return parsed.success ? parsed.data : { day: null, pending: [] };
  };
  const save = (memory: Memory): void => {
    const before = parts.memory.get();
    const text = JSON.stringify(memory);
    if (before !== text) parts.memory.set(text);
  };
  const add = (memory: Memory, made: Note): Memory => {
    const { next, last } = distinct(memory, made);
    const pending = [...memory.pending, redacted(parts.redact, next)];
    const dropped = Math.max(0, pending.length - MOST_PENDING);
    if (dropped > 0) parts.log.warn('Old summaries were given up: too many wait to be written.', { dropped });
    return { ...memory, pending: pending.slice(dropped), last };
  };
  /** With the section of what happened since the last one, when it is time for it. */
  const withDay = (memory: Memory, isAsked: boolean): Memory => {
    const { days, timeZone } = parts.settings();
    const nowMs = parts.nowMs();
    if (!days) return { ...memory, day: null };
    const newest = parts.newestSeq();
    if (memory.day === null) return { ...memory, day: { afterSeq: newest, atMs: nowMs } };
    const { afterSeq, atMs } = memory.day;
    // A clock that was set back must not silence it.
    const isTime = nowMs - atMs >= SECTION_EVERY_MS || nowMs < atMs;
    if (newest === afterSeq || !(isAsked || isTime)) return memory;
    const section = describeWhile({
      untilMs: nowMs,
      device: parts.device,
      timeZone,
      counts: parts.countSince(afterSeq),
      events: parts.eventsSince(afterSeq, EVENT_KINDS, MOST_EVENTS),
      waiting: parts.waiting(),
      openConflicts: parts.openConflicts(),
    });
    const next = { ...memory, day: { afterSeq: newest, atMs: nowMs } };
    return section === null ? next : add(next, { kind: 'append', ...section });
  };
  const writeOne = (service: NoteService, next: Note): Promise<unknown> =>
    withDeadline(LIMIT_MS, stopping.signal, (signal) =>
      next.kind === 'put' ? service.put(next, signal) : service.append(next, signal),
    );
  const writePending = async (): Promise<void> => {
    for (;;) {
      const service = parts.service();
      const [first] = read().pending;
      if (service === null || first === undefined) return;
      try {
        await writeOne(service, first);
      } catch (cause) {
        if (stopping.signal.aborted) return;
        const isHopeless = cause instanceof AppError && errorClassOf(cause.code) === 'rejected';
        parts.log.warn('A summary could not be written.', { title: first.title, error: cause, givenUp: isHopeless });
        if (!isHopeless) return;
      }
      const memory = read();
      save({ ...memory, pending: memory.pending.slice(1) });
    }
  };
  const writeAll = async (): Promise<void> => {
    try {
      await writePending();
    } catch (cause) {
      parts.log.warn('Summaries could not be written.', { error: cause });
    }
  };
  const note = (isAsked: boolean): void => {
    try {
      save(withDay(read(), isAsked));
    } catch (cause) {
      // A full disk, say: the next section tells of it, too.
      parts.log.warn('The summary of the day could not be made.', { error: cause });
    }
  };
  const write = (isAsked: boolean): Promise<void> => {
    note(isAsked);
    turn ??= writeAll().finally(() => {
      turn = null;
    });
    return turn;
  };
  return {
    start: () => {
      note(false);
      timer ??= setInterval(() => void write(false), LOOK_EVERY_MS);
      timer.unref();
    },
    ran: (plans, startedAtMs) => {
      const { runs, timeZone } = parts.settings();
      if (!runs || plans.length === 0) return;
      const facts = { startedAtMs, finishedAtMs: parts.nowMs(), device: parts.device, timeZone, plans };
      save(add(read(), { kind: 'put', ...describeRun({ ...facts, openConflicts: parts.openConflicts() }) }));
    },
    write,
    stop: async () => {
      if (timer !== null) clearInterval(timer);
      timer = null;
      const patience = setTimeout(
        () => stopping.abort(new AppError('remote.unavailable', 'The agent is stopping.')),
        STOP_WAIT_MS,
      );
      await turn;
      clearTimeout(patience);
      stopping.abort(new AppError('remote.unavailable', 'The agent is stopping.'));
    },
  };
}

/** Writing one twice changes nothing, by its name: another one of the same second needs another name. */
function distinct({ last = {} }: Memory, note: Note): { readonly next: Note; readonly last: Memory['last'] } {
  const name = note.kind === 'put' ? note.title : `${note.title}: ${note.heading}`;
  const before = last[note.kind];
  const times = before?.name === name ? before.times + 1 : 1;
  const suffix = times === 1 ? '' : ` (${times})`;
  const next: Note =
    note.kind === 'put'
      ? { ...note, title: `${note.title}${suffix}` }
      : { ...note, heading: `${note.heading}${suffix}` };
  return { next, last: { ...last, [note.kind]: { name, times } } };
}

const redacted = (redact: SummaryParts['redact'], one: Note): Note => ({
  ...one,
  title: redact(one.title).text,
  text: redact(one.text).text,
});
