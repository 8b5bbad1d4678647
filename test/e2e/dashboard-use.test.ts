import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../../src/main/headless/server.ts';
import { AppError } from '../../src/shared/errors.ts';
import {
  type Bench,
  openBench,
  placesOf,
  recordIds,
  type Visit,
  type VisitOptions,
  visit,
} from '../support/dashboard.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

/** Runs a visit and checks at its end that the page had no fault. */
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

test('the page is small: below 60 KB gzipped at first, below 120 KB with every view but its charts', () => {
  const assets = join(bench.rendererFolder, 'assets');
  const page = readFileSync(join(bench.rendererFolder, 'index.html'), 'utf8');
  const sizes = readdirSync(assets).map((name) => ({ name, size: gzipSync(readFileSync(join(assets, name))).length }));
  const sum = (list: typeof sizes): number => list.reduce((total, { size }) => total + size, 0);
  const first = sizes.filter(({ name }) => page.includes(name));
  expect(first.length).toBeGreaterThan(1);
  expect(sum(first)).toBeLessThan(60_000);
  // What draws the charts comes when there is something to draw.
  const charts = sizes.filter(({ name }) => name.startsWith('charts-'));
  expect(charts.some(({ name }) => name.endsWith('.js'))).toBe(true);
  expect(first.some(({ name }) => name.startsWith('charts-'))).toBe(false);
  expect(sum(sizes) - sum(charts)).toBeLessThan(120_000);
});

test('the overview says whether all is safe, what needs the person, and shows it in the title', async () => {
  await visiting({}, async ({ page }) => {
    await page.getByRole('heading', { name: 'Everything is captured; one folder waits for your decision.' }).waitFor();
    await page.getByRole('heading', { name: '64 files of 70 are gone at once' }).waitFor();
    await expect.poll(() => page.title()).toBe('(1) Overview · Angles');
    expect(await page.locator('.activity-list li').count()).toBe(12);
  });
});

test('a held root is decided by either answer; recording deletions is asked once more', async () => {
  await visiting({}, async (visited) => {
    const { page } = visited;
    await page.getByRole('button', { name: 'I deleted them' }).click();
    expect(inputsOf(visited, 'roots.decide')).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'I deleted them' }).click();
    await page.getByText('64 deletions recorded. Their versions stay.').waitFor();
    await page.getByRole('heading', { name: 'Everything is captured.', exact: true }).waitFor();
    expect(inputsOf(visited, 'roots.decide')).toEqual([{ path: '/home/mira/assistant-exports', decision: 'accept' }]);
  });
  await visiting({}, async (visited) => {
    await visited.page.getByRole('button', { name: 'Check again' }).click();
    await visited.page.getByText('The files are back. Nothing was recorded as deleted.').waitFor();
    expect(inputsOf(visited, 'roots.decide')).toEqual([{ path: '/home/mira/assistant-exports', decision: 'check' }]);
  });
});

test('from an activity to its change to the restored file in at most four clicks, with an undo', async () => {
  await visiting({}, async (visited) => {
    const { page } = visited;
    await page.getByRole('link', { name: 'architecture.md was saved' }).first().click();
    await page.getByText('Revision 26 of this page.').waitFor();
    await page.getByRole('button', { name: 'Restore this version' }).click();
    const target = await page.getByLabel('Writes to').inputValue();
    expect(target).toBe('/home/mira/projects/atlas/docs/architecture.restored-2026-11-20T08-55-00.md');
    await page.getByRole('button', { name: 'Write the copy' }).click();
    await page.getByText(`Restored to ${target}`).waitFor();
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await page.getByText('In place of the file').click();
    const replace = page.getByRole('button', { name: 'Replace architecture.md' });
    expect(await replace.isDisabled()).toBe(true);
    await page.getByLabel('Yes, replace architecture.md with this version').check();
    await replace.click();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone: architecture.md is as it was before.').waitFor();
    expect(inputsOf(visited, 'files.restore').map((one) => (one as { inPlace?: boolean }).inPlace ?? false)).toEqual([
      false,
      true,
      true,
    ]);
  });
});

