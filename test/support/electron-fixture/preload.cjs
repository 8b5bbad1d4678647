const { contextBridge, ipcRenderer } = require('electron');

const tryRequire = (name) => {
  try {
    return typeof require(name);
  } catch (error) {
    return error.message;
  }
};
const pushed = [];
ipcRenderer.on('push', (_event, ...args) => pushed.push(args));
globalThis.ofPreload = 1;

contextBridge.exposeInMainWorld('fixture', {
  invoke: (channel, ...args) => ipcRenderer.invoke(channel, ...args),
  send: (channel, ...args) => ipcRenderer.send(channel, ...args),
  pushed: () => pushed,
  tryRequire,
  globals: () => ({
    inline: typeof globalThis.inline,
    outside: typeof globalThis.outside,
    polluted: {}.polluted ?? null,
  }),
  call: (callback) => callback(1, { two: 2 }),
  later: async (callback) => callback(await Promise.resolve('later')),
  fail: () => {
    throw new RangeError('out of it');
  },
  unknown: () => {
    try {
      return ipcRenderer.sendToHost('x');
    } catch (error) {
      return error.message;
    }
  },
  nested: { list: [1, { deep: true }] },
});
let again = 'exposed twice';
try {
  contextBridge.exposeInMainWorld('fixture', {});
} catch (error) {
  again = error.message;
}
contextBridge.exposeInMainWorld('again', again);
