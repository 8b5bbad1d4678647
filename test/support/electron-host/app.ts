import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync, watch, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { killBrowser } from './browser.ts';
import { onAllClosed, onContents, windows } from './browser-window.ts';
import { KnownEmitter, preventable } from './emitter.ts';
import { hostOptions } from './options.ts';
import { notEmulated, strict } from './strict.ts';

const EVENTS = [
  'ready',
  'before-quit',
  'will-quit',
  'quit',
  'window-all-closed',
  'activate',
  'second-instance',
  'open-url',
  'web-contents-created',
]; // prettier-ignore

class App extends KnownEmitter {
  readonly isPackaged = hostOptions.isPackaged;
  readonly paths = new Map<string, string>();
  readonly protocols = new Set<string>();
  loginItem: { openAtLogin: boolean; args?: readonly string[] } = { openAtLogin: false };
  ready = false;
  quitting = false;
  sandboxed = false;
  holdsLock = false;

  constructor() {
    super('app', EVENTS);
    onContents.push((contents) => this.emit('web-contents-created', {}, contents));
    onAllClosed.push(() => {
      if (this.quitting) return;
      if (!this.emit('window-all-closed')) this.quit();
    });
    // A program of Electron lives until it quits, also with nothing to do.
    setInterval(() => undefined, 2 ** 30);
    // After the modules of the program have been evaluated, as in Electron.
    setTimeout(() => {
      this.ready = true;
      this.emit('ready', {});
    }, 20);
  }

  isReady(): boolean {
    return this.ready;
  }

  async whenReady(): Promise<void> {
    if (!this.ready) await new Promise<void>((resolve) => this.once('ready', () => resolve()));
  }

  getName(): string {
    return 'Angles';
  }

  enableSandbox(): void {
    if (this.ready) throw new Error('app.enableSandbox() can only be called before app is ready');
    this.sandboxed = true;
  }

  getPath(name: string): string {
    const known = this.paths.get(name) ?? { home: homedir(), temp: tmpdir() }[name];
    if (known === undefined) throw notEmulated(`app.getPath('${name}')`);
    return known;
  }

  setPath(name: string, path: string): void {
    if (!path.startsWith('/')) throw new Error('Path must be absolute');
    this.paths.set(name, path);
  }

  setAsDefaultProtocolClient(scheme: string): boolean {
    this.protocols.add(scheme);
    return true;
  }

  getLoginItemSettings(): { openAtLogin: boolean } {
    return { openAtLogin: this.loginItem.openAtLogin };
  }

  setLoginItemSettings(settings: { openAtLogin: boolean; args?: readonly string[] }): void {
    this.loginItem = settings;
  }

  /** A lock of the profile's folder across processes; a loser's arguments reach the holder as `second-instance`. */
  requestSingleInstanceLock(data: unknown = {}): boolean {
    const folder = this.getPath('userData');
    const lock = join(folder, 'HostSingletonLock');
    const box = join(folder, 'host-second-instances');
    mkdirSync(box, { recursive: true });
    if (!takeLock(lock)) {
      const message = { argv: process.argv, cwd: process.cwd(), data };
      const file = join(box, `${process.pid}-${Date.now()}`);
      writeFileSync(`${file}.part`, JSON.stringify(message));
      writeFileSync(`${file}.json`, JSON.stringify(message));
      rmSync(`${file}.part`);
      return false;
    }
    this.holdsLock = true;
    process.once('exit', () => rmSync(lock, { force: true }));
    watch(box, () => this.readBox(box)).unref();
    return true;
  }

  readBox(box: string): void {
    for (const name of readdirSync(box).filter((one) => one.endsWith('.json'))) {
      try {
        const { argv, cwd, data } = JSON.parse(readFileSync(join(box, name), 'utf8')) as {
          argv: string[];
          cwd: string;
          data: unknown;
        };
        unlinkSync(join(box, name));
        this.emit('second-instance', {}, argv, cwd, data);
      } catch {
        // Half written: the watch calls again.
      }
    }
  }

  /** The order of Electron: before-quit, the windows (any may refuse), will-quit, quit. */
  quit(): void {
    const before = preventable({});
    this.emit('before-quit', before);
    if (before.defaultPrevented) return;
    this.quitting = true;
    for (const window of [...windows]) {
      if (!window.close()) {
        this.quitting = false;
        return;
      }
    }
    const will = preventable({});
    this.emit('will-quit', will);
    if (!will.defaultPrevented) this.exit(0);
  }

  /** Ends at once: windows close without being asked, only `quit` is told. */
  exit(code = 0): void {
    this.quitting = true;
    for (const window of [...windows]) window.destroy();
    this.emit('quit', {}, code);
    killBrowser();
    process.exit(code);
  }
}

/** A lock whose holder is dead counts as none. */
function takeLock(file: string): boolean {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (existsSync(file) && isAlive(Number(readFileSync(file, 'utf8')))) return false;
      rmSync(file, { force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export const app = strict('app', new App());