test('the keyboard alone reaches a file, its changes and back', async () => {
  await visiting({}, async ({ page }) => {
    await page.keyboard.press('g');
    await page.keyboard.press('f');
    await page.getByRole('heading', { name: 'Files', level: 1 }).waitFor();
    await page.getByRole('grid').waitFor();
    const grid = page.getByRole('grid');
    for (
      let presses = 0;
      presses < 40 && !(await grid.evaluate((one) => one === document.activeElement));
      presses += 1
    ) {
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    expect(await grid.getAttribute('aria-rowcount')).toBe('36');
    expect(await page.locator('[role=row][aria-selected=true]').getAttribute('aria-rowindex')).toBe('2');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '2026-11-16 SQL window functions.md' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Files', level: 1 }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('sqlite');
    await page.getByRole('link', { name: /Keep every version in SQLite/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Keep every version in SQLite', level: 1 }).waitFor();
  });
});

test('the palette goes, does and finds; Esc closes it and gives the focus back', async () => {
  await visiting({}, async ({ page }) => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type('logs');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Logs', level: 1 }).waitFor();
    const copy = page.getByRole('button', { name: 'Copy lines' });
    // The new page takes the focus when it has none; from then on it stays.
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
    await copy.focus();
    await page.keyboard.press('Control+k');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await copy.evaluate((one) => one === document.activeElement)).toBe(true);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('sourdough');
    await page.getByRole('option', { name: /sourdough\.md/ }).click();
    await page.getByRole('heading', { name: 'sourdough.md' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  });
});

test('a decision is written, edited with its history kept, superseded and retired', async () => {
  await visiting({}, async ({ page, goTo }) => {
    await goTo('#/decisions?new=1');
    await page.getByRole('button', { name: 'Write it down' }).click();
    await page.getByText('A title is needed.').waitFor();
    await page.getByLabel('Title').fill('Name things once');
    await page.getByLabel('Tags').fill('words, style');
    await page.getByRole('button', { name: 'Write it down' }).click();
    await page.getByRole('heading', { name: 'Name things once', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Status').selectOption('accepted');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.field-history', { hasText: 'accepted' }).waitFor();
    await page.getByRole('button', { name: 'Supersede' }).click();
    await page.getByLabel('Title').fill('Name things once, in English');
    await page.getByRole('button', { name: 'Supersede' }).click();
    await page.getByRole('heading', { name: 'Name things once, in English', level: 1 }).waitFor();
    await page.locator('.chain').getByRole('link', { name: 'Name things once' }).waitFor();
    await page.getByRole('button', { name: 'Retire' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Retire' }).click();
    await page.getByRole('button', { name: 'Bring back' }).waitFor();
  });
});

test('an edit that comes too late keeps what was typed and says what to do', async () => {
  await visiting({}, async ({ page, goTo, api }) => {
    const { decision } = await recordIds(api);
    await goTo(`#/decisions?id=${decision}`);
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Title').fill('My words');
    await api.methods['records.edit']({
      table: 'decision_vault',
      id: decision,
      fields: { title: 'Other words' },
      origin: 'cli',
    });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'The record was changed in the meantime.' }).waitFor();
    expect(await page.getByLabel('Title').inputValue()).toBe('My words');
  });
});

test('the log follows, pauses without losing lines, and an empty filter explains itself', async () => {
  await visiting({}, async ({ page, goTo, api }) => {
    await goTo('#/logs');
    const grid = page.getByRole('grid');
    const emit = (seq: number, message: string): void =>
      api.emit({
        event: 'log',
        payload: {
          seq,
          timeMs: Date.UTC(2026, 10, 20, 9, 30),
          level: 'warn',
          component: 'scan',
          message,
          runId: null,
          durationMs: null,
          data: { code: 'x' },
        },
      });
    emit(1_001, 'the first new line');
    await grid.getByText('the first new line').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    emit(1_002, 'a line while paused');
    await page.getByText('Paused, 1 new line').waitFor();
    expect(await grid.getByText('a line while paused').count()).toBe(0);
    await page.getByRole('button', { name: 'Follow' }).click();
    await grid.getByText('a line while paused').waitFor();
    await page.getByLabel('Contains').fill('no such text');
    await page.getByText('Filtered by info and worse, text “no such text”.').waitFor();
  });
});

test('settings are saved when the field is left, refused values explained beside it, and reset', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo } = visited;
    await goTo('#/settings');
    const port = page.getByRole('textbox', { name: 'Port' });
    await port.fill('many');
    await port.blur();
    await page.getByText('Must be a number.').waitFor();
    expect(inputsOf(visited, 'settings.set')).toEqual([]);
    await port.fill('5050');
    await port.press('Enter');
    await page.getByText('Takes effect after the next start.').waitFor();
    await page.getByRole('button', { name: 'Reset dashboard.port' }).click();
    await expect.poll(() => port.inputValue()).toBe('5000');
    expect(inputsOf(visited, 'settings.set')).toEqual([
      { key: 'dashboard.port', value: 5_050 },
      { key: 'dashboard.port', value: null },
    ]);
    await page.getByLabel('Folder to watch (absolute path)').fill('notes');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'The folder does not exist.' }).waitFor();
  });
});

test('a failed reading says what it means and recovers by its button', async () => {
  await visiting({}, async ({ page, goTo, api }) => {
    api.failWith('doctor.run', new AppError('data.io_error', 'EIO on vault.db'));
    await goTo('#/health');
    await page.getByRole('heading', { name: 'The disk of the data folder failed.' }).waitFor();
    await page.getByText('EIO on vault.db').waitFor();
    api.failWith('doctor.run', null);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('1 to mend, 1 to look at').waitFor();
  });
});

