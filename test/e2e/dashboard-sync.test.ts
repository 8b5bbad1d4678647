import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppError } from '../../src/shared/errors.ts';
import { type Bench, openBench, recordIds, type Visit, type VisitOptions, visit } from '../support/dashboard.ts';

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

test('the overview names what needs the person and leads there', async () => {
  await visiting({ trouble: true }, async ({ page }) => {
    const needs = page.getByRole('list', { name: 'What needs you' });
    await needs.getByText('A restore was interrupted').waitFor();
    expect(await needs.getByRole('link').allTextContents()).toEqual([
      'Decide',
      'Look',
      'Mend',
      'Decide',
      'Save it',
      'Prove one',
      'Look',
      'Look',
      'Decide',
    ]);
    await needs.getByRole('link', { name: 'Save it: The recovery kit is not saved yet' }).click();
    await page.getByRole('dialog', { name: 'Recovery kit' }).waitFor();
  });
});

test('a test names the failing step; what is missing is shown before it is created', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo } = visited;
    await goTo('#/sync');
    const notion = page.getByRole('region', { name: 'Notion', exact: true });
    await notion.getByRole('button', { name: 'Test connection' }).click();
    await notion.getByText('The property "Angles ID" is missing').waitFor();
    await notion.getByRole('button', { name: 'Create what is missing' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Add the property "Angles ID" (text)').waitFor();
    expect(inputsOf(visited, 'sync.prepare')).toEqual([{ remote: 'notion', apply: false }]);
    await dialog.getByRole('button', { name: 'Create it' }).click();
    await page.getByText('Created. Notion is ready.').waitFor();
    expect(inputsOf(visited, 'sync.prepare').at(-1)).toEqual({ remote: 'notion', apply: true });
    await expect.poll(() => inputsOf(visited, 'sync.test').length).toBe(2);
  });
});

test.each([
  ['Keep what is here', 'refuse'],
  ['Do as Notion says', 'accept'],
])('a hold is decided by "%s", after it was asked once more', async (name, decision) => {
  await visiting({}, async (visited) => {
    const { page, goTo } = visited;
    await goTo('#/sync');
    await page.getByRole('heading', { name: 'Notion would retire 58 and overwrite 2 of 212 records here' }).waitFor();
    await page.getByRole('button', { name }).click();
    expect(inputsOf(visited, 'sync.decide')).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name }).click();
    await page.getByText('Decided. It is being done now.').waitFor();
    expect(inputsOf(visited, 'sync.decide')).toEqual([{ remote: 'notion', decision }]);
    await page.getByRole('heading', { name: 'Notion would retire' }).waitFor({ state: 'detached' });
  });
});

test('what a sync would do is shown, and nothing is done before it is asked for', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo } = visited;
    await goTo('#/sync');
    await page.getByRole('button', { name: 'See what it would do' }).click();
    await page.getByRole('dialog').getByText('send 2, take 3, 1 new here, 1 conflict').waitFor();
    expect(inputsOf(visited, 'sync.run')).toEqual([{ dryRun: true }]);
    await page.getByRole('button', { name: 'Do it' }).click();
    await page.getByText('Everything is sent and read.').waitFor();
    expect(inputsOf(visited, 'sync.run')).toEqual([{ dryRun: true }, {}]);
  });
});

test('an entry that was set aside is looked at, retried, or discarded with a copy', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo } = visited;
    await goTo('#/sync?show=queue&state=parked');
    const grid = page.getByRole('grid', { name: 'What waits to be sent' });
    await grid.getByText('Ship the dashboard on port 5000').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('An older title').waitFor();
    await dialog.getByText('1 secret left out before it leaves (openai)').waitFor();
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('1 record will be tried again now.').waitFor();
    await expect.poll(() => grid.getAttribute('aria-rowcount')).toBe('1');
    await grid.focus();
    await page.keyboard.press(' ');
    await page.getByText('1 chosen').waitFor();
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByLabel('Export to (absolute path)').fill('/tmp/copy.json');
    await page.getByRole('button', { name: 'Export and discard' }).click();
    await page.getByText('1 entry discarded. The copy is /tmp/copy.json').waitFor();
    expect(inputsOf(visited, 'queue.discard')).toHaveLength(1);
    await page.getByRole('heading', { name: 'Nothing here with this filter' }).waitFor();
  });
});

