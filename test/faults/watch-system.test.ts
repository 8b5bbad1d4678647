/** What the system refuses, or takes away, while it is watched. Each case has a process and a namespace of its own. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../support/needs.ts';
import { NODE, type ProcessEnd, run } from '../support/strace.ts';

const LIMITS = join(import.meta.dirname, '../support/hostile-limits.ts');
const MOUNT = join(import.meta.dirname, '../support/hostile-mount.ts');
const base = realpathSync(mkdtempSync(join(tmpdir(), 'angles-system-')));
const limits = needs('unshare');
const mounts = needs('unshare', 'mount');

/** Runs a child after a command of the shell has lowered a limit for it alone. */
function under(wrapper: readonly string[], lower: string, mode: string): Promise<ProcessEnd> {
  const [command = '', ...args] = [...wrapper, 'sh', '-c', `${lower}; exec "$@"`, 'sh'];
  return run(command, [...args, NODE, '--no-warnings', LIMITS, mode, join(base, mode)]);
}

const takeOut = (how: string): Promise<ProcessEnd> =>
  run('unshare', ['-Urm', NODE, '--no-warnings', MOUNT, how, join(base, how)]);

const runs = new Map<string, Promise<ProcessEnd>>();
// Each mostly waits until somebody looks, so they run side by side.
beforeAll(() => {
  if (!limits.skip) {
    const inNamespace = ['unshare', '-Ur'];
    runs.set('watches', under(inNamespace, 'echo 6 > /proc/sys/user/max_inotify_watches', 'watches'));
    runs.set('instances', under(inNamespace, 'echo 0 > /proc/sys/user/max_inotify_instances', 'instances'));
    runs.set('descriptors', under([], 'ulimit -n 64', 'descriptors'));
  }
  if (!mounts.skip) for (const how of ['with its file system', 'at once', 'lazily']) runs.set(how, takeOut(how));
});
afterAll(async () => {
  await Promise.allSettled(runs.values());
  rmSync(base, { recursive: true, force: true });
});

async function outcomeOf(name: string): Promise<unknown> {
  const { code, stderr, stdout } = (await runs.get(name)) ?? { code: null, stderr: 'not run', stdout: '' };
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

describe('limits of the system', limits, () => {
  it.each([
    ['watches', 'ENOSPC'],
    ['instances', 'EMFILE'],
  ] as const)(
    'too few inotify %s: says so, finds every change by scanning, and is whole again when raised',
    async (which, code) => {
      expect(await outcomeOf(which)).toEqual({
        state: 'limited',
        code: 'watch.limited',
        detail: `The system answered ${code}.`,
        first: true,
        byScan: true,
        recovered: true,
        live: true,
        after: { state: 'watching', code: null },
      });
    },
  );

  it('no free descriptor: nothing crashes, and every file is captured later', async () => {
    expect(await outcomeOf('descriptors')).toEqual({
      first: true,
      wrote: 0,
      during: expect.any(Number),
      later: true,
      bugs: [],
    });
  });
});

describe('a disk that is taken out under the watch', mounts, () => {
  it.each(['at once', 'lazily'])('(%s) deletes nothing, and goes on where it was when it is back', async (how) => {
    expect(await outcomeOf(how)).toEqual({
      before: 12,
      noticed: true,
      during: 12,
      meanwhile: true,
      back: true,
      live: true,
      // Nothing was captured twice.
      versions: [2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
      // What was saved where the disk was lies under it now; its content is kept.
      deleted: ['meanwhile.md'],
    });
  });

  it('and comes back empty deletes nothing until somebody decides', async () => {
    expect(await outcomeOf('with its file system')).toEqual({
      before: 12,
      noticed: true,
      during: 12,
      meanwhile: true,
      changed: true,
      state: 'held',
      present: 13,
    });
  });
});
