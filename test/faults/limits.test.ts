import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../support/needs.ts';
import { NODE, type ProcessEnd, run } from '../support/strace.ts';

const CHILD = join(import.meta.dirname, '../support/hostile-limits.ts');
const base = realpathSync(mkdtempSync(join(tmpdir(), 'angles-limits-')));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** Runs the child after a command of the shell has lowered a limit for it alone. */
function under(wrapper: readonly string[], lower: string, mode: string): Promise<ProcessEnd> {
  const [command = '', ...args] = [...wrapper, 'sh', '-c', `${lower}; exec "$@"`, 'sh'];
  return run(command, [...args, NODE, '--no-warnings', CHILD, mode, join(base, mode)]);
}

describe('limits of the system', needs('unshare'), () => {
  let runs: Record<'watches' | 'instances' | 'descriptors', Promise<ProcessEnd>>;
  // Each mostly waits for the next scan, so they run side by side.
  beforeAll(() => {
    const inNamespace = ['unshare', '-Ur'];
    runs = {
      watches: under(inNamespace, 'echo 6 > /proc/sys/user/max_inotify_watches', 'watches'),
      instances: under(inNamespace, 'echo 0 > /proc/sys/user/max_inotify_instances', 'instances'),
      descriptors: under([], 'ulimit -n 64', 'descriptors'),
    };
  });

  it.each([
    ['watches', 'ENOSPC'],
    ['instances', 'EMFILE'],
  ] as const)(
    'too few inotify %s: says so, finds every change by scanning, and is whole again when raised',
    async (which, code) => {
      const { code: exit, stderr, stdout } = await runs[which];
      expect([exit, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toEqual({
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
    const { code, stderr, stdout } = await runs.descriptors;
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({ first: true, wrote: 0, during: expect.any(Number), later: true, bugs: [] });
  });
});
