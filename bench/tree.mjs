/** Makes the same tree of text files for the same seed: words of a fixed vocabulary, about `bytes` in `files` files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILES_PER_FOLDER = 50;

export function makeTree(root, { files, bytes, seed }) {
  const random = generator(seed);
  const vocabulary = Array.from({ length: 4_000 }, () => word(random));
  const average = bytes / files;
  let written = 0;
  for (let index = 0; index < files; index += 1) {
    const folder = join(
      root,
      `area-${Math.floor(index / FILES_PER_FOLDER) % 37}`,
      `topic-${Math.floor(index / FILES_PER_FOLDER)}`,
    );
    if (index % FILES_PER_FOLDER === 0) mkdirSync(folder, { recursive: true });
    const text = prose(random, vocabulary, average * (0.2 + 1.6 * random()));
    writeFileSync(join(folder, `note-${index}.md`), text);
    written += text.length;
  }
  return written;
}

function prose(random, vocabulary, length) {
  let text = '# ';
  while (text.length < length) {
    text += vocabulary[Math.floor(random() * random() * vocabulary.length)] + (random() < 0.08 ? '.\n' : ' ');
  }
  return `${text}\n`;
}

function word(random) {
  return Array.from({ length: 3 + Math.floor(random() * 8) }, () =>
    String.fromCharCode(97 + Math.floor(random() * 26)),
  ).join('');
}

/** xorshift32 (Marsaglia, 2003): small, seeded, good enough for prose. */
export function generator(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4_294_967_296;
  };
}
