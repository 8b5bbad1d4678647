/**
 * Saves files while the wall clock jumps, and prints what the vault says about it as JSON. Runs under libfaketime,
 * which reads the offset from a file. Arguments: that file, a folder of its own for this run.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWatchHarness } from './watch-harness.ts';

const [offsetFile = '', base = ''] = process.argv.slice(2);
const root = join(base, 'root');
mkdirSync(root);
const JUMPS = ['+0', '-2h', '+3650d', '+3649d', '-3650d', '-2h', '+0'];
const h = createWatchHarness({ root, dataFolder: join(base, 'data') });

const jump = (offset: string): void => writeFileSync(offsetFile, `${offset}\n`);
const lastScan = () =>
  h.store.db.prepare<[], { at: number }>('SELECT last_scan_at_ms AS at FROM roots').get()?.at ?? null;
const captured = (path: string, text: string) =>
  h.until(
    () => h.versions(path).at(-1) === text,
    () => h.versions(path),
  );

jump('+0');
await h.start();
const written: string[] = [];
const hours: number[] = [];
const waitedMs: number[] = [];
const scannedAt = lastScan();
const beganMs = Date.now();
for (const [index, offset] of JUMPS.entries()) {
  // One save waits for its quiet time when the clock jumps, one comes after.
  for (const moment of ['before', 'after']) {
    const text = `${index} ${moment} ${offset}`;
    writeFileSync(join(root, 'a.md'), text);
    const sinceMs = performance.now();
    if (moment === 'before') jump(offset);
    await captured('a.md', text);
    waitedMs.push(performance.now() - sinceMs);
    written.push(text);
  }
  hours.push(Math.round((Date.now() - beganMs) / 3_600_000));
}
const scansByThemselves = lastScan() === scannedAt ? 0 : 1;

// A scan in each time sees only what changed.
const scans: { readonly offset: string; readonly changes: number; readonly unchanged: number }[] = [];
for (const [index, offset] of JUMPS.entries()) {
  jump(offset);
  const { created, modified, deleted, unchanged } = await h.scan();
  scans.push({ offset, changes: created + modified + deleted, unchanged });
  writeFileSync(join(root, `b${index}.md`), offset);
  await captured(`b${index}.md`, offset);
}

const rows = h.store.db
  .prepare<[], { clock: number; id: string }>('SELECT clock, id FROM file_snapshots ORDER BY change_seq')
  .all();
const outcome = {
  hours,
  isInOrder: JSON.stringify(h.versions('a.md')) === JSON.stringify(written),
  versions: written.length,
  rows: rows.length,
  clockGoesBack: rows.filter(({ clock }, index) => clock <= (rows[index - 1]?.clock ?? 0)).length,
  idsGoBack: rows.filter(({ id }, index) => id.slice(0, 13) < (rows[index - 1]?.id ?? '').slice(0, 13)).length,
  slowestMs: Math.max(...waitedMs),
  scansByThemselves,
  scans,
};
await h.stop();
process.stdout.write(JSON.stringify(outcome));
