import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds `migrations/` and the built renderer: the same for sources, the build and a package. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'migrations', 'local'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('migrations/local was not found beside the program');
    folder = parent;
  }
  return folder;
}
