// `npm start`: builds when the sources are newer than the build, chooses the shell, and runs it in this process.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { builtFrom, fingerprint } from '../scripts/sources.mjs';
import { chooseShell } from './choose-shell.mjs';
import { isNewEnough, tooOldText } from './own-node.mjs';

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
const { shell, reason } = chooseShell({
  electronBinary: existsSync(join(root, 'node_modules', 'electron', 'dist'))
    ? join(root, 'node_modules', 'electron')
    : null,
  display: process.env.DISPLAY || process.env.WAYLAND_DISPLAY || null,
  platform: process.platform,
  desktopEntry: existsSync(join(root, 'out', 'main', 'desktop.js')),
});
if (shell === 'headless' && !args.includes('--help')) process.stderr.write(`Running headless. ${reason}\n`);
const { main } = await import(
  pathToFileURL(join(root, 'out', 'main', shell === 'desktop' ? 'desktop.js' : 'main.js')).href
);
await main(['start', ...args]);
