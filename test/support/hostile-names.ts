/** File names that programs choke on, as the bytes that the system stores. */

export type HostileName = { readonly label: string; readonly bytes: Buffer };

const text = (label: string, name: string): HostileName => ({ label, bytes: Buffer.from(name, 'utf8') });
const raw = (label: string, ...bytes: readonly (number | string)[]): HostileName => ({
  label,
  bytes: Buffer.concat(bytes.map((each) => (typeof each === 'string' ? Buffer.from(each) : Buffer.from([each])))),
});

export const HOSTILE_NAMES: readonly HostileName[] = [
  text('newline', 'two\nlines.md'),
  text('tab', 'a\tb.md'),
  text('carriage return', 'over\rwritten.md'),
  text('colour', '\u001b[31mred\u001b[0m.md'),
  text('terminal title', '\u001b]0;title\u0007.md'),
  text('control of the second range', 'next\u0085line\u009bcsi.md'),
  text('delete', 'a\u007f.md'),
  text('right to left', 'invoice\u202efdp.md'),
  text('isolates', '\u2067abc\u2069.md'),
  text('zero width', 'a\u200bb\u200d.md'),
  text('byte order mark', '\ufeffbom.md'),
  text('line separator', 'a\u2028b\u2029.md'),
  text('emoji', '👩‍👩‍👧‍👦 🎉.md'),
  text('option', '-rf'),
  text('long option', '--upload-pack=x'),
  text('shell', '$(x)'),
  text('backticks', '`x`;|&<>!*?[a]{b}~#'),
  text('quotes', '\'"\'"'),
  text('device', 'CON'),
  text('device with extension', 'nul.txt'),
  text('colon', 'C:'),
  text('trailing dot', 'dot.'),
  text('trailing space', 'space '),
  text('leading space', ' space'),
  text('only spaces', '   '),
  text('backslash', 'a\\b\\..\\c.md'),
  text('only a backslash', '\\'),
  text('three dots', '...'),
  text('two dots and more', '..hidden'),
  text('proto', '__proto__'),
  text('constructor', 'constructor'),
  text('toString', 'toString'),
  text('percent', '%00%2f%2e%2e'),
  text('NFC', 'caf\u00e9.md'),
  text('NFD', 'cafe\u0301.md'),
  text('case, upper', 'CASE.md'),
  text('case, lower', 'case.md'),
  text('turkish', 'ıİ.md'),
  text('255 bytes', 'x'.repeat(255)),
  text('255 bytes of emoji', `${'🎉'.repeat(63)}abc`),
  text('private characters', 'p\uf780\uf7ff.md'),
  text('other private characters', 'p\uf700\ue000.md'),
  text('replacement character', 'lost\ufffd.md'),
  text('noncharacter', 'a\uffff\ufdd0.md'),
  raw('Latin-1', 'caf', 0xe9, '.md'),
  raw('lone continuation', 0x80, 0xbf, '.md'),
  raw('cut sequence', 'a', 0xe2, 0x82),
  raw('overlong slash', 'a', 0xc0, 0xaf, 'b'),
  raw('surrogate', 'a', 0xed, 0xa0, 0x80),
  raw('all high bytes', ...Array.from({ length: 128 }, (_, index) => 0x80 + index)),
  raw('bytes beside private characters', 0xff, '\uf7ff', 0xef, 0x9f, '\ufffd'),
  raw('255 invalid bytes', ...Array.from({ length: 255 }, () => 0xff)),
];

/** What a name may not show: controls, bidirectional marks, what has no width. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters that must not show
export const UNSHOWABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** A path below a folder, in bytes. */
export function below(folder: string, ...names: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(folder), ...names.flatMap((name) => [Buffer.from('/'), name])]);
}