test('progress appears while a root is read, with an estimate, and leaves when it is done', async () => {
  await visiting({}, async ({ page, api }) => {
    await page.locator('.connection.live').waitFor();
    const report = (phase: 'capturing' | 'done', doneFiles: number): void =>
      api.emit({
        event: 'progress',
        payload: {
          rootId: 1,
          root: '/home/mira/notes',
          phase,
          doneFiles,
          totalFiles: 100,
          doneBytes: doneFiles,
          totalBytes: 100,
          filesPerSecond: 1,
          bytesPerSecond: 1,
          etaMs: 170_000,
        },
      });
    const bar = page.getByRole('progressbar');
    // As a scan does: several times a second, since an event may come before the page listens.
    const reporting = setInterval(() => report('capturing', 40), 100);
    await bar.waitFor().finally(() => clearInterval(reporting));
    expect(await bar.getAttribute('aria-valuenow')).toBe('40');
    await page.getByText('about 3 min left').waitFor();
    report('done', 100);
    await bar.waitFor({ state: 'detached' });
  });
});

test('without a key the page explains how to get in, and no data is asked for', async () => {
  await visiting({ signedIn: false }, async (visited) => {
    await visited.page.getByRole('heading', { name: 'Open the dashboard from your terminal' }).waitFor();
    await visited.page.getByText('angles open', { exact: true }).waitFor();
    expect(visited.api.calls).toEqual([]);
  });
});

test('when the agent restarts, the last data stays, then the page asks to sign in, and reads again', async () => {
  await visiting({}, async ({ page, context, api, server }) => {
    await page.locator('.connection.live').waitFor();
    await server.close();
    await page.getByText('The agent does not answer.').waitFor();
    await page.getByRole('heading', { name: '64 files of 70 are gone at once' }).waitFor();
    await api.methods['roots.decide']({ path: '/home/mira/assistant-exports', decision: 'check' });
    const again = await startServer({ api, port: server.port, rendererFolder: bench.rendererFolder, log: console });
    try {
      await page.getByRole('heading', { name: 'Open the dashboard from your terminal' }).waitFor({ timeout: 15_000 });
      const other = await context.newPage();
      await other.goto(again.makeLink());
      await page.getByRole('button', { name: 'I have signed in' }).click();
      await page.getByRole('heading', { name: 'Everything is captured.', exact: true }).waitFor();
      await page.locator('.connection.live').waitFor();
    } finally {
      await again.close();
    }
  });
});

test('the first paint comes within a second', async () => {
  await visiting({}, async ({ page }) => {
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    const paintMs = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => {
            for (const entry of list.getEntriesByName('first-contentful-paint')) resolve(entry.startTime);
          }).observe({ type: 'paint', buffered: true });
        }),
    );
    expect(paintMs).toBeLessThan(1_000);
  });
});

test('a list of 100,000 files keeps only the rows in sight in the page, and reads on at its end', async () => {
  await visiting({}, async ({ page, goTo, api }) => {
    const [sample] = (await api.methods['files.list']({ limit: 1 })).files;
    if (sample === undefined) throw new Error('the sample data has no file');
    const total = 100_000;
    Object.assign(api.methods, {
      'files.list': async ({ cursor }: { cursor?: string | null }) => {
        const start = Number(cursor ?? 0);
        const end = Math.min(total, start + 1_000);
        const files = Array.from({ length: end - start }, (_, index) => {
          const at = start + index;
          return { ...sample, fileId: at + 1_000, path: `many/${String(at).padStart(6, '0')}.md` };
        });
        return { files, next: end < total ? String(end) : null, total };
      },
    });
    await goTo('#/files?order=newest');
    const grid = page.getByRole('grid');
    await grid.getByText('000000.md').waitFor();
    expect(await grid.getAttribute('aria-rowcount')).toBe(String(total));
    await grid.focus();
    for (const last of ['000999.md', '001999.md', '002999.md']) {
      await page.keyboard.press('End');
      await grid.getByText(last).waitFor();
      expect(await page.locator('[role=row]').count()).toBeLessThan(60);
      await expect
        .poll(() => grid.evaluate((one) => Math.round((one.firstElementChild?.clientHeight ?? 0) / 52)))
        .toBeGreaterThan(Number(last.slice(0, 6)) + 1);
    }
    const [newest] = (await api.methods['activities.list']({ limit: 1 })).activities;
    if (newest === undefined) throw new Error('the sample data has no activity');
    const place = await grid.evaluate((one) => one.scrollTop);
    const asked = api.calls.length;
    api.emit({ event: 'activity', payload: { newest } });
    await expect.poll(() => api.calls.length).toBeGreaterThan(asked);
    expect(await grid.evaluate((one) => one.scrollTop)).toBe(place);
  });
});

test('every view has its own title, and back and forward lead through them', async () => {
  await visiting({}, async ({ page, goTo, api }) => {
    const places = placesOf(await recordIds(api));
    const titles = new Set<string>();
    for (const name of [
      'overview',
      'activity',
      'files',
      'a file',
      'search',
      'decisions',
      'memories',
      'conflicts',
      'sync',
      'backups',
      'logs',
      'health',
      'settings',
    ]) {
      await goTo(places[name] ?? '');
      await expect.poll(async () => titles.has(await page.title())).toBe(false);
      titles.add(await page.title());
    }
    await page.goBack();
    await page.getByRole('heading', { name: 'Health', level: 1 }).waitFor();
    await page.goForward();
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
  });
});
