/**
 * Which shell `npm start` runs: the desktop app needs an Electron binary, a display and its own code;
 * everything else runs headless. The reason is one sentence for the person who started it.
 */
export function chooseShell({ electronBinary, display, platform, desktopEntry }) {
  const headless = (reason) => ({ shell: 'headless', reason });
  if (!desktopEntry) return headless('This version has no desktop app yet.');
  if (!electronBinary) return headless('No Electron is installed (`npm install electron` brings the desktop app).');
  if (platform === 'linux' && !display)
    return headless('There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set).');
  return { shell: 'desktop', reason: 'Electron and a display are there.' };
}
