import { describe, expect, test } from 'vitest';
import { hashOfLink, isAllowedLink, isAppUrl, linkIn } from '../../../src/main/desktop/address.ts';
import { readArguments } from '../../../src/main/desktop/arguments.ts';
import { placeWindow } from '../../../src/main/desktop/bounds.ts';
import { createCrashGuard } from '../../../src/main/desktop/crash-guard.ts';
import { desktopEntry } from '../../../src/main/desktop/desktop-entry.ts';
import { problemsOf } from '../../../src/main/desktop/problems.ts';
import { checkForUpdates, type Updater } from '../../../src/main/desktop/updates.ts';

describe('addresses', () => {
  test.each([
    ['app://angles/index.html', true],
    ['app://angles/', true],
    ['app://other/index.html', false],
    ['app://angles.evil.test/', false],
    ['app://user@angles/', false],
    ['APP://ANGLES/', false],
    ['file:///etc/passwd', false],
    ['https://angles/', false],
    ['javascript:alert(1)', false],
    ['', false],
  ])('%s is ours: %s', (url, expected) => expect(isAppUrl(url)).toBe(expected));

  test.each([
    ['https://github.com/settings/tokens', true],
    ['https://www.notion.so/my-integrations', true],
    ['http://github.com/', false],
    ['https://github.com.evil.test/', false],
    ['https://evil.test/?github.com', false],
    ['https://github.com@evil.test/', false],
    ['https://github.com:8443/', false],
    ['https://user:word@github.com/', false],
    ['https://GITHUB.com/', true],
    ['file:///etc/passwd', false],
    ['smb://github.com/x', false],
    ['ms-msdt:/id', false],
    ['javascript:alert(1)', false],
    ['//github.com', false],
  ])('%s may be opened: %s', (url, expected) => expect(isAllowedLink(url)).toBe(expected));

  test.each([
    ['angles://search?q=backup%20key', '#/search?q=backup%20key'],
    ['angles://overview', '#/'],
    ['angles://settings/', '#/settings'],
    ['angles://../../etc', '#/'],
    ['angles://search?q=x#y', '#/'],
    ['angles://search?q=a b', '#/'],
    ['angles:search', '#/'],
    [`angles://search?q=${'x'.repeat(3_000)}`, '#/'],
  ])('%s leads to %s', (link, hash) => expect(hashOfLink(link)).toBe(hash));

  test('a link is found among other arguments', () => {
    expect(linkIn(['--hidden', 'angles://logs', '--x'])).toBe('angles://logs');
    expect(linkIn(['--hidden'])).toBeNull();
  });
});

describe('arguments', () => {
  test('are read; those of Chromium are left alone', () => {
    expect(
      readArguments([
        'start',
        '--no-sandbox',
        '--hidden',
        '--root',
        '/a b',
        '--root=/c',
        '--port',
        '0',
        'angles://logs',
      ]),
    ).toEqual({
      isDemo: false,
      isHidden: true,
      roots: ['/a b', '/c'],
      port: 0,
      link: 'angles://logs',
    });
    expect(readArguments(['start', '--demo']).isDemo).toBe(true);
    expect(readArguments([])).toEqual({ isDemo: false, isHidden: false, roots: [], port: null, link: null });
  });
  test.each([[['--root']], [['--root', '--hidden']], [['--port', 'x']], [['--port=70000']], [['--root=']]])(
    '%j is refused',
    (argv) => expect(() => readArguments(argv)).toThrow(expect.objectContaining({ code: 'usage.bad_argument' })),
  );
});

describe('the place of the window', () => {
  const screen = { x: 0, y: 25, width: 1_600, height: 875 };
  test.each([
    ['the first time: in the middle', null, [screen], { x: 210, y: 73, width: 1_180, height: 780 }],
    ['1366 x 768 at 150 %', null, [{ x: 0, y: 0, width: 910, height: 472 }], { x: 0, y: 0, width: 910, height: 472 }],
    ['where it was', { x: 10, y: 40, width: 700, height: 500 }, [screen], { x: 10, y: 40, width: 700, height: 500 }],
    [
      'a screen that is gone',
      { x: 3_000, y: 40, width: 700, height: 500 },
      [screen],
      { x: 450, y: 213, width: 700, height: 500 },
    ],
    [
      'partly outside',
      { x: 1_400, y: 700, width: 700, height: 500 },
      [screen],
      { x: 900, y: 400, width: 700, height: 500 },
    ],
    ['larger than the screen', { x: 0, y: 25, width: 3_000, height: 2_000 }, [screen], screen],
    [
      'a second screen',
      { x: 1_700, y: 10, width: 700, height: 500 },
      [screen, { x: 1_600, y: 0, width: 1_000, height: 800 }],
      { x: 1_700, y: 10, width: 700, height: 500 },
    ],
  ])('%s', (_, remembered, screens, expected) => expect(placeWindow(remembered, screens)).toEqual(expected));
});