test('a discard that cannot write its copy says so and keeps the entry', async () => {
  await visiting({}, async ({ page, goTo, api }) => {
    await goTo('#/sync?show=queue&state=parked');
    await page.getByRole('checkbox', { name: 'Ship the dashboard on port 5000' }).check();
    await page.getByRole('button', { name: 'Discard' }).click();
    api.failWith('queue.discard', new AppError('file.exists', '/tmp/copy.json is there already.'));
    await page.getByRole('button', { name: 'Export and discard' }).click();
    await page.getByRole('dialog').getByText('/tmp/copy.json is there already.').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe('2');
  });
});

test('a conflict is decided from the list to the last field, and taken back', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo } = visited;
    await goTo('#/conflicts');
    await page.getByRole('grid').getByText('Keep every version in SQLite, for ever').click();
    const title = page.getByRole('region', { name: 'Title' });
    expect(await title.getByRole('radio', { name: /^Take Notion’s/ }).isChecked()).toBe(true);
    expect(await title.locator('mark').allTextContents()).toEqual([', for ever']);
    await title.getByRole('radio', { name: /^Keep this vault’s/ }).check();
    await title.getByRole('button', { name: 'Keep this vault’s' }).click();
    await page.getByText('Decided.', { exact: true }).waitFor();
    await title.getByText('Kept this vault’s value').waitFor();
    await page.locator('.notice').getByRole('button', { name: 'Undo' }).click();
    await title.getByRole('radio', { name: /^Take Notion’s/ }).waitFor();
    const body = page.getByRole('region', { name: 'Decision and reasons' });
    await body.getByRole('radio', { name: /^Write it anew/ }).check();
    await body.getByLabel('Your value').fill('Both were right.');
    await body.getByRole('button', { name: 'Write it anew' }).click();
    await page.getByText('Decided.', { exact: true }).waitFor();
    const [first, second] = inputsOf(visited, 'conflicts.resolve') as { choice: string; value?: unknown }[];
    expect([first?.choice, first?.value, second?.choice, second?.value]).toEqual([
      'mine',
      undefined,
      'edited',
      'Both were right.',
    ]);
    expect(inputsOf(visited, 'conflicts.undo')).toHaveLength(1);
  });
});

test('conflicts are decided together with the answers that all of them take, by keyboard', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo } = visited;
    await goTo('#/conflicts');
    const grid = page.getByRole('grid');
    await grid.focus();
    await page.keyboard.press(' ');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press(' ');
    await page.getByText('2 chosen').waitFor();
    await expect.poll(() => page.locator('[role=row][aria-selected=true]').count()).toBe(2);
    await expect.poll(() => page.getByRole('button', { name: 'Keep both' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Choose all here' }).click();
    await expect.poll(() => page.getByRole('button', { name: 'Take the other side’s' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Keep this vault’s' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Keep this vault’s' }).click();
    await page.getByText('5 conflicts decided.').waitFor();
    await page.getByRole('heading', { name: 'No conflicts' }).waitFor();
    await page.locator('.notice').getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone: 5 conflicts open again.').waitFor();
    await expect.poll(() => grid.getAttribute('aria-rowcount')).toBe('5');
  });
});

