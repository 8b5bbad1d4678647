// `npm start`: builds when the sources are newer than the build, chooses the shell, and runs it: the headless one in
// this process, the desktop app as a child, because Electron is a program of its own.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { builtFrom, fingerprint } from '../scripts/sources.mjs';
import { chooseShell } from './choose-shell.mjs';
import { findElectron, runDesktop } from './electron.mjs';
import { isNewEnough, tooOldText } from './own-node.cjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (!isNewEnough(process.versions.node)) {
  process.stderr.write(tooOldText(process.versions.node));
  process.exit(1);
}

const isBuilt = existsSync(join(root, 'out', 'main', 'main.js'));
// A package without sources has only its build.
if (!isBuilt || (existsSync(join(root, 'src')) && builtFrom(root) !== fingerprint(root))) {
  process.stderr.write('Building the program (a few seconds, only after changes)...\n');
  const { build } = await import('../scripts/build.mjs');
  await build(root);
}

const args = process.argv.slice(2);
const electronBinary = findElectron(root, process.env);
const { shell, reason } = chooseShell({
  electronBinary,
  display: process.env.DISPLAY || process.env.WAYLAND_DISPLAY || null,
  platform: process.platform,
  desktopEntry: existsSync(join(root, 'out', 'main', 'desktop.js')),
  headlessWanted: args.includes('--headless'),
});
if (shell === 'desktop') {
  process.exit(await runDesktop(electronBinary, [root, 'start', ...args]));
} else {
  if (!args.includes('--help')) process.stderr.write(`Running headless. ${reason}\n`);
  const { main } = await import(pathToFileURL(join(root, 'out', 'main', 'main.js')).href);
  await main(['start', ...args.filter((argument) => argument !== '--headless')]);
}
