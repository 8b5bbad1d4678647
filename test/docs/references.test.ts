import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { getDotted } from '../../src/main/settings/dotted.ts';
import { SETTING_KEYS } from '../../src/main/settings/keys.ts';
import { ERROR_CATALOGUE } from '../../src/shared/errors.ts';
import { ENVIRONMENT, settingsSchema } from '../../src/shared/settings.ts';
import { codeOf, linkedFiles, load, ROOT, readDocument, tableRows } from './documents.ts';

const documents = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const readme = readDocument('README.md');

test.each(documents)('%s links to files and images that exist', (path) => {
  expect(linkedFiles(path).filter((target) => !existsSync(join(ROOT, target)))).toEqual([]);
});

test('the settings tables have every key once, with its default', () => {
  const defaults = settingsSchema.parse({});
  const rows = tableRows(readme, 'Key').map(([key = '', value = '']) => [key, JSON.parse(value)]);
  const expected = SETTING_KEYS.map((key) => [key, getDotted(defaults, key)]);
  expect(rows.toSorted(byKey)).toEqual(expected.toSorted(byKey));
});

test('the table of the environment has every outside name, its aliases, and whether it is a secret', () => {
  const rows = tableRows(readme, 'Name').filter((cells) => cells.length === 4);
  expect(rows.map(([name, alias, secret]) => ({ name, alias, secret: secret === 'yes' }))).toEqual(
    ENVIRONMENT.map(({ name, aliases, secret }) => ({ name, alias: aliases.join(', '), secret })),
  );
});

test('the table of exit codes has every code that an error has', () => {
  const codes = tableRows(readme, 'Exit code').map(([code]) => Number(code));
  const used = [0, ...Object.values(ERROR_CATALOGUE).map((entry) => entry.exitCode)];
  expect(codes).toEqual([...new Set(used)].toSorted((a, b) => a - b));
});

test('errors that the README names are in the catalogue', () => {
  const named = tableRows(readme, 'You see').map(([code = '']) => code);
  expect(named.length).toBeGreaterThan(4);
  expect(named.filter((code) => !Object.hasOwn(ERROR_CATALOGUE, code))).toEqual([]);
});

test('docs/ERRORS.md is what the catalogue says (node scripts/errors.mjs writes it)', async () => {
  const { errorsDocument } = await load<{ errorsDocument: () => string }>('scripts/errors.mjs');
  expect(readDocument('docs/ERRORS.md')).toBe(errorsDocument());
});

test('npm commands that are shown exist, and the tests that prove something, too', () => {
  const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> };
  const commands = [
    ...documents
      .map(readDocument)
      .join('\n')
      .matchAll(/\bnpm (?:run )?(?!run|ci|install)([a-z]+)/g),
  ];
  const names = commands.flatMap(([, name]) => name ?? []);
  expect(names).toEqual(expect.arrayContaining(['start', 'test', 'build', 'bench']));
  expect(names.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  const tests = codeOf(readme).flatMap((code) => /^npm test -- (\S+)$/.exec(code)?.[1] ?? []);
  expect(tests.length).toBeGreaterThan(4);
  expect(tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('pictures are small, and of one size', () => {
  const pictures = readdirSync(join(ROOT, 'docs/images')).map((name) => join(ROOT, 'docs/images', name));
  expect(pictures.length).toBe(10);
  for (const picture of pictures) {
    expect(statSync(picture).size, picture).toBeLessThan(250_000);
    // Width and height stand at fixed places of a PNG (W3C PNG, 11.2.2 IHDR).
    const header = readFileSync(picture).subarray(16, 24);
    expect([header.readUInt32BE(0), header.readUInt32BE(4)], picture).toEqual([1_280, 800]);
  }
});

function byKey([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a).localeCompare(String(b));
}
