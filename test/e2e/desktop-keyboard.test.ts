import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desktop, isReal, makePlace, type Place, startDesktop } from '../support/desktop.ts';

const MOST_TABS = 80;
/** A laptop of 1366 x 768 at 150 %: this much is left for a window. */
const SMALL = { displays: [{ x: 0, y: 0, width: 910, height: 472 }], scaleFactor: 1.5 };

/** The six journeys follow each other in one window, from nothing on, and nothing is clicked. */
describe.skipIf(isReal)('with the keyboard alone, in a window of 910 x 472', () => {
  let place: Place;
  let desktop: Desktop;
  let page: Page;
  beforeAll(async () => {
    place = makePlace();
    desktop = await startDesktop({ place, options: SMALL });
    page = await desktop.page();
    await desktop.host.answerDialog({ canceled: false, filePaths: [place.notes] });
  });
  afterAll(async () => {
    await desktop.kill();
    place.remove();
  });

  /** Tab until it has the focus, which must be seen. */
  const tabTo = async (target: Locator): Promise<void> => {
    await target.waitFor();
    for (let presses = 0; presses < MOST_TABS; presses += 1) {
      if (await target.evaluate((one) => one === document.activeElement)) {
        expect(await focusIsSeen(target)).toBe(true);
        return;
      }
      await page.keyboard.press('Tab');
    }
    throw new Error(`not reached with ${MOST_TABS} tabs: ${target}; the focus is on ${await focused()}`);
  };
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200) ?? '');
  const press = async (target: Locator, key = 'Enter'): Promise<void> => {
    await tabTo(target);
    await page.keyboard.press(key);
  };
  const button = (name: string | RegExp): Locator => page.getByRole('button', { name }).first();
  const heading = (name: string | RegExp): Promise<void> => page.getByRole('heading', { name }).first().waitFor();
  const go = async (letter: string, title: string): Promise<void> => {
    await page.keyboard.press('Escape');
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    await page.waitForFunction(() => document.querySelector('.skeleton') === null);
  };
  /** The window is not wider than its page, and nothing that can be used is cut off at a side. */
  const nothingCutOff = async (): Promise<void> => {
    const cut = await page.evaluate(() => {
      const content = document.getElementById('content') ?? document.documentElement;
      const excess = Math.max(
        document.documentElement.scrollWidth - innerWidth,
        content.scrollWidth - content.clientWidth,
      );
      const outside = [...document.querySelectorAll('main button, main a, main input, main h1')].filter((one) => {
        const { left, right, width } = one.getBoundingClientRect();
        return width > 1 && getComputedStyle(one).visibility !== 'hidden' && (left < -1 || right > innerWidth + 1);
      });
      return { excess, outside: outside.map((one) => one.outerHTML.slice(0, 120)) };
    });
    expect(cut).toEqual({ excess: 0, outside: [] });
  };

  test('1: from nothing to a file that is safe, with the kit saved', async () => {
    await heading('Which folder should be safe?');
    await nothingCutOff();
    await press(button('Choose a folder'));
    await page.getByText(`Save any file in ${place.notes}`).waitFor();
    writeFileSync(join(place.notes, 'plan.md'), '# Plan\n\nShip in May.\n');
    await page.getByText('Your first file is safe.').waitFor();
    await press(button('Go on'));
    await heading('Save your recovery kit');
    await nothingCutOff();
    const kit = (await page.locator('.kit-text').textContent()) ?? '';
    const digits = (/spaces do not matter\):\n((?: {4}[0-9a-f ]+\n){4})/.exec(kit)?.[1] ?? '').replace(/\s/g, '');
    expect(digits).toHaveLength(64);
    await tabTo(page.getByLabel('The last characters of the key'));
    await page.keyboard.type(digits.slice(-8));
    await page.keyboard.press('Enter');
    await heading('That is all it takes');
    await press(button('Open Angles'));
    await page.getByText('You are safe').waitFor();
  });

  test('2: a version is found in the history and written beside the file', async () => {
    writeFileSync(join(place.notes, 'plan.md'), '# Plan\n\nShip in June.\n');
    await page.getByText('plan.md was saved').first().waitFor();
    await go('f', 'Files');
    await nothingCutOff();
    await tabTo(page.getByRole('grid'));
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'plan.md' }).waitFor();
    await press(button('Restore this version'));
    const target = await page.getByLabel('Writes to').inputValue();
    await press(button('Write the copy'));
    await page.getByText(`Restored to ${target}`).waitFor();
    expect(readFileSync(target, 'utf8')).toContain('June');
  });

  test('3: a decision is written and found', async () => {
    await go('d', 'Decisions');
    await press(button('New decision'));
    await tabTo(page.getByLabel('Title'));
    await page.keyboard.type('Ship in June');
    await tabTo(page.getByLabel('Decision and reasons'));
    await page.keyboard.type('May is too early.');
    await press(button('Write it down'));
    await page.getByText('Written down.').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').waitFor();
    await page.keyboard.type('too early');
    await page.getByRole('option').filter({ hasText: 'Ship in June' }).first().waitFor();
    await page.keyboard.press('Escape');
  });

  test('4: a backup is made, and a restore of it is planned', async () => {
    await go('b', 'Backups');
    await nothingCutOff();
    await press(button('Back up now'));
    await page.getByRole('dialog').waitFor();
    await press(page.getByRole('dialog').getByRole('button', { name: 'Back up', exact: true }));
    await page.getByText(/^(Backed up and verified|Nothing had changed since)/).waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await tabTo(page.getByRole('grid'));
    await page.keyboard.press('Home');
    // The first row is the day.
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await heading(/^Backup /);
    await nothingCutOff();
    await press(button('Restore all of it'));
    await press(button('Make the plan'));
    await page
      .getByText('Unchanged')
      .first()
      .or(page.getByText('New', { exact: true }).first())
      .first()
      .waitFor();
    await nothingCutOff();
  });

  test('5: a setting is changed, and a service is set up and tested', async () => {
    await go('t', 'Settings');
    await nothingCutOff();
    await tabTo(page.getByRole('switch', { name: 'Start at login' }));
    await page.keyboard.press('Space');
    await page.getByText('desktop.start_at_login saved.').waitFor();
    await go('t', 'Settings');
    await press(button('Set up GitHub'));
    const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'GitHub' }) });
    await tabTo(card.getByLabel('Repository'));
    await page.keyboard.type('http://127.0.0.1:9/nobody/backups');
    await tabTo(card.getByLabel('Token'));
    await page.keyboard.type(['ghp', 'of', 'tests'].join('_'));
    await page.keyboard.press('Enter');
    await page.getByText('One step failed.').waitFor();
    expect(readFileSync(join(place.dataFolder, '.env'), 'utf8')).toBe(
      'GITHUB_REPO=http://127.0.0.1:9/nobody/backups\n',
    );
    expect(readFileSync(join(place.dataFolder, 'secrets.json'), 'utf8')).not.toContain('of_tests');
  });

  test('6: what runs when, how it goes, and the log', async () => {
    await go('e', 'Schedule');
    await nothingCutOff();
    await page.getByText('Safety scan', { exact: true }).first().waitFor();
    await go('h', 'Health');
    await nothingCutOff();
    await press(button('Check again'));
    await page.getByText('Vault').first().waitFor();
    // The backup of before is in the figures.
    await page.getByRole('img', { name: /^Chart\. Size of backups/ }).waitFor();
    await go('l', 'Logs');
    await tabTo(page.getByLabel('Contains'));
    await page.keyboard.type('Ready.');
    await page.getByRole('grid').getByText('Ready.').first().waitFor();
    await page.keyboard.press('Escape');
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Schedule').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});

/** An outline or a shadow of its own, as the styles give to what has the focus by key. */
function focusIsSeen(target: Locator): Promise<boolean> {
  return target.evaluate((one) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
    return (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
  });
}
