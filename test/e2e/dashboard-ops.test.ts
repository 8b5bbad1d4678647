import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppError } from '../../src/shared/errors.ts';
import { type Bench, openBench, type Visit, type VisitOptions, visit } from '../support/dashboard.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

async function visiting(options: VisitOptions, use: (visited: Visit) => Promise<void>): Promise<void> {
  const visited = await visit(bench, options);
  try {
    await use(visited);
    expect(await visited.faults()).toEqual([]);
  } finally {
    await visited.close();
  }
}
const inputsOf = ({ api }: Visit, method: string): unknown[] =>
  api.calls.filter((call) => call.method === method).map((call) => call.input);
const KEY = ['ntn', 'of', 'tests'].join('_');

test('charts are loaded with the health page only, are drawn, and say in words and in a table what they show', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo } = visited;
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(request.url()));
    await page.reload();
    await page.getByText('What waits').first().waitFor();
    const charts = (): number => loaded.filter((url) => /charts-/.test(url)).length;
    expect([loaded.length > 3, charts()]).toEqual([true, 0]);
    await goTo('#/health');
    const latency = page.getByRole('img', { name: 'Chart. From a change to the services. Last' });
    await latency.waitFor();
    expect(await page.getByRole('img', { name: /^Chart/ }).count()).toBe(6);
    expect(charts()).toBeGreaterThan(0);
    // Something is drawn in the colour of the line.
    const drawn = await latency.evaluate((box) => {
      const canvas = box.querySelector('canvas');
      const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      let coloured = 0;
      for (let at = 0; at < pixels.length; at += 4)
        if (pixels[at + 3] === 255 && pixels[at] === 0x0f && pixels[at + 1] === 0x5c) coloured += 1;
      return coloured;
    });
    expect(drawn).toBeGreaterThan(50);
    const memory = page.getByRole('region', { name: 'Memory' });
    expect(await memory.textContent()).toMatch(/Last \d+ MB\. On average \d+ MB, at most \d+ MB/);
    await memory.getByText('As a table').click();
    expect(await memory.getByRole('row').count()).toBeGreaterThan(10);
    await page.getByRole('radio', { name: 'Past week' }).check({ force: true });
    await expect.poll(() => inputsOf(visited, 'health.series').at(-1)).toEqual({ spanMs: 604_800_000 });
  });
});

test('with nothing noted yet the page says when there will be something, and loads no chart', async () => {
  await visiting({ empty: true }, async ({ page, goTo }) => {
    await goTo('#/health');
    await page.getByRole('heading', { name: 'Nothing is noted yet' }).waitFor();
    expect(await page.locator('.plot').count()).toBe(0);
  });
});

test('the schedule says how often, when last and how it went, when next; and what is off or fails', async () => {
  await visiting({}, async ({ page, goTo, api }) => {
    await goTo('#/schedule');
    const entry = (name: string) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name }) });
    expect(await entry('Daily backup').textContent()).toContain('Every day at 03:00 (UTC)');
    expect(await entry('Daily backup').locator('time').count()).toBe(4);
    expect(await entry('Safety scan').textContent()).toMatch(/Every 30 minutes.*Next/);
    expect(await entry('Round with Notion').textContent()).toContain('It is not set up.');
    expect(await page.getByText('what is not listed here does not run').count()).toBe(1);
    api.failWith('schedule.list', new AppError('data.io_error', 'EIO on vault.db'));
    await goTo('#/logs');
    await goTo('#/schedule');
    await page.getByText('EIO on vault.db').waitFor();
  });
  await visiting({ trouble: true }, async ({ page, goTo }) => {
    await goTo('#/schedule');
    await page.getByText('The address cannot be reached.').waitFor();
    expect(await page.getByText('Failing').count()).toBe(1);
  });
});

