import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/main/headless/client.ts';
import { packageRoot } from '../../src/main/package-root.ts';
import { createConflictStore } from '../../src/main/store/conflicts.ts';
import { openStore } from '../../src/main/store/database.ts';
import type { AnglesBridge } from '../../src/renderer/data/client.ts';
import { startDaemon } from '../support/daemon.ts';
import { type Desktop, type DesktopStart, isReal, makePlace, type Place, startDesktop } from '../support/desktop.ts';
import type { HostState } from '../support/electron-host/control.ts';

declare const angles: AnglesBridge;
const NO = undefined as never;
const ROOT = packageRoot();

describe.skipIf(isReal)('the life of the desktop app', () => {
  let place: Place;
  let running: Desktop[] = [];
  beforeEach(() => {
    place = makePlace();
  });
  afterEach(async () => {
    for (const desktop of running.splice(0)) await desktop.kill();
    running = [];
    place.remove();
  });
  const start = async (more: Partial<DesktopStart> = {}): Promise<Desktop> => {
    const desktop = await startDesktop({ place, args: ['--port', '0', '--root', place.notes], ...more });
    running.push(desktop);
    return desktop;
  };
  const save = (name: string): void => writeFileSync(join(place.notes, name), `${name}\n`);
  const tooltip = (state: HostState): string => state.trays.at(-1)?.tooltip ?? '';
  const recent = (state: HostState): string =>
    JSON.stringify(state.trays.at(-1)?.menu.find((item) => item.label === 'Recent')?.items ?? []);

  test('closing the window ends its page, keeps the agent, says so once; the tray opens it again where it was', async () => {
    const desktop = await start();
    await (await desktop.page()).getByText('You are safe').waitFor();
    await desktop.host.closeWindow(NO);
    const closed = await desktop.until('it said so', ({ notifications }) => notifications.length === 1);
    expect(closed).toMatchObject({ windows: [], pages: 0 });
    expect(closed.notifications[0]?.title).toBe('Angles keeps running');

    save('while-closed.md');
    await desktop.until('the save is captured', (state) => recent(state).includes('while-closed.md'));
    await desktop.host.pressTray(['Open Angles']);
    await (await desktop.page()).getByText('while-closed.md').first().waitFor();
    await desktop.host.closeWindow(NO);
    const again = await desktop.until('it is closed', ({ pages }) => pages === 0);
    expect(again.notifications).toHaveLength(1);
    await desktop.host.pressTray(['Recent', 'while-closed.md']);
    await (await desktop.page()).getByRole('heading', { level: 1, name: 'while-closed.md' }).waitFor();
    expect(JSON.parse(readFileSync(join(place.dataFolder, 'desktop.json'), 'utf8'))).toMatchObject({
      toldAboutClosing: true,
    });
    expect(await desktop.quit()).toBe(0);
  });

  test('a second start brings the first to the front, with its link, and ends', async () => {
    const first = await start({ args: ['--port', '0', '--hidden', '--root', place.notes] });
    const hidden = await first.until('the tray is there', (state) => tooltip(state) !== '');
    expect(hidden.windows).toEqual([]);
    const second = await start({ args: ['--port', '0', 'angles://search?q=plan'] });
    expect(await second.ended).toBe(0);
    expect(second.output()).toContain('running already');
    const page = await first.page();
    expect(await page.evaluate(() => location.hash)).toBe('#/search?q=plan');
    await first.host.minimizeWindow(NO);
    const third = await start({ args: ['--port', '0'] });
    expect(await third.ended).toBe(0);
    await first.until('it is in front', ({ windows }) => windows[0]?.visible === true && windows[0].focused);
  });

  test('a crashed page is opened again and says so; after three crashes it stays closed, and the agent goes on', async () => {
    const desktop = await start();
    await desktop.page();
    for (let crash = 1; crash <= 3; crash += 1) {
      await desktop.host.crashPage(NO);
      await (await desktop.page()).getByText('The window crashed and was opened again').waitFor();
    }
    await desktop.host.crashPage(NO);
    const state = await desktop.until(
      'it gave up',
      ({ windows, notifications }) => windows.length === 0 && notifications.length > 0,
    );
    expect(state.notifications[0]?.title).toContain('keeps crashing');
    save('after.md');
    await desktop.until('the agent captures', (now) => recent(now).includes('after.md'));
    await desktop.host.pressTray(['Open Angles']);
    await desktop.page();
  });

  test('the tray follows the agent: pause and resume, what is missing, and quitting', async () => {
    const desktop = await start();
    const page = await desktop.page();
    await desktop.until('all is well', (state) => tooltip(state).includes('Up to date'));
    await desktop.host.pressTray(['Pause', '30 minutes']);
    const paused = await desktop.until('it is paused', (state) => tooltip(state).includes('Paused until'));
    expect(paused.trays.at(-1)?.image).toContain('paused-light.png');
    await desktop.host.setDark(true);
    await desktop.until(
      'the icon is for a dark bar',
      (state) => state.trays.at(-1)?.image.includes('paused-dark.png') === true,
    );
    await desktop.host.pressTray(['Resume']);
    await desktop.until('it goes on', (state) => tooltip(state).includes('Up to date'));
    await desktop.host.pressTray(['Logs']);
    await page.getByRole('heading', { level: 1, name: 'Logs' }).waitFor();
    await expect(desktop.host.pressTray(['Conflicts'])).rejects.toThrow('cannot be pressed');
    await page.evaluate((path) => angles.call('roots.remove', { path }), place.notes);
    await desktop.until('nothing is watched', (state) => state.trays.at(-1)?.image.includes('setup-dark.png') === true);
    await desktop.host.pressTray(['Quit']);
    expect(await desktop.ended).toBe(0);
    expect(desktop.output()).toContain('The agent has stopped.');
  });

  test('the tray counts the conflicts of the vault and leads to them; a sync is offered only with a service', async () => {
    const first = await start();
    const page = await first.page();
    const fields = { title: 'Use SQLite' };
    await page.evaluate(
      (given) => angles.call('records.create', { table: 'decision_vault', fields: given, origin: 'dashboard' }),
      fields,
    );
    await first.quit();
    noteConflicts(place.dataFolder, ['title', 'decision']);
    const desktop = await start();
    const labels = (state: HostState): string[] => state.trays.at(-1)?.menu.map((item) => item.label) ?? [];
    await desktop.until(
      'it counts, and says so by its icon',
      (state) =>
        labels(state).includes('Conflicts (2)') && state.trays.at(-1)?.image.includes('needs-you-light.png') === true,
    );
    await expect(desktop.host.pressTray(['Sync now'])).rejects.toThrow('cannot be pressed');
    await desktop.host.pressTray(['Conflicts (2)']);
    await (await desktop.page()).getByRole('heading', { level: 1, name: 'Conflicts' }).waitFor();
    await desktop.host.pressTray(['Back up now']);
    await (await desktop.page()).getByText(/^Backed up/).waitFor();
  });

  test('a service that cannot be reached is offline in the tray, with how many changes wait', async () => {
    save('waits.md');
    const key = ['sb', 'publishable', 'of', 'tests'].join('_');
    const environment = { SUPABASE_URL: 'http://127.0.0.1:9', SUPABASE_KEY: key };
    const desktop = await start({ environment });
    const away = await desktop.until('it is offline', (state) => tooltip(state).includes('Offline'));
    expect(tooltip(away)).toMatch(/Angles: Offline: \d+ changes? to send when Supabase can be reached/);
    expect(away.trays.at(-1)?.image).toContain('offline-light.png');
    await desktop.host.pressTray(['Sync now']);
    const failed = (await desktop.page()).locator('.notice.error');
    await failed.waitFor({ timeout: 60_000 });
    expect(await failed.textContent()).toMatch(/Supabase|127\.0\.0\.1/);
  });

  test('without a tray everything is in the menu of the window; without notices it is said in a dialog', async () => {
    const desktop = await start({ options: { tray: false, notifications: false } });
    const page = await desktop.page();
    const state = await desktop.until('the menu is there', ({ applicationMenu }) => applicationMenu.length > 0);
    expect(state.trays).toEqual([]);
    await desktop.host.pressMenu(['Angles', 'Settings']);
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
    expect(await page.evaluate(() => angles.call('desktop.info', {}))).toMatchObject({ value: { hasTray: false } });
    await desktop.host.closeWindow(NO);
    const told = await desktop.until('it is said', ({ dialogs }) => dialogs.length > 0);
    expect(told.dialogs[0]).toMatchObject({ kind: 'message', message: 'Angles keeps running' });
    expect(String(told.dialogs[0]?.detail)).toContain('Start Angles once more');
    await desktop.host.pressMenu(['Angles', 'Quit']);
    expect(await desktop.ended).toBe(0);
  });

  test('a keychain is said to be what it is: strong, weak, or not there', async () => {
    const desktop = await start();
    const page = await desktop.page();
    for (const [keychain, state] of [
      [{ isAvailable: true, backend: 'gnome_libsecret' }, 'strong'],
      [{ isAvailable: true, backend: 'basic_text' }, 'weak'],
      [{ isAvailable: false, backend: 'unknown' }, 'unavailable'],
    ] as const) {
      await desktop.host.setKeychain(keychain);
      expect(await page.evaluate(() => angles.call('desktop.info', {}))).toMatchObject({
        value: { keychain: { state, backend: keychain.backend } },
      });
    }
  });

  test('without a keychain a passphrase is offered; keys are encrypted with it, locked after a start, and opened again', async () => {
    const secret = ['ghp', 'of', 'tests'].join('_');
    const options = { keychain: { isAvailable: true, backend: 'basic_text' } };
    const passphrase = 'four words to remember';
    const first = await start({ options });
    const page = await first.page();
    const keep = (): Promise<unknown> =>
      page.evaluate((token) => angles.call('environment.set', { values: { GITHUB_TOKEN: token } }), secret);
    expect(await keep()).toEqual({ value: { kept: [{ name: 'GITHUB_TOKEN', in: '.env' }] } });
    const dotenv = (): string => readFileSync(join(place.dataFolder, '.env'), 'utf8');
    expect(dotenv()).toContain(secret);
    await page.evaluate(() => {
      location.hash = '#/settings';
    });
    await page.getByRole('heading', { name: 'This desktop has no safe place for keys' }).waitFor();
    await page.getByLabel('Passphrase').fill(passphrase);
    await page.getByLabel('The same again').fill('four words to forget');
    await page.getByRole('button', { name: 'Encrypt the keys' }).click();
    await page.getByText('This is not the same.').waitFor();
    await page.getByLabel('The same again').fill(passphrase);
    await page.getByRole('button', { name: 'Encrypt the keys' }).click();
    await page.getByRole('heading', { name: 'Keys are encrypted with your passphrase' }).waitFor();
    await first.until('what lay in the open has moved', () => !dotenv().includes(secret));
    expect(await first.quit()).toBe(0);
    for (const name of ['passphrase.json', '.env', 'desktop.json'])
      expect(readFileSync(join(place.dataFolder, name), 'utf8')).not.toContain(secret);

    const second = await start({ options, args: ['--port', '0', '--hidden', '--root', place.notes] });
    const told = await second.until('it is told', ({ notifications }) => notifications.length === 1);
    expect(told.notifications[0]?.title).toContain('GITHUB_TOKEN');
    await second.host.clickNotification(0);
    const window = await second.page();
    await window.getByLabel('Passphrase').fill('something else');
    await window.getByRole('button', { name: 'Unlock' }).click();
    await window.getByRole('alert').getByText('The passphrase is wrong.').waitFor();
    await window.getByLabel('Passphrase').fill(passphrase);
    await window.getByRole('button', { name: 'Unlock' }).click();
    await window.getByRole('heading', { name: 'Keys are encrypted with your passphrase' }).waitFor();
    await second.until('the notice goes away', ({ notifications }) => notifications[0]?.isClosed === true);
    const shown = (await window.evaluate(() => angles.call('settings.show', {}))) as {
      value: { environment: { name: string; source: string | null }[] };
    };
    expect(shown.value.environment.find(({ name }) => name === 'GITHUB_TOKEN')).toMatchObject({ source: 'keychain' });
    expect(second.output() + first.output()).not.toContain(passphrase);
  });

  test('a data folder that a headless agent holds says who; trying again works when it has ended', async () => {
    const daemon = await startDaemon({ dataFolder: place.dataFolder, root: place.notes, home: place.home });
    const desktop = await start();
    const asked = await desktop.until('it asks', ({ dialogs }) => dialogs.length === 1);
    expect(asked.dialogs[0]).toMatchObject({
      message: 'Another agent holds this data folder.',
      buttons: ['Try again', 'Quit'],
    });
    expect(String(asked.dialogs[0]?.detail)).toContain(`process id ${daemon.pid}`);
    await daemon.stop();
    await desktop.host.answerDialog({ response: 0 });
    await (await desktop.page()).getByText('You are safe').waitFor();
  });

  test('a vault of a newer program is refused by name and not touched', async () => {
    const first = await start();
    await first.page();
    await first.quit();
    const file = join(place.dataFolder, 'vault.db');
    const db = new Database(file);
    db.pragma(`user_version = ${Number(db.pragma('user_version', { simple: true })) + 1}`);
    db.close();
    const before = readFileSync(file);
    const desktop = await start();
    const asked = await desktop.until('it says so', ({ dialogs }) => dialogs.length === 1);
    expect(String(asked.dialogs[0]?.detail)).toContain('data.from_future');
    await desktop.host.answerDialog({ response: 1 });
    expect(await desktop.ended).toBe(1);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('a window without its bridge says so instead of waiting', async () => {
    const broken = join(place.home, 'program');
    for (const name of ['out', 'migrations', 'assets', 'package.json'])
      cpSync(join(ROOT, name), join(broken, name), { recursive: true });
    mkdirSync(join(broken, 'node_modules'));
    cpSync(join(ROOT, 'node_modules', 'better-sqlite3'), join(broken, 'node_modules', 'better-sqlite3'), {
      recursive: true,
    });
    writeFileSync(join(broken, 'out', 'preload', 'preload.cjs'), 'throw new Error("broken")');
    const desktop = await start({ entry: join(broken, 'out', 'main', 'desktop.js') });
    const page = await desktop.page();
    await page.getByRole('alert').getByText('This window cannot reach the agent.').first().waitFor();
    save('still.md');
    await desktop.until('the agent captures', (state) => recent(state).includes('still.md'));
  });

  test('commands and a browser reach the agent of the desktop app, and can stop it', async () => {
    const desktop = await start();
    await desktop.page();
    const connection = await connect(place.dataFolder);
    expect(connection?.endpoint.pid).toBe(desktop.pid);
    expect(await connection?.client.call('agent.status', {})).toMatchObject({
      mode: 'running',
      dataFolder: place.dataFolder,
    });
    await connection?.client.call('agent.stop', {});
    expect(await desktop.ended).toBe(0);
    expect(existsSync(join(place.dataFolder, 'agent.json'))).toBe(false);
  });

  test('starting at login follows its setting; waking looks again; a small screen gets a small window', async () => {
    const desktop = await start({ options: { displays: [{ x: 0, y: 0, width: 910, height: 472 }], scaleFactor: 1.5 } });
    const page = await desktop.page();
    expect((await desktop.host.state(NO)).windows[0]?.bounds).toEqual({ x: 0, y: 0, width: 910, height: 472 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    const entry = join(place.home, '.config', 'autostart', 'angles.desktop');
    const set = (value: boolean) =>
      page.evaluate((wanted) => angles.call('settings.set', { key: 'desktop.start_at_login', value: wanted }), value);
    await set(true);
    await desktop.until('the entry is there', () => existsSync(entry));
    expect(readFileSync(entry, 'utf8')).toMatch(/^Exec=.* --hidden$/m);
    expect(await page.evaluate(() => angles.call('desktop.info', {}))).toMatchObject({
      value: { startsAtLogin: true },
    });
    await set(false);
    await desktop.until('the entry is gone', () => !existsSync(entry));
    await desktop.host.power('suspend');
    save('asleep.md');
    await desktop.host.power('resume');
    await desktop.until('the save is captured', (state) => recent(state).includes('asleep.md'));
  });

  test('a hold makes one notice, which leads to the decision and goes away with it', async () => {
    for (let index = 0; index < 60; index += 1) save(`note-${index}.md`);
    const desktop = await start();
    const page = await desktop.page();
    await page.getByText('You are safe').waitFor();
    await desktop.until('all are captured', (state) => tooltip(state).includes('Up to date'));
    for (let index = 0; index < 60; index += 1) rmSync(join(place.notes, `note-${index}.md`));
    const held = await desktop.until('it is told', ({ notifications }) => notifications.length === 1);
    expect(held.notifications[0]).toMatchObject({ actions: ['Decide'], isClosed: false });
    expect(held.trays.at(-1)?.image).toContain('needs-you-light.png');
    await desktop.host.clickNotification(0);
    await page.getByRole('button', { name: 'I deleted them' }).waitFor();
    await page.evaluate((path) => angles.call('roots.decide', { path, decision: 'accept' }), place.notes);
    const solved = await desktop.until('it is withdrawn', ({ notifications }) => notifications[0]?.isClosed === true);
    expect(solved.notifications).toHaveLength(1);
  });

  test('npm start runs the desktop app where an Electron and a display are, and hands signals on', async () => {
    const dist = join(place.home, 'dist');
    mkdirSync(dist);
    const register = join(ROOT, 'test', 'support', 'electron-host', 'register.ts');
    // What Electron does with a folder: it runs the `main` of its package.
    writeFileSync(
      join(dist, 'electron'),
      `#!/bin/sh\napp="$1"; shift\nexec "${process.execPath}" --no-warnings --import "${register}" "$app/out/main/desktop.js" "$@"\n`,
    );
    chmodSync(join(dist, 'electron'), 0o755);
    const child = spawn(
      process.execPath,
      [join(ROOT, 'bin', 'start.mjs'), '--port', '0', '--hidden', '--root', place.notes],
      {
        env: {
          PATH: process.env.PATH ?? '',
          HOME: place.home,
          ANGLES_HOME: place.dataFolder,
          DISPLAY: ':0',
          ELECTRON_OVERRIDE_DIST_PATH: dist,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece) => {
        output += String(piece);
      });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    for (const endMs = performance.now() + 60_000; !existsSync(join(place.dataFolder, 'agent.json')); ) {
      if (performance.now() > endMs) throw new Error(`it did not start: ${output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(statSync(join(place.dataFolder, 'window')).mode & 0o777).toBe(0o700);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(output).toContain('The agent has stopped.');
    expect(output).not.toContain('headless');
  });
});

/** What sync would note of the newest decision; no agent runs. */
function noteConflicts(dataFolder: string, fields: readonly string[]): void {
  const store = openStore({ dataFolder, nowMs: Date.now });
  const conflicts = createConflictStore(store);
  const row = store.db.prepare<[], { id: string }>('SELECT id FROM decision_vault').get();
  store.write((tx) => {
    for (const field of fields)
      conflicts.add(tx, {
        remote: 'notion',
        table: 'decision_vault',
        recordId: row?.id ?? '',
        field,
        kind: 'edit',
        mine: 'a',
        theirs: 'b',
        base: 'c',
        mineEditedAtMs: 1,
        theirsEditedAtMs: 2,
        winner: 'theirs',
        reason: null,
      });
  });
  store.close();
}
