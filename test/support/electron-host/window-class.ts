import { BrowserWindow } from './browser-window.ts';
import { strictClass } from './strict.ts';

export const windowClass = strictClass('BrowserWindow', BrowserWindow);
