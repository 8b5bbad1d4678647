import { expect, test } from 'vitest';
import {
  FIRST_PAGES,
  FIRST_STEPS,
  firstCapture,
  needsFirstRun,
  pageBeside,
} from '../../../src/renderer/data/first-run.ts';
import type { AgentStatus } from '../../../src/shared/contract.ts';

test('there are at most three steps; services come after them', () => {
  expect(FIRST_STEPS).toEqual(['folder', 'capture', 'kit']);
  expect(FIRST_PAGES).toEqual(['folder', 'capture', 'kit', 'services']);
});

test('pages follow each other both ways and end', () => {
  expect([pageBeside('folder', 1), pageBeside('kit', 1), pageBeside('folder', -1), pageBeside('services', 1)]).toEqual([
    'capture',
    'services',
    null,
    null,
  ]);
});

const none = [{ code: 'root.none', message: '', fix: '', rootId: null }];
test.each([
  ['no answer yet', undefined, false],
  ['nothing watched', { roots: [], attention: none }, true],
  ['a folder that is refused', { roots: [], attention: [{ ...none[0], code: 'root.nested' }] }, false],
] as const)('%s: led %s', (_, status, expected) =>
  expect(needsFirstRun(status as Pick<AgentStatus, 'roots' | 'attention'> | undefined)).toBe(expected),
);

test.each([
  ['reading', { files: 0, progress: 1, verdict: 'working' }],
  ['reading', { files: 9, progress: 1, verdict: 'working' }],
  ['reading', { files: 0, progress: 0, verdict: 'working' }],
  ['waiting', { files: 0, progress: 0, verdict: 'safe' }],
  ['safe', { files: 1, progress: 0, verdict: 'working' }],
] as const)('%s: %j', (expected, { files, progress, verdict }) =>
  expect(
    firstCapture({
      totals: { files } as AgentStatus['totals'],
      progress: Array.from({ length: progress }) as AgentStatus['progress'],
      safety: { verdict, summary: '', sinceMs: null },
    }),
  ).toBe(expected),
);
