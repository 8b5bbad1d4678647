import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, openBench, placesOf, recordIds, type Visit, visit } from '../support/dashboard.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

/** Serious and critical findings of axe on what is shown now, each with the element. */
async function seriousFindings({ page }: Visit): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(
    () =>
      (globalThis as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe.run({
        resultTypes: ['violations'],
      }) as Promise<AxeResults>,
  );
  return violations
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`));
}

/** Elements that stick out of the page to the side, apart from those inside of something that scrolls. */
const overflow = ({ page }: Visit): Promise<number> =>
  page.evaluate(() => {
    const content = document.getElementById('content') ?? document.documentElement;
    return Math.max(
      document.documentElement.scrollWidth - document.documentElement.clientWidth,
      content.scrollWidth - content.clientWidth,
    );
  });

test.each(['light', 'dark'] as const)(
  'every view is accessible in the %s theme: axe finds nothing serious',
  async (theme) => {
    const visited = await visit(bench, { theme });
    try {
      const findings: Record<string, string[]> = {};
      for (const [name, hash] of Object.entries(placesOf(await recordIds(visited.api)))) {
        await visited.goTo(hash);
        const found = await seriousFindings(visited);
        if (found.length > 0) findings[name] = found;
      }
      expect(findings).toEqual({});
      expect(await visited.faults()).toEqual([]);
    } finally {
      await visited.close();
    }
  },
);

test.each(['light', 'dark'] as const)('dialogs and the sign-in page are accessible in the %s theme', async (theme) => {
  const visited = await visit(bench, { theme });
  const stranger = await visit(bench, { theme, signedIn: false });
  try {
    const { page } = visited;
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('arch');
    await page.getByRole('option').first().waitFor();
    expect(await seriousFindings(visited)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    expect(await seriousFindings(visited)).toEqual([]);
    await page.keyboard.press('Escape');
    await visited.goTo(placesOf(await recordIds(visited.api))['a file'] ?? '');
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await page.getByText('In place of the file').click();
    expect(await seriousFindings(visited)).toEqual([]);
    expect(await seriousFindings(stranger)).toEqual([]);
  } finally {
    await visited.close();
    await stranger.close();
  }
});

test.each(['light', 'dark'] as const)(
  'a bad day is accessible in the %s theme: offline, paused, interrupted',
  async (theme) => {
    const visited = await visit(bench, { theme, trouble: true });
    try {
      const findings: string[] = [];
      for (const view of ['', 'sync', 'backups']) {
        await visited.goTo(`#/${view}`);
        findings.push(...(await seriousFindings(visited)));
      }
      await visited.goTo('#/sync');
      const { page } = visited;
      await page.getByRole('button', { name: 'Test connection' }).last().click();
      await page.getByRole('button', { name: 'Create what is missing' }).click();
      await page.getByRole('dialog').getByText('Add the property').waitFor();
      findings.push(...(await seriousFindings(visited)));
      expect(findings).toEqual([]);
    } finally {
      await visited.close();
    }
  },
);

test('the first day is accessible, too: empty states in every view', async () => {
  const visited = await visit(bench, { empty: true });
  try {
    const findings: string[] = [];
    for (const view of [
      '',
      'activity',
      'files',
      'search',
      'decisions',
      'memories',
      'conflicts',
      'sync',
      'sync?show=queue',
      'sync?show=devices',
      'backups',
      'logs',
      'schedule',
      'health',
      'settings',
    ]) {
      await visited.goTo(`#/${view}`);
      findings.push(...(await seriousFindings(visited)));
    }
    const { page } = visited;
    await visited.goTo('#/welcome');
    await page.getByRole('button', { name: 'Skip this step' }).click();
    await page.getByRole('button', { name: 'Skip this step' }).click();
    await page.locator('.kit-text').waitFor();
    findings.push(...(await seriousFindings(visited)));
    await page.getByRole('button', { name: 'Skip this step' }).click();
    await page.getByRole('button', { name: 'Set up GitHub' }).click();
    findings.push(...(await seriousFindings(visited)));
    expect(findings).toEqual([]);
    expect(await visited.faults()).toEqual([]);
  } finally {
    await visited.close();
  }
});

test.each([
  ['360 pixels wide', 360, 1],
  ['at 200 % zoom of a 1280 screen', 640, 1],
])('nothing sticks out to the side %s', async (_, width) => {
  const visited = await visit(bench, { width });
  try {
    const wide: Record<string, number> = {};
    for (const [name, hash] of Object.entries(placesOf(await recordIds(visited.api)))) {
      await visited.goTo(hash);
      const excess = await overflow(visited);
      if (excess > 0) wide[name] = excess;
    }
    expect(wide).toEqual({});
  } finally {
    await visited.close();
  }
});

test('the theme follows the system, the setting, and the toggle', async () => {
  const visited = await visit(bench, { theme: 'dark' });
  try {
    const { page, api } = visited;
    const background = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await background();
    await api.methods['settings.set']({ key: 'dashboard.theme', value: 'light' });
    await page.locator('html[data-theme="light"]').waitFor();
    expect(await background()).not.toBe(dark);
    await page.reload();
    await page.locator('html[data-theme="light"]').waitFor();
    await page.getByRole('button', { name: 'Theme: light' }).click();
    await page.locator('html[data-theme="dark"]').waitFor();
    expect(await background()).toBe(dark);
    expect(api.calls.at(-1)).toBeDefined();
    expect(api.calls.filter((call) => call.method === 'settings.set').at(-1)?.input).toEqual({
      key: 'dashboard.theme',
      value: 'dark',
    });
  } finally {
    await visited.close();
  }
});