test('one file comes back in four clicks: its day, the file, restore, and the plan that says where', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo, api } = visited;
    const { backup } = await recordIds(api);
    await goTo('#/backups');
    await page.getByRole('grid', { name: 'Backups, newest first' }).getByText('After changes').first().click();
    await page.getByLabel('Search in this backup').fill('inbox');
    await page.getByRole('grid').getByText('inbox.md').click();
    await page.getByText('Since the backup: 5 lines added, 2 lines removed').waitFor();
    await page.getByRole('button', { name: 'Restore this file' }).click();
    await page.getByText('/home/mira/Angles restored 2026-11-20 09-30', { exact: true }).waitFor();
    expect(inputsOf(visited, 'restore.apply')).toEqual([]);
    await page.getByRole('button', { name: /^Restore 1 file/ }).click();
    await page.getByRole('heading', { name: 'Restored' }).waitFor();
    await page.getByText('1 file written, 0 overwritten, verified, in 2 s.').waitFor();
    expect(inputsOf(visited, 'restore.plan')).toEqual([{ backup, paths: [{ rootId: 1, path: 'inbox.md' }] }]);
  });
});

test('a restore in place shows every count, is typed, and can be undone', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo, api } = visited;
    const { backup } = await recordIds(api);
    await goTo(`#/backups?id=${backup}&restore=1`);
    await page.getByText('Their original places').click();
    await page.getByRole('button', { name: 'Make the plan' }).click();
    await page.getByRole('button', { name: /Overwritten 8/ }).click();
    const items = page.getByRole('grid', { name: 'What would happen, item by item' });
    await expect.poll(() => items.getAttribute('aria-rowcount')).toBe('8');
    const restore = page.getByRole('button', { name: /^Restore 10 files/ });
    expect(await restore.isDisabled()).toBe(true);
    await page.getByLabel('Type 2026-11-20 to confirm').fill('2026-11-2');
    expect(await restore.isDisabled()).toBe(true);
    await page.getByLabel('Type 2026-11-20 to confirm').fill('2026-11-20');
    await restore.click();
    await page.getByText('2 files written, 8 overwritten, verified, in 2 s.').waitFor();
    await page.getByRole('button', { name: 'Undo this restore' }).click();
    await page.getByRole('heading', { name: 'Undone: everything is as it was before.' }).waitFor();
    expect(inputsOf(visited, 'restore.apply')).toEqual([{ planId: 'plan-1', confirm: '2026-11-20' }]);
    expect(inputsOf(visited, 'restore.undo')).toHaveLength(1);
  });
});

test('a plan that grew old is made again by its button, and nothing was written', async () => {
  await visiting({}, async ({ page, goTo, api }) => {
    const { backup } = await recordIds(api);
    await goTo(`#/backups?id=${backup}&restore=now`);
    api.failWith('restore.apply', new AppError('restore.plan_changed', 'notes/inbox.md was saved since.'));
    await page.getByRole('button', { name: /^Restore 38 files/ }).click();
    await page.getByText('notes/inbox.md was saved since.').waitFor();
    api.failWith('restore.apply', null);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('notes/inbox.md was saved since.').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Restore 38 files/ }).click();
    await page.getByRole('heading', { name: 'Restored' }).waitFor();
  });
});

test('only tables are restored: no file is asked for, and replaced rows are typed', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo, api } = visited;
    const { backup } = await recordIds(api);
    await goTo(`#/backups?id=${backup}&restore=1`);
    await page.getByText('Only tables of the vault').click();
    await expect.poll(() => page.getByRole('button', { name: 'Make the plan' }).isDisabled()).toBe(true);
    await page.getByText('Choose at least one table.').waitFor();
    await page.getByRole('button', { name: /^Memories/ }).click();
    await page.getByRole('button', { name: 'Make the plan' }).click();
    await page.getByLabel('Type 2026-11-20 to confirm').fill('2026-11-20');
    await page.getByRole('button', { name: 'Restore 2 rows' }).click();
    await page.getByText('1 row inserted, 1 updated.').waitFor();
  });
});

