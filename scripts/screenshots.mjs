/**
 * `npm run screenshots [-- NAME...]`: every view and its main states over sample data, at 360, 1024 and 1600 px in both
 * themes, into out/screenshots. Names (or parts of them) choose some. Needs Chromium.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openBench, placesOf, recordIds, visit } from '../test/support/dashboard.ts';

const WIDTHS = [360, 1_024, 1_600];
const THEMES = ['light', 'dark'];
const SHORTEST = 720;
/** Lists go on for ever; what is below this looks like what is above. */
const LONGEST = 3_000;
const folder = join(import.meta.dirname, '..', 'out', 'screenshots');
const wanted = process.argv.slice(2);

const isWanted = (name) => wanted.length === 0 || wanted.some((part) => name.includes(part));

/** As high as what it shows. */
async function resize(page, width) {
  await page.setViewportSize({ width, height: SHORTEST });
  const height = await page.evaluate(() => {
    const content = document.getElementById('content') ?? document.documentElement;
    return Math.max(content.scrollHeight, document.documentElement.scrollHeight);
  });
  await page.setViewportSize({ width, height: Math.min(LONGEST, Math.max(SHORTEST, height)) });
  // Lists draw what came into view.
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
}

async function shoot(visited, name, hash, width, theme) {
  await visited.goTo(hash);
  await visited.page.waitForFunction(
    () => document.querySelector('.plot canvas, .plot') === null || document.querySelector('.plot canvas') !== null,
  );
  await resize(visited.page, width);
  const path = join(folder, `${name.replaceAll(' ', '-')}.${width}.${theme}.png`);
  await visited.page.screenshot({ path });
  return path;
}

const bench = await openBench();
let count = 0;
try {
  if (wanted.length === 0) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const theme of THEMES) {
    for (const width of WIDTHS) {
      for (const [day, options] of Object.entries({
        '': {},
        'first day ': { empty: true },
        'bad day ': { trouble: true },
      })) {
        const visited = await visit(bench, { theme, width, ...options });
        const places = Object.entries(placesOf(await recordIds(visited.api)));
        // The other days differ where there is something to be empty or to go wrong.
        const some = day === '' ? places : places.filter(([, hash]) => /^#\/[a-z]*$/.test(hash));
        for (const [place, hash] of some) {
          if (!isWanted(`${day}${place}`)) continue;
          await shoot(visited, `${day}${place}`, hash, width, theme);
          count += 1;
        }
        await visited.close();
      }
      console.log(`${width} px, ${theme}: ${count} so far`);
    }
  }
} finally {
  await bench.close();
}
console.log(`${count} pictures in ${folder}`);
