import { type Browser, chromium } from 'playwright-core';
import { findChromium } from './find-chromium.ts';

export { findChromium } from './find-chromium.ts';

/** Starts Chromium without a window. The sandbox is off because it cannot work for root, who runs containers. */
export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
