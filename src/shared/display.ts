/** Text for people: names and messages that cannot forge a line, colour a terminal or turn the reading direction. */

// C0 and C1 controls, line separators, bidirectional controls, zero-width characters, byte order mark.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters to escape
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\uf780-\uf7ff]/g;

/**
 * A path as a person may see it: control, bidirectional and zero-width characters become visible escapes;
 * a byte that was not valid UTF-8 shows as `\xNN`. The result is for showing, not for opening files.
 */
export function displayPath(path: string): string {
  return path.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    if (code >= 0xf780) return `\\x${(code - 0xf700).toString(16)}`;
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    if (character === '\r') return '\\r';
    if (code === 0x1b) return '\\e';
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Free text for a terminal: like {@link displayPath}, but line breaks and tabs stay. */
export function displayText(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : displayPath(character),
  );
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'] as const;
  let value = bytes;
  let unit = -1;
  do {
    value /= 1_000;
    unit += 1;
  } while (value >= 999.5 && unit < units.length - 1);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A duration in the coarsest useful words: `4 s`, `about 3 min`, `2 h 10 min`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} d`;
}
