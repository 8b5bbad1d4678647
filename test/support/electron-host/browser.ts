/**
 * The Chromium behind all windows of one program: started with the first window, ended with the program. A test file that
 * starts many programs one after the other names one of its own instead; what a program opened there ends with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from '../find-chromium.ts';
import { type Cdp, connectCdp } from './cdp.ts';

export type Browser = { readonly cdp: Cdp; readonly url: string };

/** The variable that names a Chromium which runs already: the address where it listens for tools. */
export const SHARED_BROWSER_NAME = 'ANGLES_ELECTRON_HOST_BROWSER';

let starting: Promise<Browser> | null = null;
let shared: Cdp | null = null;
let child: ChildProcess | null = null;
let profile = '';

/** Starts it when it does not run. */
export function openBrowser(): Promise<Browser> {
  starting ??= start();
  return starting;
}

/** Where it listens for tools; null while it does not run. */
export async function browserUrl(): Promise<string | null> {
  return starting === null ? null : (await starting).url;
}

/** Ends it at once, also while the process exits; of one that is shared, what this program opened. */
export function killBrowser(): void {
  shared?.close();
  if (child === null) return;
  child.kill('SIGKILL');
  child = null;
  try {
    rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // Its processes may still be writing; the system clears its folder of temporary files.
  }
}

async function start(): Promise<Browser> {
  const known = process.env[SHARED_BROWSER_NAME];
  if (known !== undefined) {
    shared = await connectCdp(known);
    return { cdp: shared, url: known };
  }
  profile = mkdtempSync(join(tmpdir(), 'angles-chromium-'));
  const args = [
    '--headless',
    // It cannot work for root, who runs containers.
    '--no-sandbox',
    '--remote-debugging-port=0',
    // Beside the port, so that Chromium ends when this process does, however it ends.
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-extensions',
    '--force-color-profile=srgb',
    '--hide-scrollbars',
    'about:blank',
  ];
  child = spawn(findChromium(), args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
  process.once('exit', killBrowser);
  const url = await endpointOf(child);
  child.stderr?.resume();
  child.unref();
  return { cdp: await connectCdp(url), url };
}

function endpointOf(started: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    started.stderr?.on('data', (piece) => {
      output += String(piece);
      const match = /DevTools listening on (ws:\S+)/.exec(output);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
    started.once('exit', (code) => reject(new Error(`Chromium ended with ${code}: ${output}`)));
    started.once('error', reject);
  });
}
