import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../support/needs.ts';
import { NODE, type ProcessEnd, run } from '../support/strace.ts';

const CHILD = join(import.meta.dirname, '../support/hostile-mount.ts');
const base = realpathSync(mkdtempSync(join(tmpdir(), 'angles-mount-')));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const WAYS = ['with its file system', 'at once', 'lazily'] as const;

describe('a disk that is taken out under the watch', needs('unshare', 'mount'), () => {
  const runs = new Map<string, Promise<ProcessEnd>>();
  // Each mostly waits until somebody looks, so they run side by side. Each has mounts of its own.
  beforeAll(() => {
    for (const how of WAYS) runs.set(how, run('unshare', ['-Urm', NODE, '--no-warnings', CHILD, how, join(base, how)]));
  });
  const outcomeOf = async (how: string): Promise<unknown> => {
    const { code, stderr, stdout } = (await runs.get(how)) ?? { code: null, stderr: 'not run', stdout: '' };
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  };

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
