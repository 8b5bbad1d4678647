import { expect, test } from 'vitest';
import { firstCapture, needsFirstRun, stepBeside, stepsOf } from '../../../src/renderer/data/first-run.ts';
import type { AgentStatus } from '../../../src/shared/contract.ts';

test('there are at most three steps before the services, and the kit is one of them where it exists', () => {
  expect(stepsOf(false)).toEqual(['folder', 'capture', 'services']);
  expect(stepsOf(true)).toEqual(['folder', 'capture', 'kit', 'services']);
});

test('steps follow each other both ways and end', () => {
  const steps = stepsOf(true);
  expect([
    stepBeside(steps, 'folder', 1),
    stepBeside(steps, 'kit', -1),
    stepBeside(steps, 'folder', -1),
    stepBeside(steps, 'services', 1),
  ]).toEqual(['capture', 'capture', null, null]);
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
