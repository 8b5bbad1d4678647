import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runChecks } from '../../../../src/main/ops/health/doctor.ts';
import type { DoctorFacts } from '../../../../src/main/ops/health/facts.ts';
import { gatherFacts } from '../../../../src/main/ops/health/gather.ts';
import { agentMethods } from '../../../../src/shared/contract.ts';
import { type RootInfo, rootState } from '../../../../src/shared/model.ts';

const NOW = Date.UTC(2026, 10, 21);

const root = (more: Partial<RootInfo> = {}): RootInfo => ({
  rootId: 1,
  path: '/home/ada/notes',
  state: 'watching',
  reason: null,
  fix: null,
  files: 12,
  sizeBytes: 100,
  skipped: 0,
  lastScanAtMs: NOW,
  hold: null,
  ...more,
});

const healthy: DoctorFacts = {
  nowMs: NOW,
  platform: 'linux',
  nodeVersion: '24.21.0',
  dataFolder: { path: '/home/ada/vault', exists: true, writable: true },
  modes: [
    { path: '/home/ada/vault', kind: 'folder', mode: 0o700 },
    { path: '/home/ada/vault/vault.db', kind: 'file', mode: 0o600 },
  ],
  disk: { freeBytes: 50e9, totalBytes: 100e9 },
  inotify: { maxUserWatches: 65_536, maxUserInstances: 128 },
  lock: { holder: 'self', pid: 42 },
  vault: { sqliteVersion: '3.51.3', quickCheck: 'ok', newestMs: NOW - 1_000 },
  contents: { checked: 10, missing: { count: 0, sample: [] }, damaged: { count: 0, sample: [] }, mended: 0 },
  roots: [root()],
  search: { waiting: 0, waitingSinceMs: null },
  log: { failing: null, droppedFromDisk: 0, droppedFromVault: 0, folder: '/home/ada/vault/logs' },
  settings: { warnings: [], off: [] },
  sync: { status: { remotes: [], conflicts: 0, safeMode: null }, warnUnsent: 10, errorUnsent: 50 },
  watchedFolders: 100,
  backup: {
    state: 'ok',
    summary: 'Everything captured is in a backup.',
    problem: null,
    lastBackupAtMs: NOW - 60_000,
    lastVerifiedAtMs: NOW - 60_000,
    unsavedChanges: 0,
    nextAtMs: null,
    lastDrill: null,
    lastProvenAtMs: NOW - 86_400_000,
    proofIsStale: false,
    key: { source: 'generated', kind: 'key', fingerprint: 'abcd-0123', kitConfirmedAtMs: NOW - 86_400_000 },
    destinations: [],
    progress: null,
    interruptedRestore: null,
    warnings: [],
  },
};

const with_ = (more: Partial<DoctorFacts>): DoctorFacts => ({ ...healthy, ...more });
const verdicts = (facts: DoctorFacts): string[] =>
  runChecks(facts)
    .filter((check) => check.verdict !== 'ok')
    .map((check) => `${check.id} ${check.verdict}: ${check.fix ?? ''}`);

