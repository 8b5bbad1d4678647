/**
 * A program that saves in every way programs do, slowly: in pieces, with pauses, keeping the file open, over a
 * temporary file, after truncating, by appending. Each whole version ends with the SHA-256 of what comes before.
 * Arguments: folder, ledger file, seed, saves. The ledger has one line for each whole version: its SHA-256 and path.
 */
import { createHash, hash } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from './writer-random.ts';

const FILES = 24;
const [folder = '', ledger = '', seed = '1', saves = '1'] = process.argv.slice(2);

/** Bytes that zstd cannot make small, with a trailer that proves them whole. */
function makeBody(random: Random, start: Buffer): Buffer {
  const size = random.chance(0.03)
    ? 1_100_000 + random.below(200_000)
    : 1 + random.below(random.chance(0.3) ? 200_000 : 4_000);
  const parts: Buffer[] = [start];
  for (let made = 0; made < size; made += 32) parts.push(hash('sha256', `${seed} ${random.below(2 ** 32)}`, 'buffer'));
  const body = Buffer.concat(parts);
  return Buffer.concat([body, Buffer.from(`\n${createHash('sha256').update(body).digest('hex')}\n`)]);
}

async function writePieces(file: FileHandle, bytes: Buffer, random: Random): Promise<void> {
  const pieces = 1 + random.below(6);
  const size = Math.ceil(bytes.length / pieces);
  for (let from = 0; from < bytes.length; from += size) {
    await file.write(bytes.subarray(from, from + size));
    // One pause in eight is far longer than the quiet time.
    if (random.chance(0.8)) await sleep(random.chance(0.12) ? 100 + random.below(300) : random.below(20));
  }
}

type Save = (path: string, random: Random) => Promise<void>;

/** Tells before it begins: a version is whole at its last byte, which the agent may see before this process goes on. */
function note(path: string, bytes: Buffer): void {
  appendFileSync(ledger, `${hash('sha256', bytes, 'hex')} ${path}\n`);
}

const inPlace =
  (flags: string, start: (path: string) => Buffer, prepare: (file: FileHandle) => Promise<void>): Save =>
  async (path, random) => {
    const before = start(path);
    const bytes = makeBody(random, before);
    note(path, bytes);
    const file = await open(join(folder, path), flags);
    try {
      await prepare(file);
      await writePieces(file, bytes.subarray(before.length), random);
      // What was longer before ends here.
      if (flags === 'r+') await file.truncate(bytes.length);
      if (random.chance(0.2)) await file.sync();
    } finally {
      await file.close();
    }
  };

const nothing = async (): Promise<void> => undefined;
const byRename: Save = async (path, random) => {
  const bytes = makeBody(random, Buffer.alloc(0));
  note(path, bytes);
  const temporary = join(folder, `.${path}.saving`);
  const file = await open(temporary, 'w');
  await writePieces(file, bytes, random);
  await file.close();
  await rename(temporary, join(folder, path));
};
const SAVES: readonly Save[] = [
  inPlace('w', () => Buffer.alloc(0), nothing),
  inPlace(
    'r+',
    () => Buffer.alloc(0),
    (file) => file.truncate(0),
  ),
  inPlace('r+', () => Buffer.alloc(0), nothing),
  inPlace('a', (path) => readFileSync(join(folder, path)), nothing),
  byRename,
];

async function keepSaving(index: number, times: number): Promise<void> {
  const random = createRandom(`${seed} ${index}`);
  const path = `file-${index}.txt`;
  for (let time = 0; time < times; time += 1) {
    const save = time === 0 ? byRename : SAVES[random.below(SAVES.length)];
    await save?.(path, random);
    await sleep(random.below(random.chance(0.5) ? 30 : 400));
  }
}

await Promise.all(Array.from({ length: FILES }, (_, index) => keepSaving(index, Math.ceil(Number(saves) / FILES))));
