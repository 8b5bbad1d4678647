import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkOrder, plain } from '../support/crash-order.ts';
import { type Traced, traceScenario } from '../support/crash-points.ts';
import { needs } from '../support/needs.ts';
import type { TraceEvent } from '../support/strace.ts';

describe('What is on the disk before what', needs('strace'), () => {
  let traced: Traced;
  const check = (events: readonly TraceEvent[]) => checkOrder(events, traced.sandbox.dataFolder);
  const problemsWithout = (leftOut: (event: TraceEvent) => boolean) =>
    check(traced.events.filter((event) => !leftOut(event))).problems;
  /** Calls that make a file or a folder durable, by the end of its path. */
  const isSyncOf = (end: RegExp) => (event: TraceEvent) => event.call.endsWith('sync') && end.test(plain(event.args));

  beforeAll(async () => {
    traced = await traceScenario();
  });
  afterAll(() => traced?.sandbox.remove());

  test('bytes before names, names before the commit that refers to them, the commit before its acknowledgement', () => {
    const { problems, checked } = check(traced.events);
    expect(problems).toEqual([]);
    expect(checked).toMatchObject({ objects: 2, acknowledgements: 6 });
    expect(checked.packed).toBeGreaterThan(5);
    expect(checked.commits).toBeGreaterThan(10);
  });

  test.each([
    ['the bytes of an object', /objects\/tmp\/\w+>$/, /got its name before its bytes/],
    ['the folder of an object', /objects\/[0-9a-f]{2}>$/, /its folder was not synced/],
    ['a pack', /packs\/[0-9a-f]+\.pack>$/, /pack was not synced before the vault/],
    ['the folder of a pack', /objects\/packs>$/, /pack: its folder was not synced/],
    ['the folder of these folders', /objects>$/, /its folder was not synced/],
    ['the data folder', /\/data>$/, /was not synced/],
    ['the log of the vault', /vault\.db-wal>$/, /acknowledged before the log was synced/],
    ['the journal', /records\.jsonl>$/, /a line of the journal/],
  ])('a missing sync of %s is found', (_, file, problem) => {
    expect(problemsWithout(isSyncOf(file)).join('\n')).toMatch(problem);
  });

  test('a sync that comes too late is found', () => {
    const late = traced.events.map((event) =>
      isSyncOf(/objects\/tmp\/\w+>$/)(event) ? { ...event, begin: 1e9, end: 1e9 } : event,
    );
    expect(check(late).problems.join('\n')).toMatch(/got its name before its bytes/);
  });
});
