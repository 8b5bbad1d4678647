import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openAgent } from '../../src/main/agent.ts';
import { checkDisk } from '../support/crash-check.ts';
import { crashHost } from '../support/crash-child.ts';
import { createSandbox } from '../support/crash-run.ts';
import { FIRST_CHANGES, save } from '../support/crash-scenario.ts';
import { needs } from '../support/needs.ts';
import { CRASH_CHILD, faultArgs, nodeArgs, run } from '../support/strace.ts';

/** What the kernel answers for one file, and what is said of it. */
const FAULTS = [
  { call: 'openat', error: 'EIO', reason: 'file.io_error' },
  { call: 'openat', error: 'EACCES', reason: 'file.unreadable' },
  { call: 'openat', error: 'EPERM', reason: 'file.unreadable' },
  { call: 'openat', error: 'ELOOP', reason: 'file.symlink' },
  { call: 'read', error: 'EIO', reason: 'file.io_error' },
] as const;

describe('One file that cannot be read', needs('strace'), () => {
  test.each(FAULTS)(
    '$error at $call: the others are captured, it is listed as $reason, and captured when it is well',
    async ({ call, error, reason }) => {
      const { root, bad, place } = newRoot();
      await scanUnder(faultArgs({ call, when: '1+', paths: [bad] }, { error }), place);
      expect(await stateOf(place.dataFolder)).toEqual({ skipped: [['notes/four.md', reason]], present: 7 });
      await scanUnder([], place);
      expect(await stateOf(place.dataFolder)).toEqual({ skipped: [], present: 8 });
      expect(checkDisk(place.dataFolder, root)).toEqual([]);
    },
  );

  test('EIO in a known file keeps its versions: it is listed, not deleted', async () => {
    const { root, bad, place } = newRoot();
    await scanUnder([], place);
    save(root, 'notes/four.md', Buffer.from('# four, changed'));
    await scanUnder(faultArgs({ call: 'read', when: '1+', paths: [bad] }, { error: 'EIO' }), place);
    expect(await stateOf(place.dataFolder)).toEqual({ skipped: [['notes/four.md', 'file.io_error']], present: 7 });
    await scanUnder([], place);
    expect(checkDisk(place.dataFolder, root)).toEqual([]);
  });

  test('EBUSY passes: the file is captured by the same scan', async () => {
    const { root, bad, place } = newRoot();
    await scanUnder(faultArgs({ call: 'openat', when: '1', paths: [bad] }, { error: 'EBUSY' }), place);
    expect(await stateOf(place.dataFolder)).toEqual({ skipped: [], present: 8 });
    expect(checkDisk(place.dataFolder, root)).toEqual([]);
  });
});

type Place = { readonly root: string; readonly dataFolder: string };

function newRoot(): { readonly root: string; readonly bad: string; readonly place: Place } {
  const { root, dataFolder, remove } = createSandbox();
  onTestFinished(remove);
  for (const change of FIRST_CHANGES) if ('content' in change) save(root, change.path, change.content);
  return { root, bad: join(root, 'notes/four.md'), place: { root, dataFolder } };
}

/** One process that scans, with or without a fault. */
async function scanUnder(strace: readonly string[], { root, dataFolder }: Place): Promise<void> {
  const [command = '', ...args] = [
    ...(strace.length === 0 ? [] : ['strace', ...strace]),
    ...nodeArgs(CRASH_CHILD, [dataFolder, root, 'scan']),
  ];
  const end = await run(command, args);
  expect([end.code, end.stdout]).toEqual([0, expect.not.stringContaining('"failed"')]);
}

async function stateOf(dataFolder: string): Promise<{ skipped: (string | null)[][]; present: number }> {
  const agent = await openAgent(crashHost(dataFolder), 'offline');
  const list = agent.api.methods['files.list'];
  const skipped = await list({ state: ['skipped'] });
  const present = await list({ state: ['present'] });
  await agent.stop();
  return { skipped: skipped.files.map(({ path, reason }) => [path, reason]), present: present.total };
}
