// A small Electron program that shows how its surroundings behave; it runs in Electron and in the stand-in.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as electron from 'electron';

const { app, BrowserWindow, ipcMain, protocol, session } = electron;
const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const mode = process.env.FIXTURE ?? '';

protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true } }]);
mkdirSync(join(process.env.ANGLES_HOME, 'window'), { recursive: true });
app.setPath('userData', join(process.env.ANGLES_HOME, 'window'));
for (const name of ['before-quit', 'will-quit', 'quit', 'window-all-closed']) app.on(name, () => say('app', name));
app.on('second-instance', (_event, argv) => say('second', argv.at(-1)));

if (!app.requestSingleInstanceLock()) {
  say('held');
  app.exit(0);
} else {
  await app.whenReady();
  run();
}

const PAGE = `<!doctype html><title>x</title><h1>Fixture</h1>
<script>globalThis.inline = 1</script><script src="page.js"></script>`;
const FILES = { '/index.html': ['text/html', PAGE], '/page.js': ['text/javascript', 'globalThis.outside = 1'] };

function run() {
  const pages = session.fromPartition('persist:fixture');
  pages.protocol.handle('app', (request) => {
    const file = FILES[new URL(request.url).pathname];
    const headers = { 'Content-Security-Policy': "default-src 'none'; script-src 'self'" };
    return file === undefined
      ? new Response('none', { status: 404, headers })
      : new Response(file[1], { headers: { ...headers, 'Content-Type': file[0] } });
  });
  if (mode === 'locked') {
    pages.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
    pages.setPermissionCheckHandler(() => false);
  }
  const window = new BrowserWindow({
    webPreferences: { session: pages, preload: join(import.meta.dirname, 'preload.cjs'), sandbox: true },
  });
  const { webContents } = window;
  window.on('close', (event) => {
    say('window close');
    if (mode === 'stays') event.preventDefault();
  });
  window.on('closed', () => say('window closed'));
  webContents.on('will-navigate', (event) => {
    say('will-navigate', event.url);
    event.preventDefault();
  });
  webContents.on('will-frame-navigate', (event) => say('will-frame-navigate', event.isMainFrame, event.url));
  webContents.setWindowOpenHandler(({ url }) => {
    say('window-open', url);
    return { action: 'deny' };
  });
  webContents.on('render-process-gone', (_event, { reason }) => {
    say('gone', reason);
    window.loadURL('app://fixture/index.html');
  });
  webContents.on('did-finish-load', () => say('loaded', webContents.getURL()));
  ipcMain.handle('echo', (_event, ...args) => args);
  ipcMain.handle('boom', () => {
    throw new TypeError('no such thing');
  });
  ipcMain.handle('function', () => () => 1);
  ipcMain.handle('from', (event) => [
    event.senderFrame.url,
    event.sender === webContents,
    event.senderFrame === webContents.mainFrame,
  ]);
  ipcMain.on('poke', (_event, value) => {
    for (let index = 0; index < 50; index += 1) webContents.send('push', index, value);
  });
  ipcMain.handle('unknown', (_event, name) => unknown(name));
  window.loadURL('app://fixture/index.html');
}

/** What happens when a program uses something that is not there. */
function unknown(name) {
  const uses = {
    method: () => app.setBadgeCount(1),
    event: () => app.on('gpu-info-update', () => undefined),
    option: () => new BrowserWindow({ kiosk: true }),
    preference: () => new BrowserWindow({ webPreferences: { webgl: false } }),
    insecure: () => new BrowserWindow({ webPreferences: { nodeIntegration: true } }),
    unsandboxed: () => new BrowserWindow({ webPreferences: { sandbox: false } }),
    write: () => {
      app.badge = 1;
    },
    'second handler': () => ipcMain.handle('echo', () => undefined),
    late: () => protocol.registerSchemesAsPrivileged([]),
  };
  try {
    uses[name]();
    return 'nothing happened';
  } catch (error) {
    return error.message;
  }
}
