import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../../src/main/package-root.ts';

type Choice = { shell: 'desktop' | 'headless'; reason: string };
type Facts = {
  electronBinary: string | null;
  display: string | null;
  platform: string;
  desktopEntry: boolean;
  headlessWanted?: boolean;
};
const load = async <T>(path: string): Promise<T> => (await import(pathToFileURL(join(packageRoot(), path)).href)) as T;
const { chooseShell } = await load<{ chooseShell: (facts: Facts) => Choice }>('bin/choose-shell.mjs');
const { isNewEnough } = await load<{ isNewEnough: (version: string) => boolean }>('bin/own-node.cjs');
const { fingerprint, builtFrom } = await load<{
  fingerprint: (root: string) => string;
  builtFrom: (root: string) => string | null;
}>('scripts/sources.mjs');

describe('the shell', () => {
  const all: Facts = { electronBinary: '/electron', display: ':0', platform: 'linux', desktopEntry: true };

  test.each([
    [{}, 'desktop', 'Electron and a display'],
    [{ desktopEntry: false }, 'headless', 'not built'],
    [{ headlessWanted: true }, 'headless', 'asked for'],
    [{ electronBinary: null }, 'headless', 'Electron is not installed'],
    [{ display: null }, 'headless', 'no display'],
    [{ display: null, platform: 'darwin' }, 'desktop', ''],
    [{ display: null, platform: 'win32' }, 'desktop', ''],
  ] as const)('with %j it is %s, and says why', (change, shell, reason) => {
    const choice = chooseShell({ ...all, ...change });
    expect(choice.shell).toBe(shell);
    expect(choice.reason).toContain(reason);
  });
});

describe('Node', () => {
  test.each([
    ['20.20.2', false],
    ['22.21.9', false],
    ['22.22.0', true],
    ['24.21.0', true],
    ['26.0.0', true],
  ])('%s can run the program: %s', (version, expected) => {
    expect(isNewEnough(version)).toBe(expected);
  });
});

test('the build makes a file of every worker thread', () => {
  const workers = readFileSync(join(packageRoot(), 'src/main/worker-url.ts'), 'utf8').matchAll(
    /'([\w-]+)': '([\w/-]+\.ts)'/g,
  );
  const build = readFileSync(join(packageRoot(), 'scripts/build.mjs'), 'utf8');
  const names = [...workers].map(([, name, path]) => {
    expect(build).toContain(`'workers/${name}': 'src/main/${path}'`);
    return name;
  });
  expect(names).toContain('scan-worker');
});

describe('the build stamp', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'angles-stamp-'));
    for (const folder of ['src/deep', 'scripts', 'out', 'bin']) mkdirSync(join(root, folder), { recursive: true });
    for (const file of ['src/deep/a.ts', 'scripts/build.mjs', 'package.json', 'package-lock.json'])
      writeFileSync(join(root, file), '{}');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test('a changed, new or removed source changes the fingerprint; reading it does not', () => {
    const first = fingerprint(root);
    expect(fingerprint(root)).toBe(first);
    utimesSync(join(root, 'src/deep/a.ts'), 1, 1);
    const touched = fingerprint(root);
    expect(touched).not.toBe(first);
    writeFileSync(join(root, 'src/b.ts'), '');
    const added = fingerprint(root);
    expect(added).not.toBe(touched);
    rmSync(join(root, 'src/b.ts'));
    expect(fingerprint(root)).toBe(touched);
  });

  test('nothing built is null', () => {
    expect(builtFrom(root)).toBeNull();
    writeFileSync(join(root, 'out/stamp'), 'abc\n');
    expect(builtFrom(root)).toBe('abc');
  });

  test('bin/angles without a build says what to run, and hands its arguments on with one', () => {
    for (const file of ['angles', 'own-node.cjs', 'package.json'])
      copyFileSync(join(packageRoot(), 'bin', file), join(root, 'bin', file));
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    const run = () =>
      spawnSync(process.execPath, [join(root, 'bin/angles'), 'roots', 'add', '/a b'], { encoding: 'utf8' });
    expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('npm run build') });
    mkdirSync(join(root, 'out/main'));
    writeFileSync(join(root, 'out/main/main.js'), 'exports.main = async (argv) => console.log(JSON.stringify(argv));');
    writeFileSync(join(root, 'out/main/package.json'), '{"type":"commonjs"}');
    expect(run()).toMatchObject({ status: 0, stdout: '["roots","add","/a b"]\n' });
  });

  test('start builds nothing when the build is fresh, says why it runs headless, and starts', () => {
    cpSync(join(packageRoot(), 'bin'), join(root, 'bin'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    copyFileSync(join(packageRoot(), 'scripts/sources.mjs'), join(root, 'scripts/sources.mjs'));
    writeFileSync(join(root, 'scripts/build.mjs'), 'export const build = async () => console.log("built");');
    mkdirSync(join(root, 'out/main'));
    writeFileSync(
      join(root, 'out/main/main.js'),
      'export const main = async (argv) => console.log(JSON.stringify(argv));',
    );
    const run = () =>
      spawnSync(process.execPath, [join(root, 'bin/start.mjs'), '--root', '/notes'], { encoding: 'utf8' });
    expect(run().stdout).toBe('built\n["start","--root","/notes"]\n');
    writeFileSync(join(root, 'out/stamp'), fingerprint(root));
    expect(run()).toMatchObject({
      status: 0,
      stdout: '["start","--root","/notes"]\n',
      stderr: 'Running headless. The desktop app was not built.\n',
    });
  });
});
