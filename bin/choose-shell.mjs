/**
 * Which shell `npm start` runs: the desktop app needs an Electron binary, a display and its own code;
 * everything else runs headless. The reason is one sentence for the person who started it.
 */
export function chooseShell({ electronBinary, display, platform, desktopEntry, headlessWanted = false }) {
  const headless = (reason) => ({ shell: 'headless', reason });
  if (headlessWanted) return headless('It was asked for.');
  if (!desktopEntry) return headless('The desktop app was not built.');
  if (!electronBinary)
    return headless('Electron is not installed (`npx install-electron` fetches it for the desktop app).');
  if (platform === 'linux' && !display)
    return headless('There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set).');
  return { shell: 'desktop', reason: 'Electron and a display are there.' };
}
