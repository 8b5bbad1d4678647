import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AnglesBridge } from '../../src/renderer/data/client.ts';
import { ATTACKS } from '../support/attacks.ts';
import { type Desktop, isReal, makePlace, type Place, startDesktop } from '../support/desktop.ts';

declare const angles: AnglesBridge;

describe.skipIf(isReal)('the window', () => {
  let place: Place;
  let desktop: Desktop;
  beforeEach(() => {
    place = makePlace();
  });
  afterEach(async () => {
    await desktop.kill();
    place.remove();
  });

  test(`runs none of ${ATTACKS.length} attacks in file names, titles, texts, log lines and errors`, async () => {
    const names = ATTACKS.map(
      (attack, index) => `${index} ${attack.replaceAll('/', '∕').replaceAll('\0', '')}.md`,
    ).filter((name) => Buffer.byteLength(name) < 250);
    for (const [index, name] of names.entries()) writeFileSync(join(place.notes, name), `${ATTACKS[index] ?? ''}\n`);
    desktop = await startDesktop({ place, args: ['--port', '0', '--root', place.notes] });
    const page = await desktop.page();
    await watchFor(page);
    await page.getByText('You are safe').waitFor({ timeout: 30_000 });
    await page.evaluate(async (attacks) => {
      for (const [index, attack] of attacks.entries()) {
        await angles.call('records.create', {
          table: index % 2 === 0 ? 'decision_vault' : 'memories',
          fields: {
            title: attack,
            category: attack,
            tags: [attack],
            ...(index % 2 === 0 ? { decision: attack } : { content: attack }),
          },
          origin: 'dashboard',
        });
        // Each refusal names what was asked for, and each refused link is a line of the log.
        await angles.call('desktop.openLink', { url: attack });
        await angles.call('files.show', { path: attack });
      }
    }, ATTACKS);
    const ids = await page.evaluate(async () => {
      const listed = async (table: 'decision_vault' | 'memories'): Promise<string> => {
        const answer = (await angles.call('records.list', { table, limit: 1 })) as {
          value: { records: { id: string }[] };
        };
        return answer.value.records[0]?.id ?? '';
      };
      return [await listed('decision_vault'), await listed('memories')];
    });
    const places = [
      '#/',
      '#/activity',
      '#/files?root=1',
      '#/decisions',
      '#/decisions?layout=board',
      `#/decisions?id=${ids[0]}`,
      '#/memories',
      `#/memories?id=${ids[1]}`,
      '#/search?q=canary',
      '#/logs',
      '#/health',
      '#/settings',
      '#/welcome',
      ...names.slice(0, 30).map((name) => `#/file?path=${encodeURIComponent(join(place.notes, name))}`),
      ...ATTACKS.slice(0, 30).map((attack) => `#/search?q=${encodeURIComponent(attack)}`),
    ]; // prettier-ignore
    for (const hash of places) {
      await page.evaluate(async (wanted) => {
        location.hash = wanted;
        await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      }, hash);
      await page.waitForFunction(() => document.querySelector('.skeleton') === null);
    }
    expect(await page.evaluate(() => document.body.textContent?.includes('canary'))).toBe(true);
    expect(await traces(page)).toEqual({ canary: 0, violations: [], elements: 0, address: '/index.html' });
    expect((await desktop.host.state(undefined as never)).opened).toEqual([]);
  });
});

const watchFor = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const violations: string[] = [];
    Object.assign(globalThis, { violations });
    addEventListener('securitypolicyviolation', (event) =>
      violations.push(`${event.violatedDirective} ${event.blockedURI}`),
    );
  });

/** Whether an attack ran, was stopped by the policy alone, made an element, or took the window elsewhere. */
const traces = (page: Page): Promise<unknown> =>
  page.evaluate(() => {
    const { canary = 0, violations } = globalThis as unknown as { canary?: number; violations: string[] };
    const made = '#app :is(script, iframe, object, base, style, template, math, video, img, [onerror], [onload])';
    return { canary, violations, elements: document.querySelectorAll(made).length, address: location.pathname };
  });
