/**
 * `node scripts/icons.mjs`: makes every icon in `assets` from the drawings in `assets/source`. Chromium draws them; the
 * containers of Windows and macOS hold the same PNGs. The results are checked in.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchChromium } from '../test/support/chromium.ts';

const assets = join(import.meta.dirname, '..', 'assets');
const source = join(assets, 'source');

/** Colours of a badge on a light bar, and what they become on a dark one. */
const ON_DARK = { '#1c5fa8': '#8ec2ff', '#0f6b68': '#68c7bd', '#a86200': '#f5b942', '#b3261e': '#ff8a80' };
const INK = { light: '#26241f', dark: '#f4f2ee' };

/** Scales of one picture by the suffix that Electron looks for. */
const TRAY = {
  linux: { base: 24, scales: { '': 1, '@2x': 2 } },
  mac: { base: 16, scales: { '': 1, '@2x': 2, '@3x': 3 } },
};
const ICO_TRAY = [16, 20, 24, 32, 48, 64];
const ICO_APP = [16, 24, 32, 48, 64, 128, 256];
const LINUX_APP = [16, 24, 32, 48, 64, 128, 256, 512];
/** Types of the entries of an .icns file, by size in pixels (16 to 512 points at both scales). */
const ICNS = {
  ic04: 16,
  ic11: 32,
  ic05: 32,
  ic12: 64,
  ic07: 128,
  ic13: 256,
  ic08: 256,
  ic14: 512,
  ic09: 512,
  ic10: 1024,
};

const browser = await launchChromium();
const page = await browser.newPage();
try {
  for (const name of readdirSync(assets).filter((one) => one !== 'source'))
    rmSync(join(assets, name), { recursive: true });
  mkdirSync(join(assets, 'tray'), { recursive: true });
  mkdirSync(join(assets, 'icons'), { recursive: true });
  await drawApp();
  for (const file of readdirSync(source).filter((one) => one.startsWith('tray-'))) await drawTray(file);
} finally {
  await browser.close();
}

async function drawApp() {
  const svg = readFileSync(join(source, 'app.svg'), 'utf8');
  for (const size of LINUX_APP) writeFileSync(join(assets, 'icons', `${size}x${size}.png`), await draw(svg, size));
  writeFileSync(join(assets, 'icon.png'), await draw(svg, 512));
  writeFileSync(join(assets, 'icon.ico'), await ico(svg, ICO_APP));
  // macOS leaves a tenth of room around the shape of an icon.
  const roomy = svg.replace('viewBox="0 0 32 32"', 'viewBox="-3.9 -3.9 39.8 39.8"');
  writeFileSync(join(assets, 'icon.icns'), await icns(roomy));
}

async function drawTray(file) {
  const svg = readFileSync(join(source, file), 'utf8');
  const state = file.slice('tray-'.length, -'.svg'.length);
  const path = (kind, suffix) => join(assets, 'tray', `${state}-${kind}${suffix}`);
  for (const bar of ['light', 'dark']) {
    const coloured = forBar(svg, bar);
    for (const [suffix, scale] of Object.entries(TRAY.linux.scales))
      writeFileSync(path(bar, `${suffix}.png`), await draw(coloured, TRAY.linux.base * scale));
    writeFileSync(path(bar, '.ico'), await ico(coloured, ICO_TRAY));
  }
  const template = asTemplate(svg);
  for (const [suffix, scale] of Object.entries(TRAY.mac.scales))
    writeFileSync(path('Template', `${suffix}.png`), await draw(template, TRAY.mac.base * scale));
}

function forBar(svg, bar) {
  const inked = svg.replaceAll('currentColor', INK[bar]);
  if (bar === 'light') return inked;
  // What is white inside a badge must stand out of the brighter badge.
  const bright = Object.entries(ON_DARK).reduce((text, [from, to]) => text.replaceAll(from, to), inked);
  return bright.replaceAll('stroke="#fff"', 'stroke="#201e1a"');
}

/** Only its shape counts on macOS: everything is black, and what is white inside a badge is cut out of it. */
function asTemplate(svg) {
  const black = svg
    .replaceAll('currentColor', '#000')
    .replaceAll(/(fill|stroke)="#(?!000|fff)[0-9a-f]{6}"/g, '$1="#000"');
  const cut = /<path [^>]*stroke="#fff"[^>]*\/>/.exec(black)?.[0];
  if (cut === undefined) return black;
  const mask = `<mask id="cut" maskUnits="userSpaceOnUse" x="0" y="0" width="16" height="16"><rect width="16" height="16" fill="#fff"/>${cut.replace('#fff', '#000')}</mask>`;
  return black
    .replace(cut, '')
    .replace(/<path ([^>]*fill="#000"[^>]*)\/>(?![\s\S]*<path)/, `${mask}<path mask="url(#cut)" $1/>`);
}

async function draw(svg, size) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(`<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`);
  return page.screenshot({ omitBackground: true, clip: { x: 0, y: 0, width: size, height: size } });
}

/** A Windows icon of PNGs: a header, a directory of 16 bytes each, the pictures. */
async function ico(svg, sizes) {
  const pictures = [];
  for (const size of sizes) pictures.push(await draw(svg, size));
  const header = Buffer.alloc(6 + 16 * sizes.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(sizes.length, 4);
  let offset = header.length;
  for (const [index, picture] of pictures.entries()) {
    const at = 6 + 16 * index;
    // 0 stands for 256.
    header.writeUInt8(sizes[index] % 256, at);
    header.writeUInt8(sizes[index] % 256, at + 1);
    header.writeUInt16LE(1, at + 4);
    header.writeUInt16LE(32, at + 6);
    header.writeUInt32LE(picture.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += picture.length;
  }
  return Buffer.concat([header, ...pictures]);
}

/** A macOS icon of PNGs: `icns`, the length of all, then for each its type, its length and itself. */
async function icns(svg) {
  const entries = [];
  for (const [type, size] of Object.entries(ICNS)) entries.push(chunk(type, await draw(svg, size)));
  return chunk('icns', Buffer.concat(entries));
}

function chunk(type, content) {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32BE(content.length + 8, 4);
  return Buffer.concat([head, content]);
}
