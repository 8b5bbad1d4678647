/** Brings the page of a record to what it is to hold, unless a person edited it since. */
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../../shared/errors.ts';
import type { FieldValue, OutgoingRecord, PushOutcome } from '../connector.ts';
import { renderBody } from './body.ts';
import { type BodyPlan, isInterrupted, planBody } from './body-plan.ts';
import { readBody } from './body-reader.ts';
import { carryOut, requestsOf } from './body-writer.ts';
import {
  exactOf,
  fieldsHash,
  formatState,
  hashOf,
  type PageRecord,
  type PageState,
  readFields,
} from './page-fields.ts';
import { fieldsVersion, readRecord, versionOf } from './page-records.ts';
import type { PushContext } from './push.ts';
import { bodyTextOf, type Properties, pageFields, propertiesOf } from './push-create.ts';
import type { Access } from './sources.ts';
import { type NotionPage, pageShape } from './wire.ts';

type Job = {
  readonly context: PushContext;
  readonly access: Access;
  readonly record: OutgoingRecord;
  readonly page: NotionPage;
  readonly current: PageRecord;
  readonly signal: AbortSignal;
};

/**
 * True when the page holds something that the caller has not seen. What already is as it is to become counts as seen: an
 * earlier try of ours, or a person who wrote the same.
 */
function editedSince({ access, record, current }: Job): boolean {
  const hash = fieldsHash(current.fields, current.problems, access.mapping.spec.body);
  if (record.base !== null && fieldsVersion(record.baseVersion) === hash) return false;
  return Object.entries(current.fields).some(([field, value]) => {
    const wanted = record.fields[field];
    if (wanted === undefined || isDeepStrictEqual(value, wanted)) return false;
    return record.base === null || !isDeepStrictEqual(value, record.base[field]);
  });
}

type TextWork = { readonly kind: 'plan'; readonly plan: BodyPlan; readonly from: string } | { readonly kind: 'edited' };

/** What is to be done to the body. It is read only when our text changed, or when a rewrite was left half done. */
async function planText({ context, access, record, page, current, signal }: Job): Promise<TextWork> {
  const { body } = access.mapping.spec;
  const text = bodyTextOf(access.mapping, record);
  const base = record.base === null || body === null ? null : String(record.base[body] ?? '');
  const { writing } = current.state;
  const nothing: TextWork = { kind: 'plan', plan: { kind: 'nothing' }, from: '' };
  if (text === null || (text === base && !writing)) return nothing;
  const nodes = await readBody(context.api, page.id, signal);
  const shown = renderBody(nodes);
  if (shown === text) return nothing;
  const plan: TextWork = { kind: 'plan', plan: planBody(nodes, text), from: writing?.from ?? hashOf(shown) };
  if (shown === base) return plan;
  const before = base ?? '';
  const ours = writing?.from === hashOf(before) && isInterrupted(nodes, before, await context.ownUser(signal));
  return ours ? plan : { kind: 'edited' };
}

async function patch(
  job: Job,
  what: string,
  change: { readonly properties?: Record<string, unknown>; readonly inTrash?: boolean },
): Promise<void> {
  const { properties, inTrash } = change;
  await job.context.api.call(
    what,
    pageShape,
    (client) =>
      client.pages.update({
        page_id: job.page.id,
        ...(properties === undefined ? {} : { properties: properties as Properties }),
        ...(inTrash === undefined ? {} : { in_trash: inTrash }),
      }),
    job.signal,
  );
}

type Work = {
  /** Only what differs: an edit of another field that arrives meanwhile survives. */
  readonly changes: Readonly<Record<string, FieldValue>>;
  readonly plan: BodyPlan;
  readonly state: PageState;
  readonly stateWhileWriting: PageState;
  readonly retire: boolean;
};

/**
 * Between the reading of the page and the first of these requests a person's edit of the same field would be overwritten:
 * Notion has no way to write only if nothing changed. The window is one round trip; what it can hit is one field, and
 * the page's own history keeps it.
 */