test('the recovery kit is confirmed only by its right ending, and is remembered nowhere in the page', async () => {
  await visiting({}, async (visited) => {
    const { page, goTo } = visited;
    await goTo('#/backups');
    await page.getByRole('button', { name: 'Show the recovery kit' }).first().click();
    const kit = (await page.locator('.kit-text').textContent()) ?? '';
    const key = /Key +(\S+)/.exec(kit)?.[1] ?? '';
    expect(key.length).toBeGreaterThan(8);
    const ending = page.getByLabel('The last characters of the key');
    await ending.fill('wxyz');
    await page.getByRole('button', { name: 'I have saved it' }).click();
    await page.getByText('This is not how the key ends.').waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as a file' }).click();
    expect((await download).suggestedFilename()).toBe('angles-recovery-kit-7QK4-9M2X.txt');
    await ending.fill(key.slice(-4));
    await page.getByRole('button', { name: 'I have saved it' }).click();
    await page.getByText('The recovery kit is confirmed. Backups may').waitFor();
    await page.getByRole('heading', { name: 'Save your recovery kit' }).waitFor({ state: 'detached' });
    await expect.poll(() => page.evaluate(() => document.documentElement.outerHTML)).not.toContain(key);
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain(key);
    expect(inputsOf(visited, 'key.confirm')).toEqual([{ ending: 'wxyz' }, { ending: key.slice(-4) }]);
  });
});

test('a backup is made with a tag that makes sense, and found in the timeline', async () => {
  await visiting({}, async (visited) => {
    const { page } = visited;
    await page.keyboard.press('Control+k');
    await page.keyboard.type('back up now');
    await page.keyboard.press('Enter');
    const tag = page.getByLabel('Tag (optional)');
    await tag.fill('-rf');
    await tag.press('Enter');
    await page.getByText('Letters, digits, dot, dash and underscore').waitFor();
    expect(inputsOf(visited, 'backups.run')).toEqual([]);
    await tag.fill('before-lisbon');
    await tag.press('Enter');
    await page.getByText('Backed up and verified: before-lisbon.').waitFor();
    await page.getByRole('grid').getByText('before-lisbon').waitFor();
  });
});

test('a restore that was cut off goes on by its button; progress says that the window may be closed', async () => {
  await visiting({ trouble: true }, async ({ page, goTo, api }) => {
    await goTo('#/backups');
    await page.locator('.connection.live').waitFor();
    const report = (doneItems: number): void =>
      api.emit({
        event: 'backup-progress',
        payload: {
          operation: 'restore',
          phase: 'Writing files',
          doneItems,
          totalItems: 40,
          doneBytes: 0,
          totalBytes: 0,
          etaMs: 170_000,
        },
      });
    const bar = page.getByRole('progressbar', { name: 'Restoring' });
    // As a restore does: several times a second, since an event may come before the page listens.
    const reporting = setInterval(() => report(10), 100);
    await bar.waitFor().finally(() => clearInterval(reporting));
    await page.getByText('You may close this window').waitFor();
    report(4);
    expect(await bar.getAttribute('aria-valuenow')).toBe('25');
    await page.getByRole('button', { name: 'Go on with it' }).click();
    await page.getByText('Restored: 4 files written and verified.').waitFor();
    await page.getByRole('heading', { name: 'A restore was interrupted', exact: true }).waitFor({ state: 'detached' });
    await bar.waitFor({ state: 'detached' });
  });
});

test('a failed reading says what it means and recovers by its button', async () => {
  await visiting({}, async ({ page, goTo, api }) => {
    for (const [method, place] of [
      ['sync.status', '#/sync'],
      ['conflicts.list', '#/conflicts'],
      ['backups.status', '#/backups'],
    ] as const) {
      // Only what was not read before can fail to show anything.
      await page.reload();
      api.failWith(method, new AppError('data.io_error', 'EIO on vault.db'));
      await goTo(place);
      await page.getByRole('heading', { name: 'The disk of the data folder failed.' }).waitFor();
      api.failWith(method, null);
      await page.getByRole('button', { name: 'Try again' }).first().click();
      await page.getByRole('heading', { name: 'The disk of the data folder failed.' }).waitFor({ state: 'detached' });
    }
  });
});
