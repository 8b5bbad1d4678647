/**
 * Makes many small files as fast as it can. Arguments: folder, number of files, number of folders. What it writes
 * follows from the path alone, so that who calls it knows it without asking.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Paths and contents, relative to the folder; one folder after the other. */
export function* burstFiles(files: number, folders: number): Generator<readonly [path: string, text: string]> {
  for (let index = 0; index < files; index += 1) {
    const folder = `d${Math.floor((index * folders) / files)}`;
    yield [`${folder}/sub/f${index}.md`, `burst ${index}\n`];
  }
}

if (import.meta.filename === process.argv[1]) {
  const [root = '', files = '0', folders = '1'] = process.argv.slice(2);
  let folder = '';
  for (const [path, text] of burstFiles(Number(files), Number(folders))) {
    if (folder !== dirname(path)) mkdirSync(join(root, dirname(path)), { recursive: true });
    folder = dirname(path);
    writeFileSync(join(root, path), text);
  }
}