describe('runChecks', () => {
  test('says ok to everything that is', () => {
    expect(runChecks(healthy).map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'agent ok',
      'root.1 ok',
      'vault ok',
      'contents ok',
      'backup ok',
      'backup.kit ok',
      'backup.proof ok',
      'data_folder ok',
      'disk ok',
      'modes ok',
      'watch_limits ok',
      'search ok',
      'clock ok',
      'log ok',
      'node ok',
      'settings ok',
    ]);
  });

  const RESTART = 'Restart the agent: `angles stop`, then `angles start`.';
  test.each<[string, Partial<DoctorFacts>, string[]]>([
    ['no agent', { lock: { holder: 'none' } }, ['agent warn: angles start']],
    [
      'a silent holder',
      { lock: { holder: 'other', description: 'process 7' } },
      ['agent error: Stop that process, then run `angles start`.'],
    ],
    ['no root', { roots: [] }, ['roots warn: Add one: `angles roots add PATH`.']],
    ['a root that is held', { roots: [root({ state: 'held', fix: 'Decide.' })] }, ['root.1 warn: Decide.']],
    [
      'a missing root without a word of its own',
      { roots: [root(), root({ rootId: 2, state: 'missing' })] },
      ['root.2 error: Create the folder, connect its disk, or remove it from the watched folders.'],
    ],
    ['a root being read', { roots: [root({ state: 'scanning' })] }, []],
    ['an untested vault', { vault: { ...healthy.vault, quickCheck: null } }, ['vault off: ']],
    [
      'a damaged vault',
      { vault: { ...healthy.vault, quickCheck: 'row 3 missing from index' } },
      [
        `vault error: ${RESTART} The damaged file is kept aside and everything readable carried into a new vault; a report says what is not.`,
      ],
    ],
    [
      'missing contents',
      {
        contents: {
          checked: 9,
          missing: { count: 4, sample: ['a'.repeat(64)] },
          damaged: { count: 1, sample: ['b'.repeat(64)] },
          mended: 0,
        },
      },
      [
        'contents error: Bring back the folder `objects` and the vault file from a copy of the data folder. Versions with other contents are not affected.',
      ],
    ],
    [
      'contents that were stored again',
      { contents: { ...healthy.contents, mended: 3 } },
      ['contents warn: Look after the disk of the data folder: it loses or changes what was written.'],
    ],
    [
      'an unwritable data folder',
      { dataFolder: { path: '/x', exists: true, writable: false } },
      ['data_folder error: Give its owner the right to write, or set ANGLES_HOME to another folder.'],
    ],
    [
      '199 MB free',
      { disk: { freeBytes: 199e6, totalBytes: 1e12 } },
      ['disk error: Free some space on that disk, or move the data folder to a larger one and set ANGLES_HOME.'],
    ],
    [
      '999 MB free',
      { disk: { freeBytes: 999e6, totalBytes: 1e12 } },
      ['disk warn: Free some space on that disk, or move the data folder to a larger one and set ANGLES_HOME.'],
    ],
    ['unknown space', { disk: null }, ['disk off: ']],
    [
      'loose modes',
      {
        modes: [
          { path: '/v', kind: 'folder', mode: 0o755 },
          { path: '/v/vault.db', kind: 'file', mode: 0o644 },
        ],
      },
      ['modes warn: chmod 700 /v && chmod 600 /v/vault.db'],
    ],
    [
      'a watch limit that is near',
      { watchedFolders: 52_429 },
      [
        'watch_limits warn: echo fs.inotify.max_user_watches=524288 | sudo tee /etc/sysctl.d/60-angles.conf && sudo sysctl --system',
      ],
    ],
    [
      'a watch limit far too low',
      { watchedFolders: 600_000 },
      [
        'watch_limits warn: echo fs.inotify.max_user_watches=2097152 | sudo tee /etc/sysctl.d/60-angles.conf && sudo sysctl --system',
      ],
    ],
    ['search a little behind', { search: { waiting: 5, waitingSinceMs: NOW - 5_000 } }, []],
    ['search far behind', { search: { waiting: 5, waitingSinceMs: NOW - 600_000 } }, [`search warn: ${RESTART}`]],
    [
      'a clock behind',
      { vault: { ...healthy.vault, newestMs: NOW + 120_001 } },
      ['clock warn: Set the clock: `sudo timedatectl set-ntp true`.'],
    ],
    [
      'a clock at its beginning',
      { nowMs: 0, vault: { ...healthy.vault, newestMs: null } },
      ['clock error: Set the clock: `sudo timedatectl set-ntp true`.'],
    ],
    [
      'a log that fails',
      { log: { ...healthy.log, failing: 'ENOSPC', droppedFromDisk: 3 } },
      ['log warn: Mend the rights or free space for /home/ada/vault/logs; writing goes on by itself.'],
    ],
    [
      'a log that lost something',
      { log: { ...healthy.log, droppedFromVault: 3 } },
      ['log warn: Look for the cause in the records around the loss: `angles logs --component log`.'],
    ],
    [
      'an old Node',
      { nodeVersion: '22.21.9' },
      ['node error: Start the agent with `npm start`, which brings its own Node, or install a newer one.'],
    ],
    ['the oldest good Node', { nodeVersion: '22.22.0' }, []],
    [
      'settings warnings, those about modes once',
      {
        modes: [{ path: '/v', kind: 'folder', mode: 0o755 }],
        settings: {
          warnings: [
            { message: 'm', fix: 'chmod 700 /v' },
            { message: 'line 3', fix: 'Correct it.' },
          ],
          off: [],
        },
      },
      ['modes warn: chmod 700 /v', 'settings.1 warn: Correct it.'],
    ],
    [
      'parts that are off',
      {
        settings: {
          warnings: [],
          off: [{ part: 'Sync with Notion', missing: ['A', 'B'], consequence: 'Nothing waits.' }],
        },
      },
      ['off.sync_with_notion off: To switch it on, set A, B.'],
    ],
  ])('%s', (_, facts, expected) => {
    expect(verdicts(with_(facts))).toEqual(expected);
  });

  test('on Windows nobody is told to chmod', () => {
    const facts = with_({ platform: 'win32', modes: [{ path: 'C:\\v', kind: 'folder', mode: 0o777 }], inotify: null });
    expect(verdicts(facts)).toEqual(['modes off: ', 'watch_limits off: ']);
  });

  test('whatever is wrong has a fix, an id of its own, and no fix leads back here', () => {
    const everything = with_({
      lock: { holder: 'none' },
      roots: rootState.options.map((state, index) => root({ rootId: index, state })),
      vault: { sqliteVersion: '3.51.3', quickCheck: 'bad', newestMs: NOW * 2 },
      contents: { checked: 1, missing: { count: 1, sample: [] }, damaged: { count: 1, sample: ['a'] }, mended: 0 },
      dataFolder: { path: '/v', exists: false, writable: false },
      disk: { freeBytes: 0, totalBytes: 0 },
      modes: [{ path: '/v', kind: 'folder', mode: 0o777 }],
      watchedFolders: 1e6,
      search: { waiting: 1, waitingSinceMs: 0 },
      log: { failing: 'E', droppedFromDisk: 1, droppedFromVault: 1, folder: '/l' },
      nodeVersion: '20.0.0',
    });
    const checks = agentMethods['doctor.run'].out.parse({ checks: runChecks(everything) }).checks;
    const wrong = checks.filter((check) => check.verdict === 'warn' || check.verdict === 'error');
    expect(wrong.length).toBe(15);
    expect(wrong.filter((check) => check.fix === null || check.fix === '' || /doctor/.test(check.fix))).toEqual([]);
    expect(new Set(checks.map((check) => check.id)).size).toBe(checks.length);
  });
});

