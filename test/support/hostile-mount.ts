/**
 * Watches a mount point while disks come and go, in a mount namespace of its own, and prints what came of it as JSON.
 * Arguments: how the disk goes, a folder of its own for this run.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWatchHarness, type WatchHarness } from './watch-harness.ts';

const FILES = 12;
/** Twice as long as it takes at most until somebody looks whether the folder is still the same. */
const NOTICED_MS = 25_000;
const [how = '', base = ''] = process.argv.slice(2);
const root = join(base, 'root');
const disk = join(base, 'disk');
const names = Array.from({ length: FILES }, (_, index) => `f${index}.md`);

async function eventually(test: () => boolean): Promise<boolean> {
  const endMs = performance.now() + NOTICED_MS;
  while (!test() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 50));
  return test();
}

const stateIs = (h: WatchHarness, state: string) => eventually(() => h.condition().state === state);
const mountTmpfs = (path: string) => execFileSync('mount', ['-t', 'tmpfs', 'angles-test', path]);

mkdirSync(root, { recursive: true });
mkdirSync(disk);
// A disk with files of its own, as tmpfs forgets them: the root shows one of its folders.
mountTmpfs(disk);
for (const name of names) writeFileSync(join(disk, name), name);
const putIn = () => execFileSync('mount', ['--bind', disk, root]);
const takeOut = () => execFileSync('umount', how === 'lazily' ? ['-l', root] : [root]);
if (how === 'with its file system') {
  mountTmpfs(root);
  for (const name of names) writeFileSync(join(root, name), name);
} else {
  putIn();
}

const h = createWatchHarness({ root, dataFolder: join(base, 'data') });
await h.start();
await eventually(() => h.present().length === FILES && h.watch.waiting() === 0);
const before = h.present().length;
takeOut();
const noticed = await stateIs(h, 'held');
const during = h.present().length;
// Somebody goes on working where the disk was.
writeFileSync(join(root, 'meanwhile.md'), 'meanwhile');
const meanwhile = await eventually(() => h.present().includes('meanwhile.md'));

let outcome: unknown;
if (how === 'with its file system') {
  mountTmpfs(root);
  // Another empty disk: everything is gone as before, and still nobody decided.
  const changed = await eventually(() => h.condition().hold?.deletes === FILES + 1);
  outcome = { before, noticed, during, meanwhile, changed, state: h.condition().state, present: h.present().length };
} else {
  putIn();
  const back = await stateIs(h, 'watching');
  writeFileSync(join(root, 'f0.md'), 'edited after the return');
  const live = await eventually(() => h.versions('f0.md').length === 2);
  const versions = names.map((name) => h.versions(name).length);
  const deleted = h.store.db
    .prepare<[], { path: string }>("SELECT path FROM file_snapshots WHERE change = 'deleted'")
    .all()
    .map(({ path }) => path);
  outcome = { before, noticed, during, meanwhile, back, live, versions, deleted };
}
await h.stop();
for (const path of [root, disk]) execFileSync('umount', ['-l', path]);
process.stdout.write(JSON.stringify(outcome));
