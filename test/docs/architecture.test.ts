import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codeOf, ROOT, readDocument, tableRows } from './documents.ts';

const text = readDocument('docs/ARCHITECTURE.md');
const rows = tableRows(text, 'Folder');

function foldersBelow(folder: string): string[] {
  const inside = readdirSync(join(ROOT, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return inside.flatMap((entry) => [`${folder}/${entry.name}`, ...foldersBelow(`${folder}/${entry.name}`)]);
}

test('every folder of src is described, and every folder that is described exists', () => {
  expect(rows.map(([folder]) => folder).toSorted()).toEqual(['src/main', ...foldersBelow('src')].sort().filter(isOnce));
});

test('every folder with a rule of imports is described', () => {
  const config = JSON.parse(readDocument('biome.json')) as { overrides: { includes: string[] }[] };
  const ruled = config.overrides.flatMap((override) => override.includes).map((glob) => glob.replace(/\/\*.*$/, ''));
  const described = rows.map(([folder]) => folder);
  expect(ruled.filter((folder) => folder.startsWith('src/') && !described.includes(folder))).toEqual([]);
  expect(ruled).toContain('src/main/store');
});

test('every source that is named exists', () => {
  const places = ['', 'src/', 'src/main/', 'src/main/headless/', 'src/main/store/search/', 'src/main/watch/'];
  const named = codeOf(text).filter(
    (code) => /^[\w./-]+\.(ts|mjs|json)$/.test(code) && !/^(agent|config|passphrase|report|secrets)\.json$/.test(code),
  );
  const missing = named.filter((name) => !places.some((place) => existsSync(join(ROOT, place, name))));
  expect(missing).toEqual([]);
  expect(named.length).toBeGreaterThan(20);
});

function isOnce(folder: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(folder) === index;
}
