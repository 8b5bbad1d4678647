/** Programs that the tests use besides npm packages. Found, or installed where that needs nobody's hand. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const TOOLS = [
  {
    name: 'chromium',
    file: 'chromium',
    also: ['google-chrome', 'chromium-browser'],
    package: 'chromium',
    what: 'the dashboard in a real browser',
  },
  { name: 'strace', file: 'strace', also: [], package: 'strace', what: 'crashes at an exact system call' },
  { name: 'sqlite3', file: 'sqlite3', also: [], package: 'sqlite3', what: 'a second opinion on the vault file' },
  { name: 'faketime', file: 'faketime', also: [], package: 'faketime', what: 'clocks that jump' },
];

export function findProgram(...names) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) if (existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}

/** Installs what is missing with Debian's packages when this user may; says what stays missing. */
export function installTools(tools = TOOLS) {
  const missing = () =>
    tools.filter(
      (tool) =>
        findProgram(tool.file, ...tool.also) === null && !(tool.name === 'chromium' && process.env.CHROMIUM_PATH),
    );
  const wanted = missing();
  if (wanted.length === 0) return;
  if (process.getuid?.() === 0 && findProgram('apt-get') !== null) {
    console.log(`Installing ${wanted.map((tool) => tool.package).join(', ')} for the tests.`);
    const options = {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    };
    spawnSync('apt-get', ['update', '-qq'], options);
    spawnSync(
      'apt-get',
      ['install', '-y', '-qq', '--no-install-recommends', ...wanted.map((tool) => tool.package)],
      options,
    );
  }
  for (const tool of missing())
    console.log(`Not found: ${tool.file} (${tool.what}); the tests that need it are skipped by name.`);
}
