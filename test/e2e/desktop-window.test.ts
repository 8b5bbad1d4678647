import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Desktop, makePlace, missingElectron, type Place, startDesktop } from '../support/desktop.ts';

const missing = missingElectron();
if (missing !== null) process.stderr.write(`Skipped: ${missing}\n`);
const spec = test.skipIf(missing !== null);

let place: Place;
let desktop: Desktop | null = null;
beforeEach(() => {
  place = makePlace();
});
afterEach(async () => {
  await desktop?.kill();
  desktop = null;
  place.remove();
});

spec('a save in a watched folder is seen in the window, by the real main, preload and page', async () => {
  desktop = await startDesktop({ place, args: ['--port', '0', '--root', place.notes] });
  const page = await desktop.page();
  await page.getByText('Every save is captured.').waitFor();
  writeFileSync(join(place.notes, 'decision-one.md'), '# One\n');
  await page.getByText('decision-one.md').first().waitFor();
  expect(
    await page.evaluate(() => Object.keys(globalThis).filter((name) => /require|process|electron|ipc/i.test(name))),
  ).toEqual([]);
  expect(await desktop.quit()).toBe(0);
  expect(desktop.output()).toContain('The agent has stopped.');
});
