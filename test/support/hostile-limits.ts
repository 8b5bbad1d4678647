/**
 * Watches where the system refuses something, and prints what came of it as JSON. Runs in a user namespace or under a
 * low limit, so it is a process of its own. Arguments: what is refused, a folder of its own for this run.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWatchHarness, type WatchHarness } from './watch-harness.ts';

const FOLDERS = 12;
/** The next scan follows after 50 times the length of the last one, or 10 s. */
const SCANS_MS = 90_000;
const [mode = '', base = ''] = process.argv.slice(2);
const root = join(base, 'root');
const paths = Array.from({ length: FOLDERS }, (_, index) => `d${index}/in.md`);

function writeAll(text: string): void {
  for (const path of paths) writeFileSync(join(root, path), text);
}

function allAre(h: WatchHarness, text: string): boolean {
  return paths.every((path) => h.versions(path).at(-1) === text);
}

async function eventually(test: () => boolean, withinMs: number): Promise<boolean> {
  const endMs = performance.now() + withinMs;
  while (!test() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 50));
  return test();
}

function create(): WatchHarness {
  for (let index = 0; index < FOLDERS; index += 1) mkdirSync(join(root, `d${index}`), { recursive: true });
  return createWatchHarness({ root, dataFolder: join(base, 'data') });
}

/** Too few watches, or none: found by scans that repeat, and live again when the system allows it. */
async function fewWatches(raise: readonly (readonly [file: string, value: string])[]): Promise<unknown> {
  const h = create();
  writeAll('one');
  await h.start();
  const { state, code, detail } = h.condition();
  const first = await eventually(() => allAre(h, 'one'), 5_000);
  writeAll('two');
  const byScan = await eventually(() => allAre(h, 'two'), SCANS_MS);
  for (const [file, value] of raise) writeFileSync(file, value);
  // As the next one by itself would, only sooner.
  await h.scan();
  const recovered = h.condition().state === 'watching';
  writeAll('three');
  const live = await eventually(() => allAre(h, 'three'), 5_000);
  const after = { state: h.condition().state, code: h.condition().code };
  await h.stop();
  return { state, code, detail, first, byScan, recovered, live, after };
}

/** No descriptor is left while another process writes: everything is captured when there are some again. */
async function noDescriptors(): Promise<unknown> {
  const h = create();
  await h.start();
  writeAll('one');
  const first = await eventually(() => allAre(h, 'one'), 5_000);
  const taken: number[] = [];
  const script = `for i in $(seq 40); do mkdir -p new$i; echo new > new$i/in.md; done; for i in $(seq 0 ${FOLDERS - 1}); do printf two > d$i/in.md; done`;
  takeAll(taken);
  // The writer needs a few to be started at all.
  for (const descriptor of taken.splice(-16)) closeSync(descriptor);
  const writer = spawnSync('sh', ['-c', script], { cwd: root, stdio: 'ignore' });
  takeAll(taken);
  await eventually(() => false, 1_500);
  const during = h.versions('d0/in.md').length + h.present().filter((path) => path.startsWith('new')).length;
  for (const descriptor of taken) closeSync(descriptor);
  const later = await eventually(
    () => allAre(h, 'two') && h.present().filter((path) => path.startsWith('new')).length === 40,
    30_000,
  );
  const bugs = h.log.filter(({ level }) => level === 'error');
  await h.stop();
  return { first, wrote: writer.status ?? String(writer.error), during, later, bugs };
}

function takeAll(taken: number[]): void {
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EMFILE') throw cause;
  }
}

const USER = '/proc/sys/user';
const outcome = await (mode === 'watches'
  ? fewWatches([[`${USER}/max_inotify_watches`, '1000']])
  : mode === 'instances'
    ? fewWatches([[`${USER}/max_inotify_instances`, '100']])
    : noDescriptors());
process.stdout.write(JSON.stringify(outcome));
