import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppError } from '../../src/shared/errors.ts';
import { ATTACKS } from '../support/attacks.ts';
import { type Bench, openBench, placesOf, recordIds, type Visit, visit } from '../support/dashboard.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

/** Whether any attack ran, was stopped only by the policy, or made an element of its own. */
async function traces({ page, faults }: Visit): Promise<unknown> {
  return {
    canary: await page.evaluate(() => (globalThis as unknown as { canary?: number }).canary ?? 0),
    faults: await faults(),
    elements: await page.evaluate(
      () =>
        document.querySelectorAll(
          '#app :is(script, iframe, object, base, style, template, math, video, img, [onerror], [onload])',
        ).length,
    ),
  };
}
const NOTHING = { canary: 0, faults: [], elements: 0 };

test('hostile file names are text in every view', async () => {
  const visited = await visit(bench, { hostile: true });
  try {
    for (const hash of Object.values(placesOf(await recordIds(visited.api)))) await visited.goTo(hash);
    await visited.goTo('#/files?root=1');
    const { page } = visited;
    const shown = await page.getByRole('grid').textContent();
    expect(shown).toContain('<img src=x onerror=globalThis.canary=1>.md');
    expect(shown).toContain('line\\nbreak.md');
    expect(shown).toContain('\\e[31mred.md');
    expect(shown).toContain('gpj.\\u202eexe.md');
    await page.getByText('<img src=x onerror=globalThis.canary=1>.md').click();
    await page.getByRole('heading', { level: 1, name: '<img src=x' }).waitFor();
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await traces(visited)).toEqual(NOTHING);
  } finally {
    await visited.close();
  }
});

test('two hundred attacks through log lines, titles, texts, tags, notices and errors run nothing', async () => {
  const visited = await visit(bench);
  try {
    const { api, page, goTo } = visited;
    await page.locator('.connection.live').waitFor();
    for (const [index, attack] of ATTACKS.entries()) {
      await api.methods['records.create']({
        table: index % 2 === 0 ? 'decision_vault' : 'memories',
        fields: { title: attack, category: attack, tags: [attack] },
        origin: 'cli',
      });
    }
    const { decision, memory } = await recordIds(api);
    for (const hash of [
      `#/decisions?id=${decision}`,
      `#/memories?id=${memory}`,
      '#/decisions',
      '#/decisions?layout=board',
      '#/memories',
      '#/search?q=canary',
      `#/search?q=${encodeURIComponent(ATTACKS[1] ?? '')}`,
    ]) {
      await goTo(hash);
    }
    expect(await page.locator('.hits li, .empty').count()).toBeGreaterThan(0);
    await goTo('#/logs');
    for (const [index, attack] of ATTACKS.entries()) {
      api.emit({
        event: 'log',
        payload: {
          seq: 5_000 + index,
          timeMs: Date.UTC(2026, 10, 20),
          level: 'error',
          component: attack,
          message: attack,
          runId: attack,
          durationMs: 1,
          data: { attack },
        },
      });
    }
    await page.locator('.log-text', { hasText: 'canary' }).last().click();
    await page.getByRole('complementary', { name: 'Line' }).waitFor();
    api.failWith('doctor.run', new AppError('data.io_error', ATTACKS[1] ?? '', { hint: ATTACKS[2] ?? '' }));
    await goTo('#/health');
    api.failWith('scan.run', new AppError('data.full', ATTACKS[3] ?? ''));
    await goTo('#/');
    await page.getByRole('button', { name: 'Scan now' }).click();
    await page.locator('.notice.error').waitFor();
    expect(await traces(visited)).toEqual(NOTHING);
  } finally {
    await visited.close();
  }
});

test('a hash that attacks is only a place', async () => {
  const visited = await visit(bench);
  try {
    for (const attack of ATTACKS.slice(0, 40)) {
      const text = encodeURIComponent(attack);
      for (const view of ['files?glob', 'file?path', 'search?q', 'decisions?id', 'logs?component']) {
        await visited.page.evaluate((hash) => {
          location.hash = hash;
        }, `#/${view}=${text}`);
      }
    }
    await visited.page.getByRole('heading', { level: 1 }).waitFor();
    expect(await traces(visited)).toEqual(NOTHING);
  } finally {
    await visited.close();
  }
});