async function write(job: Job, work: Work): Promise<'written' | 'edited'> {
  const { mapping } = job.access;
  const { plan, retire, current } = { ...work, current: job.current };
  const several = requestsOf(plan) > 1;
  const stateText = (state: PageState) => formatState(state);
  const before = several ? stateText(work.stateWhileWriting) : stateText(work.state);
  const { deletedAtMs: _, ...changes } = work.changes;
  const first: Record<string, FieldValue> = { ...changes };
  if (before !== formatState(current.state) && mapping.byField.has('state')) first.state = before;
  const writes = Object.keys(first).length > 0 || requestsOf(plan) > 0;
  // A page in the trash cannot be written: it is taken out for it, and put back afterwards.
  if (current.inTrash && (writes || !retire)) await patch(job, 'taking a page out of the trash', { inTrash: false });
  const toTrash = retire && (!current.inTrash || writes);
  const atOnce = requestsOf(plan) === 0;
  if (Object.keys(first).length > 0) {
    await patch(job, 'changing a page', {
      properties: propertiesOf(mapping, first),
      ...(toTrash && atOnce ? { inTrash: true } : {}),
    });
  } else if (toTrash && atOnce) await patch(job, 'moving a page to the trash', { inTrash: true });
  if (atOnce) return 'written';
  if (!(await carryOut(job.context.api, job.page.id, plan, job.signal))) return 'edited';
  if (!several && !toTrash) return 'written';
  const properties = several ? propertiesOf(mapping, { state: stateText(work.state) }) : undefined;
  await patch(job, 'finishing a page', {
    ...(properties ? { properties } : {}),
    ...(toTrash ? { inTrash: true } : {}),
  });
  return 'written';
}

/** After a rewrite that met an edit: what the page holds by now, the mark of a rewrite taken away. */
async function editedMeanwhile(job: Job, state: PageState): Promise<PushOutcome> {
  const { context, access, record, page, signal } = job;
  await patch(job, 'finishing a page', { properties: propertiesOf(access.mapping, { state: formatState(state) }) });
  const now = await context.api.call(
    'reading a page',
    pageShape,
    (client) => client.pages.retrieve({ page_id: page.id }),
    signal,
  );
  return edited({ ...job, page: now, record, current: readFields(access.mapping, now) });
}

async function edited({ context, access, record, page, signal }: Job): Promise<PushOutcome> {
  return { kind: 'changed', id: record.id, current: await readRecord(context.api, access, page, record.id, signal) };
}

/** What makes no sense and is left alone. What was never filled in is no such value, as long as nothing was agreed on. */
function problemsLeft({ record, current }: Job): PageRecord['problems'] {
  return current.problems.filter(({ field, value }) => value !== '' || record.base?.[field] !== undefined);
}

/** What a page shows and makes no sense is left alone; everything else becomes what the record says. */
function changesOf(job: Job): Record<string, FieldValue> {
  const { access, record, current } = job;
  const alone = problemsLeft(job).map(({ field }) => field);
  const wanted = Object.entries(pageFields(access.mapping, record));
  const changes = Object.fromEntries(
    wanted.filter(([field, value]) => !alone.includes(field) && !isDeepStrictEqual(current.fields[field], value)),
  );
  return current.id.toLowerCase() === record.id ? changes : { ...changes, id: record.id };
}

export async function updatePage(
  context: PushContext,
  access: Access,
  record: OutgoingRecord,
  page: NotionPage,
  signal: AbortSignal,
): Promise<PushOutcome> {
  const { mapping } = access;
  const job: Job = { context, access, record, page, current: readFields(mapping, page), signal };
  const { current } = job;
  context.pageIds.set(record.id, page.id);
  // Activities are written once and never change.
  const frozen = mapping.spec.body === null;
  if (!frozen && editedSince(job)) return edited(job);
  const text = await planText(job);
  if (text.kind === 'edited') return edited(job);
  if (text.plan.kind === 'blocked') {
    throw new AppError('remote.rejected', 'the page holds pictures or pages inside of text that would be replaced', {
      hint: 'Move them out of that text in Notion, then run `angles queue retry`. Nothing was changed there.',
    });
  }
  if (!frozen) {
    const changes = changesOf(job);
    const retire = typeof record.fields.deletedAtMs === 'number';
    const writes = Object.keys(changes).length > 0 || requestsOf(text.plan) > 0;
    // Writing a page in the trash moves its time: when it was retired is then kept beside.
    const kept: Record<string, FieldValue> =
      retire && writes ? { ...changes, deletedAtMs: record.fields.deletedAtMs ?? null } : changes;
    const exact = exactOf(mapping, kept, current.state);
    const after = bodyTextOf(mapping, record) ?? '';
    const writing = { from: text.from, to: hashOf(after), atMs: context.api.serverNowMs() ?? 0 };
    const state: PageState = { v: 1, exact };
    const end = await write(job, { changes, plan: text.plan, state, stateWhileWriting: { ...state, writing }, retire });
    if (end === 'edited') return editedMeanwhile(job, state);
  }
  const { id: _, ...changed } = frozen ? { id: record.id } : changesOf(job);
  const fields = { ...current.fields, ...changed };
  const body = bodyTextOf(mapping, record);
  return {
    kind: 'done',
    id: record.id,
    remoteId: page.id,
    version: versionOf(fieldsHash(fields, problemsLeft(job), mapping.spec.body), body === null ? '-' : hashOf(body)),
    base: record.fields,
  };
}