test('the autostart file starts the program hidden, whatever its path is called', () => {
  const exec = (command: string[]): string | undefined => /^Exec=(.*)$/m.exec(desktopEntry(command))?.[1];
  expect(exec(['/opt/Angles/angles'])).toBe('/opt/Angles/angles --hidden');
  expect(exec(['/a b/100%/$x', 'q"uote'])).toBe('"/a b/100%%/\\\\$x" "q\\\\"uote" --hidden');
});

test('a page may crash three times in five minutes', () => {
  let nowMs = 0;
  const guard = createCrashGuard(() => nowMs);
  expect([1, 2, 3, 4].map(() => guard.mayReopen())).toEqual([true, true, true, false]);
  nowMs = 5 * 60_000;
  expect(guard.mayReopen()).toBe(true);
});

test('of the status, what a person must act on becomes a problem of its kind', () => {
  const one = (code: string, rootId: number | null = null) => ({ code, message: `m ${code}`, fix: 'f', rootId });
  const found = problemsOf(
    {
      attention: [
        'root.held',
        'root.missing',
        'data.full',
        'data.corrupt',
        'root.none',
        'watch.limited',
        'remote.unauthorized',
        'backup.unreachable',
        'job.overdue',
        'sync.conflict',
      ].map((code) => one(code, code === 'root.held' ? 3 : null)),
      sync: { remotes: [] },
    },
    true,
  );
  expect(found.map(({ id, kind, isTransient, action }) => [id, kind, isTransient, action.hash])).toEqual([
    ['root.held 3', 'decision', false, '#/files?root=3'],
    ['root.missing ', 'decision', true, '#/'],
    ['data.full ', 'fault', true, '#/health'],
    ['data.corrupt ', 'fault', false, '#/health'],
    ['remote.unauthorized ', 'sync', false, '#/sync'],
    ['backup.unreachable ', 'backup', true, '#/backups'],
    ['job.overdue ', 'schedule', true, '#/schedule'],
    ['sync.conflict ', 'decision', false, '#/conflicts'],
  ]);
});

test('a service that cannot be reached is told of while changes wait for it and this machine is online', () => {
  const remote = { remote: 'supabase', configured: true, state: 'offline', pending: 2, leased: 0 } as const;
  const found = (change: object, isOnline = true): string[] =>
    problemsOf({ attention: [], sync: { remotes: [{ ...remote, ...change } as never] } }, isOnline).map(
      ({ id, kind, isTransient }) => `${id} ${kind} ${isTransient}`,
    );
  expect(found({})).toEqual(['remote.unreachable supabase sync true']);
  expect([found({ pending: 0 }), found({ state: 'ok' }), found({ configured: false }), found({}, false)]).toEqual([
    [],
    [],
    [],
    [],
  ]);
});

describe('looking for updates', () => {
  const updater = (check: () => Promise<unknown>): Updater & { listeners: ((info: { version: string }) => void)[] } => {
    const listeners: ((info: { version: string }) => void)[] = [];
    return {
      autoDownload: false,
      autoInstallOnAppQuit: false,
      allowDowngrade: true,
      logger: console,
      on: (_, listener) => listeners.push(listener),
      checkForUpdates: check,
      listeners,
    };
  };
  const needs = { isPackaged: true, isWanted: () => true, hasFeed: () => true, onReady: () => undefined };
  const unused = (): Promise<Updater> => Promise.reject(new Error('must not be loaded'));

  test.each([
    ['off', { isWanted: () => false }],
    ['not packaged', { isPackaged: false }],
    ['no feed', { hasFeed: () => false }],
  ] as const)('does nothing when %s', async (outcome, change) => {
    const log = { warn: () => expect.unreachable() };
    expect(await checkForUpdates({ ...needs, ...change, loadUpdater: unused, log })).toBe(outcome);
  });

  test('never throws: a failure is a line in the log', async () => {
    const warnings: string[] = [];
    const log = { warn: (message: string) => void warnings.push(message) };
    const failing = async () => updater(() => Promise.reject(new Error('offline')));
    expect(await checkForUpdates({ ...needs, loadUpdater: failing, log })).toBe('failed');
    expect(await checkForUpdates({ ...needs, loadUpdater: unused, log })).toBe('failed');
    expect(warnings).toHaveLength(2);
  });

  test('never goes back to an older version, and says when a newer one is ready', async () => {
    const made = updater(async () => null);
    const ready: string[] = [];
    const log = { warn: () => undefined };
    expect(
      await checkForUpdates({
        ...needs,
        loadUpdater: async () => made,
        log,
        onReady: (version) => ready.push(version),
      }),
    ).toBe('checked');
    for (const listener of made.listeners) listener({ version: '2.0.0' });
    expect([made.autoDownload, made.autoInstallOnAppQuit, made.allowDowngrade, ready]).toEqual([
      true,
      true,
      false,
      ['2.0.0'],
    ]);
  });
});
