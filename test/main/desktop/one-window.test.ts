import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/main/package-root.ts';

const SRC = join(packageRoot(), 'src');
const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name));
/** Comments do not count. */
const textOf = (file: string): string => readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
const filesWith = (pattern: RegExp): string[] =>
  files.filter((file) => pattern.test(textOf(file))).map((file) => file.slice(SRC.length + 1));

test.each([
  ['electron is imported by the desktop alone', /from 'electron'|import\('electron'\)|require\('electron'\)/, null],
  [
    'one place makes windows',
    /new BrowserWindow\b|new BaseWindow\b|new WebContentsView\b/,
    'main/desktop/secure-window.ts',
  ],
  ['one place hears calls', /\bipcMain\b/, 'main/desktop/ipc.ts'],
  ['one place is the bridge', /\bipcRenderer\b|\bcontextBridge\b/, 'main/desktop/preload.ts'],
  ['one place opens links', /\bopenExternal\b|\bopenPath\b|showItemInFolder/, 'main/desktop/links.ts'],
  [
    'one place serves files',
    /\bprotocol\.handle\b|\.loadFile\(|pathToFileURL\([^)]*index\.html/,
    'main/desktop/app-files.ts',
  ],
])('%s', (_, pattern, only) => {
  const found = filesWith(pattern);
  expect(found.length).toBeGreaterThan(0);
  if (only === null) expect(found.filter((file) => !file.startsWith('main/desktop/'))).toEqual([]);
  else expect(found).toEqual([only]);
});

test('the preload script imports Electron and the names of the channels, nothing else', () => {
  const imported = [...textOf(join(SRC, 'main/desktop/preload.ts')).matchAll(/from '([^']+)'/g)].map(
    ([, name]) => name,
  );
  expect(imported).toEqual(['electron', './channels.ts']);
});
