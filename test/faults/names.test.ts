import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { nameFromBytes, nameToBytes } from '../../src/main/path-names.ts';
import { displayPath } from '../../src/shared/display.ts';
import { below, HOSTILE_NAMES, UNSHOWABLE } from '../support/hostile-names.ts';
import { createWatchHarness, FAST_LIMITS, type WatchHarness } from '../support/watch-harness.ts';

let harness: WatchHarness | null = null;
afterEach(async () => {
  await harness?.stop();
  harness = null;
});

function create(options: Parameters<typeof createWatchHarness>[0] = {}): WatchHarness {
  harness = createWatchHarness(options);
  return harness;
}

const bytesOf = (label: string, version: number) => `${version} of ${label}`;
const writeAll = (h: WatchHarness, version: number) => {
  for (const { label, bytes } of HOSTILE_NAMES) writeFileSync(below(h.root, bytes), bytesOf(label, version));
};
/** Every captured path with all its versions, keyed by the bytes of the name. */
const captured = (h: WatchHarness) =>
  Object.fromEntries(h.present().map((path) => [nameToBytes(path).toString('hex'), h.versions(path)]));
const expected = (...versions: readonly number[]) =>
  Object.fromEntries(
    HOSTILE_NAMES.map(({ label, bytes }) => [bytes.toString('hex'), versions.map((each) => bytesOf(label, each))]),
  );

describe('hostile names', () => {
  it('are captured by a scan, byte for byte', async () => {
    const h = create({ isWatching: false });
    writeAll(h, 1);
    await h.start();
    await h.scan();
    await h.watch.settled(5_000);
    expect(captured(h)).toEqual(expected(1));
  });

  it('are captured as they are saved, without a scan', async () => {
    const h = create();
    await h.start();
    for (const version of [1, 2]) {
      writeAll(h, version);
      await h.until(
        () => h.present().filter((path) => h.versions(path).length >= version).length === HOSTILE_NAMES.length,
        () => Object.entries(expected(1)).filter(([hex]) => captured(h)[hex]?.length !== version),
      );
    }
    expect(captured(h)).toEqual(expected(1, 2));
  });

  it('name folders too: what is saved and edited in them is captured, and their end is seen', async () => {
    const h = create();
    await h.start();
    const inner = Buffer.from('in.md');
    const versions = () => Object.fromEntries(h.present().map((path) => [path, h.versions(path)]));
    const wanted = (texts: readonly string[]) =>
      Object.fromEntries(HOSTILE_NAMES.map(({ bytes }) => [`${nameFromBytes(bytes)}/in.md`, texts]));
    for (const { bytes } of HOSTILE_NAMES) {
      mkdirSync(below(h.root, bytes));
      writeFileSync(below(h.root, bytes, inner), 'one');
    }
    await h.until(() => h.present().length === HOSTILE_NAMES.length, h.present);
    expect(versions()).toEqual(wanted(['one']));
    for (const { bytes } of HOSTILE_NAMES) writeFileSync(below(h.root, bytes, inner), 'two');
    const late = () => h.present().filter((path) => h.versions(path).length < 2);
    await h.until(() => late().length === 0, late);
    expect(versions()).toEqual(wanted(['one', 'two']));
    // Few enough at a time that nothing is held.
    for (const { bytes } of HOSTILE_NAMES.slice(-9)) rmSync(below(h.root, bytes), { recursive: true });
    await h.until(() => h.present().length === HOSTILE_NAMES.length - 9, h.present);
  });

  it('are not captured half-written when the writer pauses', async () => {
    const h = create();
    await h.start();
    const open = HOSTILE_NAMES.map(({ bytes }) => openSync(below(h.root, bytes), 'w'));
    for (const descriptor of open) writeSync(descriptor, 'half');
    // Two whole files, one after the other: by the second, whatever was ripe before it has been looked at.
    for (const name of ['first', 'second']) {
      writeFileSync(below(h.root, Buffer.from(name)), 'whole');
      await h.until(() => h.present().includes(name), h.present);
      await new Promise((resolve) => setTimeout(resolve, 4 * FAST_LIMITS.quietMs));
    }
    const early = h.present();
    for (const descriptor of open) {
      writeSync(descriptor, ' and half');
      closeSync(descriptor);
    }
    await h.until(() => h.present().length === HOSTILE_NAMES.length + 2, h.present);
    const versions = h.present().flatMap((path) => h.versions(path));
    expect([early, new Set(versions), versions.length]).toEqual([
      ['first', 'second'],
      new Set(['whole', 'half and half']),
      HOSTILE_NAMES.length + 2,
    ]);
  });

  it('never show a control character, a bidirectional mark or a byte that is no text', () => {
    const shown = HOSTILE_NAMES.map(({ bytes }) => displayPath(nameFromBytes(bytes)));
    expect(shown.filter((name) => UNSHOWABLE.test(name) || /[\uf780-\uf7ff]/.test(name))).toEqual([]);
    // Two different names never look the same through escaping alone.
    expect(new Set(shown).size).toBe(HOSTILE_NAMES.length);
  });

  it('are on the disk as they were written', () => {
    // The oracle of this file: the test wrote what it says it wrote.
    const h = create({ isWatching: false });
    writeAll(h, 1);
    const onDisk = readdirSync(h.root, { encoding: 'buffer' }).map((name) => [
      name.toString('hex'),
      [readFileSync(below(h.root, name), 'utf8')],
    ]);
    expect(Object.fromEntries(onDisk)).toEqual(expected(1));
  });
});
