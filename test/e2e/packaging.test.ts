/**
 * The packaging itself, as far as it goes without Electron's binary: electron-builder runs for real on a folder that
 * stands in for Electron's distribution and holds an executable with a fuse wire.
 */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/main/package-root.ts';

const ROOT = packageRoot();
const asar = createRequire(import.meta.url)('@electron/asar') as {
  listPackage: (archive: string) => string[];
  extractAll: (archive: string, folder: string) => void;
  statFile: (archive: string, file: string) => { unpacked?: boolean; size?: number; integrity?: { hash: string } };
};
const builder = createRequire(import.meta.url)('app-builder-lib/out/util/config/config') as {
  getConfig: (project: string, path: null, options: null) => Promise<Record<string, unknown>>;
  validateConfiguration: (config: Record<string, unknown>, log: object) => Promise<void>;
};
const { electron: ELECTRON } = (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    devDependencies: Record<'electron', string>;
  }
).devDependencies;

let folder: string;
let resources: string;

function makeDistribution(path: string): void {
  mkdirSync(join(path, 'resources'), { recursive: true });
  // The wire as @electron/fuses looks for it: its mark, its version, its length, a state each.
  const wire = Buffer.concat([
    Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'),
    Buffer.from([1, 9]),
    Buffer.from('101100010'),
  ]);
  writeFileSync(join(path, 'electron'), Buffer.concat([Buffer.alloc(4_096), wire, Buffer.alloc(64)]), { mode: 0o755 });
  writeFileSync(join(path, 'version'), ELECTRON);
  writeFileSync(join(path, 'LICENSE'), '');
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'angles-package-'));
  makeDistribution(join(folder, 'electron'));
  const run = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules', 'electron-builder', 'cli.js'),
      '--linux',
      'dir',
      '--x64',
      `-c.electronDist=${join(folder, 'electron')}`,
      `-c.directories.output=${join(folder, 'packages')}`,
    ],
    { cwd: ROOT, encoding: 'utf8' },
  );
  if (run.status !== 0) throw new Error(run.stdout + run.stderr);
  resources = join(folder, 'packages', 'linux-unpacked', 'resources');
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the configuration fits the schema of electron-builder, whose check refuses what it does not know', async () => {
  const config = await builder.getConfig(ROOT, null, null);
  const quiet = { isEnabled: false, add: () => undefined };
  await builder.validateConfiguration(config, quiet);
  expect(config).toMatchObject({ npmRebuild: false, asar: true, publish: null });
  await expect(builder.validateConfiguration({ ...config, nonsense: true }, quiet)).rejects.toThrow('nonsense');
});

test('every fuse is set, and reads back from the packaged executable', async () => {
  const wire = await getCurrentFuseWire(join(folder, 'packages', 'linux-unpacked', 'angles'));
  const states = Object.fromEntries(
    [
      'RunAsNode',
      'EnableCookieEncryption',
      'EnableNodeOptionsEnvironmentVariable',
      'EnableNodeCliInspectArguments',
      'EnableEmbeddedAsarIntegrityValidation',
      'OnlyLoadAppFromAsar',
      'LoadBrowserProcessSpecificV8Snapshot',
      'GrantFileProtocolExtraPrivileges',
      'WasmTrapHandlers',
    ].map((name) => [name, wire[FuseV1Options[name as keyof typeof FuseV1Options]] === FuseState.ENABLE]),
  );
  expect(states).toEqual({
    RunAsNode: false,
    EnableCookieEncryption: true,
    EnableNodeOptionsEnvironmentVariable: false,
    EnableNodeCliInspectArguments: false,
    EnableEmbeddedAsarIntegrityValidation: true,
    OnlyLoadAppFromAsar: true,
    LoadBrowserProcessSpecificV8Snapshot: false,
    GrantFileProtocolExtraPrivileges: false,
    WasmTrapHandlers: true,
  });
});

describe('the archive', () => {
  const names = (): string[] => asar.listPackage(join(resources, 'app.asar'));

  test('holds the program, and of the modules only the native one, for one platform', () => {
    const all = names();
    for (const name of [
      '/package.json',
      '/out/main/desktop.js',
      '/out/main/main.js',
      '/out/main/workers/scan-worker.js',
      '/out/preload/preload.cjs',
      '/out/renderer/index.html',
      '/migrations/local/0001_vault.sql',
      '/assets/icon.png',
      '/assets/tray/error-dark.png',
    ])
      expect(all).toContain(name);
    const modules = new Set(all.flatMap((name) => /^\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? []));
    expect([...modules]).toEqual(['better-sqlite3']);
    expect(all.filter((name) => name.endsWith('.node'))).toEqual([
      '/node_modules/better-sqlite3/prebuilds/linux-x64.node',
    ]);
  });

  test('holds no sources, tests, maps, settings or anything that is only for the tests', () => {
    expect(
      names().filter((name) =>
        /\.(ts|tsx|map|env|log)$|^\/(src|test|bench|docs|scripts|packaging|\.ci)\b|node-linux|postgres|playwright/.test(
          name,
        ),
      ),
    ).toEqual([]);
    expect(names().filter((name) => name.startsWith('/assets/source'))).toEqual([]);
  });

  test('has a checksum for each file, the native module beside it, and stays small', () => {
    const archive = join(resources, 'app.asar');
    expect(asar.statFile(archive, 'out/main/desktop.js').integrity?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(asar.statFile(archive, 'node_modules/better-sqlite3/prebuilds/linux-x64.node').unpacked).toBe(true);
    const bytes = statSync(archive).size + sizeOf(join(resources, 'app.asar.unpacked'));
    expect(bytes).toBeLessThan(20_000_000);
    process.stdout.write(`packaged program without Electron: ${(bytes / 1_000_000).toFixed(1)} MB\n`);
  });
});

test('the packaged files start headless in plain Node, where there is no Electron', async () => {
  const app = join(folder, 'app');
  asar.extractAll(join(resources, 'app.asar'), app);
  cpSync(join(resources, 'app.asar.unpacked'), app, { recursive: true });
  const notes = join(folder, 'notes');
  mkdirSync(notes);
  writeFileSync(join(notes, 'first.md'), 'packaged\n');
  const env = { PATH: process.env.PATH ?? '', HOME: folder, ANGLES_HOME: join(folder, 'data') };
  const main = join(app, 'out', 'main', 'main.js');
  const agent = spawn(process.execPath, [main, 'start', '--port', '0', '--root', notes], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  const ready = await new Promise<string>((resolve, reject) => {
    let text = '';
    for (const stream of [agent.stdout, agent.stderr])
      stream.on('data', (piece) => {
        text += String(piece);
        if (text.includes('Ready after')) resolve(text);
      });
    agent.once('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
  expect(ready).toContain('1 file');
  const shown = spawnSync(process.execPath, [main, 'show', join(notes, 'first.md')], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  expect(shown).toMatchObject({ status: 0, stdout: 'packaged\n' });
  agent.kill('SIGINT');
  expect(await ended).toBe(0);
});

test('every package can be made: icons, entitlements and hooks that are named exist', () => {
  const config = readFileSync(join(ROOT, 'electron-builder.yml'), 'utf8');
  const named = [...config.matchAll(/(?:icon|entitlements|entitlementsInherit|afterPack|afterSign): (\S+)/g)].map(
    ([, path]) => path ?? '',
  );
  expect(named.length).toBeGreaterThan(6);
  for (const path of named) expect(statSync(join(ROOT, path), { throwIfNoEntry: false }), path).toBeDefined();
});

function sizeOf(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
