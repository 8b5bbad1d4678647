import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../../src/main/package-root.ts';
import { TRAY_STATES } from '../../../src/shared/tray-state.ts';

const ASSETS = join(packageRoot(), 'assets');
type Picture = { readonly width: number; readonly height: number; readonly rgba: Uint8Array };

/** Reads a PNG of 8 bit RGBA without interlacing, as Chromium writes it (W3C PNG, chapters 9 and 11). */
function readPng(bytes: Buffer): Picture {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (bytes[24] !== 8 || bytes[25] !== 6) throw new Error(`not 8 bit RGBA: ${bytes[24]} ${bytes[25]}`);
  const parts: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += bytes.readUInt32BE(at) + 12)
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * 4;
  const rgba = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x += 1) {
      const left = x < 4 ? 0 : (rgba[y * stride + x - 4] ?? 0);
      const up = y === 0 ? 0 : (rgba[(y - 1) * stride + x] ?? 0);
      const corner = x < 4 || y === 0 ? 0 : (rgba[(y - 1) * stride + x - 4] ?? 0);
      rgba[y * stride + x] = (raw[y * (stride + 1) + 1 + x] ?? 0) + predict(filter, left, up, corner);
    }
  }
  return { width, height, rgba };
}

function predict(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return Math.floor((left + up) / 2);
  if (filter !== 4) return 0;
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

const tray = (name: string): Picture => readPng(readFileSync(join(ASSETS, 'tray', name)));
/** Whether each pixel is covered: the shape, without colour. */
const shape = ({ rgba }: Picture): boolean[] =>
  Array.from({ length: rgba.length / 4 }, (_, index) => (rgba[index * 4 + 3] ?? 0) > 127);

describe('tray icons', () => {
  test.each(TRAY_STATES)('%s exists for light and dark bars in every size', (state) => {
    for (const bar of ['light', 'dark']) {
      expect([tray(`${state}-${bar}.png`).width, tray(`${state}-${bar}@2x.png`).width]).toEqual([24, 48]);
      const ico = readFileSync(join(ASSETS, 'tray', `${state}-${bar}.ico`));
      expect(Array.from({ length: ico.readUInt16LE(4) }, (_, index) => ico[6 + 16 * index])).toEqual([
        16, 20, 24, 32, 48, 64,
      ]);
    }
    expect(['', '@2x', '@3x'].map((suffix) => tray(`${state}-Template${suffix}.png`).width)).toEqual([16, 32, 48]);
  });

  test.each([
    ['Template.png', 0.05],
    ['Template@3x.png', 0.03],
    ['light.png', 0.05],
  ])('states differ by shape alone, without colour (%s)', (kind, share) => {
    const shapes = TRAY_STATES.map((state) => ({ state, pixels: shape(tray(`${state}-${kind}`)) }));
    for (const [index, one] of shapes.entries()) {
      for (const other of shapes.slice(index + 1)) {
        const different = one.pixels.filter((covered, at) => covered !== other.pixels[at]).length / one.pixels.length;
        expect(different, `${one.state} and ${other.state}`).toBeGreaterThan(share);
      }
    }
  });

  test('a template has no colour, and stands out of its bar otherwise', () => {
    const brightness = ({ rgba }: Picture): number => {
      const inked = Array.from({ length: rgba.length / 4 }, (_, index) => index * 4).filter(
        (at) => (rgba[at + 3] ?? 0) > 200,
      );
      return (
        inked.reduce((sum, at) => sum + ((rgba[at] ?? 0) + (rgba[at + 1] ?? 0) + (rgba[at + 2] ?? 0)) / 3, 0) /
        inked.length
      );
    };
    for (const state of TRAY_STATES) {
      expect(brightness(tray(`${state}-Template.png`)), state).toBe(0);
      expect(brightness(tray(`${state}-light@2x.png`)), state).toBeLessThan(120);
      expect(brightness(tray(`${state}-dark@2x.png`)), state).toBeGreaterThan(160);
    }
  });
});

test('the icon of the program is there for every system', () => {
  const icns = readFileSync(join(ASSETS, 'icon.icns'));
  expect([icns.toString('latin1', 0, 4), icns.readUInt32BE(4)]).toEqual(['icns', icns.length]);
  expect(readFileSync(join(ASSETS, 'icon.ico')).readUInt16LE(4)).toBe(7);
  expect(readPng(readFileSync(join(ASSETS, 'icon.png'))).width).toBe(512);
  for (const size of [16, 24, 32, 48, 64, 128, 256, 512])
    expect(existsSync(join(ASSETS, 'icons', `${size}x${size}.png`))).toBe(true);
});
