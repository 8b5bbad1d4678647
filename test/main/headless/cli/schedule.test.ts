import { expect, test } from 'vitest';
import { createFakeApi } from '../../../support/fake-api.ts';
import { cli } from '../../../support/server-cli.ts';

test('angles schedule says how often, when last and how it went, when next, and why something is off', async () => {
  const { code, stdout } = await cli(['schedule'], { api: createFakeApi({ trouble: true }) });
  expect(code).toBe(0);
  const rows = new Map(stdout.split('\n').map((row) => [row.split(/ {2,}/)[0], row.split(/ {2,}/).slice(1)]));
  expect(rows.get('WHAT')).toEqual(['HOW OFTEN', 'STATE', 'LAST', 'NEXT']);
  expect(rows.get('Daily backup')).toEqual([
    'Every day at 03:00 (UTC)',
    'On',
    '2026-11-20 03:30',
    '2026-11-21 03:00, 2026-11-22 03:00, 2026-11-23 03:00',
  ]);
  expect(rows.get('Proof by a restore')?.[2]).toContain('(failed)');
  expect(rows.get('Round with Supabase')?.slice(0, 2)).toEqual(['Every hour', 'Failing']);
  expect(stdout).toContain('Round with Supabase: The address cannot be reached.');
  expect(stdout).toContain('Round with Notion: It is not set up.');
});

test('before anything ran it says what each waits for, and --json has every entry', async () => {
  const api = createFakeApi({ empty: true });
  const { stdout } = await cli(['schedule'], { api });
  expect(stdout).toMatch(/Backup of changes .* not yet +after your next change/);
  expect(stdout).toMatch(/Proof by a restore .* not yet +a day after the first backup/);
  const document = JSON.parse((await cli(['schedule', '--json'], { api })).stdout) as { schema: number; entries: [] };
  expect([document.schema, document.entries.length]).toEqual([1, 8]);
});
