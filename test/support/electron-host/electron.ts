/** Stands in for the module `electron` of the main process. An export that is not here does not link. */
import './control.ts';

export { app } from './app.ts';
export { ipcMain } from './ipc-main.ts';
export {
  dialog,
  Menu,
  Notification,
  nativeImage,
  nativeTheme,
  net,
  powerMonitor,
  protocol,
  safeStorage,
  screen,
  shell,
  Tray,
} from './recorded.ts';
export { session } from './session.ts';
export { windowClass as BrowserWindow } from './window-class.ts';