test('a service is set up by pasting, tested, and what is missing is created after it was shown', async () => {
  await visiting({ trouble: true }, async (visited) => {
    const { page, goTo } = visited;
    await goTo('#/settings');
    await page.getByRole('button', { name: 'Set up GitHub' }).click();
    const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'GitHub' }) });
    await card.getByRole('button', { name: 'Save and test' }).click();
    expect(await card.getByText('This is still needed.').count()).toBe(2);
    expect(inputsOf(visited, 'environment.set')).toEqual([]);
    expect(await card.getByLabel('Token').getAttribute('type')).toBe('password');
    await card.getByLabel('Token').fill(`GITHUB_TOKEN="${KEY}"`);
    await card.getByLabel('Repository').fill(' mira/angles-backup ');
    await card.getByLabel('Repository').press('Enter');
    await page.getByText('The secrets are kept encrypted on this desktop, the rest in .env.').waitFor();
    expect(inputsOf(visited, 'environment.set')).toEqual([
      { values: { GITHUB_REPO: 'mira/angles-backup', GITHUB_TOKEN: KEY } },
    ]);
    await card.getByText('One step failed.').waitFor();
    expect(await page.evaluate((key) => document.documentElement.outerHTML.includes(key), KEY)).toBe(false);
    await card.getByRole('button', { name: 'Create what is missing' }).click();
    await page.getByRole('dialog').getByText('Make the private repository mira/angles-backup.').waitFor();
    expect(inputsOf(visited, 'backups.prepare')).toEqual([{ apply: false }]);
    await page.getByRole('button', { name: 'Create it' }).click();
    await card.getByText('Every step passed.').waitFor();
    await card.getByText('Set up', { exact: true }).waitFor();
  });
});

test('a secret that is set is never shown, is replaced on request, and can be removed', async () => {
  await visiting({ empty: true }, async (visited) => {
    const { page, goTo, api } = visited;
    await api.methods['environment.set']({ values: { NOTION_API_KEY: KEY, NOTION_DATABASE_ID: 'abc' } });
    await goTo('#/settings');
    await page.getByRole('button', { name: 'Change the keys of Notion' }).click();
    const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Notion' }) });
    await card.getByText('set, kept encrypted').waitFor();
    await card.getByRole('button', { name: 'Replace: Secret of the integration' }).click();
    await page.keyboard.type(`${KEY}2`);
    await card.getByRole('button', { name: 'Save and test' }).click();
    await card.getByText('set, kept encrypted').waitFor();
    expect(inputsOf(visited, 'environment.set').at(-1)).toEqual({ values: { NOTION_API_KEY: `${KEY}2` } });
    await card.getByRole('button', { name: 'Remove Notion' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('The keys of Notion are removed.').waitFor();
    expect(inputsOf(visited, 'environment.set').at(-1)).toEqual({
      values: { NOTION_API_KEY: null, NOTION_DATABASE_ID: null },
    });
  });
});

test('what the environment sets says so; a refusal is an error card and the typed text stays', async () => {
  await visiting({ empty: true }, async (visited) => {
    const { page, goTo, api } = visited;
    await goTo('#/sync');
    const notion = page.getByRole('region', { name: 'Notion' });
    api.failWith('environment.set', new AppError('config.overridden', 'NOTION_API_KEY is set elsewhere.'));
    await notion.getByLabel('Secret of the integration').fill(KEY);
    await notion.getByLabel('Link or id of the database').fill('abc');
    await notion.getByRole('button', { name: 'Save and test' }).click();
    await notion.getByText('NOTION_API_KEY is set elsewhere.').waitFor();
    expect(await notion.getByLabel('Secret of the integration').inputValue()).toBe(KEY);
    api.failWith('environment.set', null);
    await notion.getByRole('button', { name: 'Save and test' }).click();
    await notion.getByText('Connection to Notion').waitFor();
  });
});

test('the first run: three steps with the kit, each left by its button; then services, and the overview', async () => {
  await visiting({ empty: true }, async (visited) => {
    const { page, goTo } = visited;
    await goTo('#/welcome');
    expect(await page.getByRole('list', { name: 'Steps' }).getByRole('listitem').count()).toBe(3);
    await page.getByLabel('Path of the folder').fill('/home/mira/new');
    await page.getByRole('button', { name: 'Watch this folder' }).click();
    await page.getByRole('heading', { name: 'Your first capture' }).waitFor();
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('heading', { name: 'Save your recovery kit' }).waitFor();
    const kit = (await page.locator('.kit-text').textContent()) ?? '';
    await page.getByLabel('The last characters of the key').fill('zzzz');
    await page.getByRole('button', { name: 'I have saved it' }).click();
    await page.getByText('This is not how the key ends.').waitFor();
    const key = (/Key +(\S+)/.exec(kit)?.[1] ?? '').slice(-6);
    expect(key).toHaveLength(6);
    await page.getByLabel('The last characters of the key').fill(key);
    await page.getByRole('button', { name: 'I have saved it' }).click();
    await page.getByRole('heading', { name: 'That is all it takes' }).waitFor();
    expect(await page.evaluate((text) => document.documentElement.outerHTML.includes(text), key)).toBe(false);
    expect(await page.getByRole('button', { name: /^Set up / }).count()).toBe(3);
    await page.getByRole('button', { name: 'Open Angles' }).click();
    await page.getByRole('navigation').waitFor();
  });
});