describe('gatherFacts', () => {
  test('reads modes, space and limits from the system', () => {
    const folder = mkdtempSync(join(tmpdir(), 'angles-doctor-'));
    mkdirSync(join(folder, 'logs'), { mode: 0o700 });
    mkdirSync(join(folder, 'inotify'));
    writeFileSync(join(folder, 'vault.db'), '');
    chmodSync(join(folder, 'vault.db'), 0o640);
    writeFileSync(join(folder, 'inotify', 'max_user_watches'), '8192\n');
    writeFileSync(join(folder, 'inotify', 'max_user_instances'), '128\n');
    const facts = gatherFacts(folder, join(folder, 'inotify'));
    expect(facts).toEqual({
      platform: process.platform,
      nodeVersion: process.versions.node,
      dataFolder: { path: folder, exists: true, writable: true },
      modes: [
        { path: folder, kind: 'folder', mode: 0o700 },
        { path: join(folder, 'logs'), kind: 'folder', mode: 0o700 },
        { path: join(folder, 'vault.db'), kind: 'file', mode: 0o640 },
      ],
      disk: { freeBytes: expect.any(Number), totalBytes: expect.any(Number) },
      inotify: { maxUserWatches: 8_192, maxUserInstances: 128 },
    });
    expect(facts.disk?.totalBytes).toBeGreaterThan(facts.disk?.freeBytes ?? Number.POSITIVE_INFINITY);
    rmSync(folder, { recursive: true });
  });

  test('of a data folder that is not there yet tells of the disk it will lie on', () => {
    const facts = gatherFacts(join(tmpdir(), 'angles-none', 'deep'), '/nonexistent');
    expect(facts).toMatchObject({ dataFolder: { exists: false, writable: true }, modes: [], inotify: null });
    expect(facts.disk).not.toBeNull();
  });
});
