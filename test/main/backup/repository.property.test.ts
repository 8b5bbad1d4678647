import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTestVault, type TestVault } from '../../support/backup-vault.ts';

const RUNS = Number(process.env.ANGLES_TEST_RUNS ?? 6);

/** Few names, so that files come back, turn into folders and the other way round. */
const name = fc.constantFrom('a', 'b', '-c', '.d', 'e e', 'ü', '~', '\uf7ff', 'a.b');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const change = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('save' as const), path, content: fc.string({ maxLength: 300 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose index' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('repack' as const) }) },
);
const step = fc.record({
  changes: fc.array(change, { maxLength: 8 }),
  reason: fc.constantFrom('change' as const, 'manual' as const),
});

/** A disk never has a file and a folder of one name: what is in the way goes first. */
function apply(vault: TestVault, each: { readonly path: string; readonly content?: string }): void {
  if (each.content === undefined) {
    if (vault.files.has(each.path)) vault.remove(each.path);
    return;
  }
  // A file that is only touched is what a backup after a change does not look for.
  if (vault.files.get(each.path)?.content.equals(Buffer.from(each.content)) === true) return;
  for (const other of [...vault.files.keys()]) {
    if (other !== each.path && (other.startsWith(`${each.path}/`) || each.path.startsWith(`${other}/`)))
      vault.remove(other);
  }
  vault.save(each.path, each.content);
}

it('whatever was saved, removed, joined and lost between backups, each gives back its moment', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      const vault = createTestVault();
      try {
        const moments = new Map<string, TestVault['files']>();
        let writer = vault.openWriter();
        for (const { changes, reason } of steps) {
          for (const each of changes) {
            if (each.kind === 'repack') writer.repack();
            else if (each.kind === 'lose index') {
              writer.close();
              vault.loseIndex();
              writer = vault.openWriter();
            } else apply(vault, each);
          }
          const { summary } = await writer.backup({ reason });
          moments.set(summary.commit, new Map(vault.files));
        }
        for (const [commit, files] of moments) {
          const found = [...writer.reader.contents(commit)].map(({ entry, content }) => [
            entry.path,
            { content, mode: entry.mode, mtimeUs: entry.mtimeUs },
          ]);
          expect(new Map(found as [string, unknown][])).toEqual(files);
          await writer.reader.verify(commit);
        }
        execFileSync('git', ['--git-dir', vault.gitFolder, 'fsck', '--strict', '--full'], { stdio: 'pipe' });
      } finally {
        vault.close();
      }
    }),
    { numRuns: RUNS },
  );
});
