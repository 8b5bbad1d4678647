/** Loaded with `node --import`: from here on the process looks like Electron's, and `electron` is the stand-in. */
import { registerHooks } from 'node:module';
import { VERSIONS_TEXT } from './versions.ts';

Object.defineProperty(process, 'versions', { value: { ...process.versions, ...VERSIONS_TEXT } });
Object.defineProperty(process, 'type', { value: 'browser' });
Object.defineProperty(process, 'resourcesPath', { value: '/nonexistent/resources' });

const standIn = new URL('electron.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron'
      ? { url: standIn, format: 'module-typescript', shortCircuit: true }
      : next(specifier, context),
});
