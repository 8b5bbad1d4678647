/**
 * Text as the index sees it (the tokenizer `unicode61 remove_diacritics 2` of SQLite's FTS5), for finding again in
 * the original what the index matched. The two may differ on letters newer than SQLite's tables: then a hit is
 * shown without a mark, never the other way round.
 */

/** Inside a character class: what a word is made of. */
export const WORD = '\\p{L}\\p{N}\\p{Co}';

/** Scripts without spaces between words: the index takes each character for a word of its own. */
const UNSPACED = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}';
const UNSPACED_ONE = new RegExp(`[${UNSPACED}]`, 'u');
const UNSPACED_EACH = new RegExp(`[${UNSPACED}]`, 'gu');

export type FoldedText = {
  readonly text: string;
  /** The index in the original of an index in the folded text. */
  readonly at: (index: number) => number;
};

/** Lower case, without accents. */
export function foldText(original: string): FoldedText {
  if (!NOT_ASCII.test(original)) return { text: original.toLowerCase(), at: (index) => index };
  const text = original.replace(NOT_ASCII_RUNS, foldRun).toLowerCase();
  // Positions would not fit: better no mark than a wrong one. No known letter gets here.
  if (text.length !== original.length) return { text: original, at: (index) => index };
  return MARK.test(text) ? withoutMarks(text) : { text, at: (index) => index };
}

const NOT_ASCII = /[^\0-\x7f]/;
const NOT_ASCII_RUNS = /[^\0-\x7f]+/g;
const MARK = /\p{M}/u;
const MARKS = /\p{M}+/gu;

const folded = new Map<string, string>();
const MOST_REMEMBERED = 20_000;
function foldRun(run: string): string {
  let result = '';
  for (const character of run) {
    let fold = folded.get(character);
    if (fold === undefined) {
      fold = foldCharacter(character);
      if (folded.size >= MOST_REMEMBERED) folded.clear();
      folded.set(character, fold);
    }
    result += fold;
  }
  return result;
}

/** The folded character when it takes as much room as the original, else the original. */
function foldCharacter(character: string): string {
  const base = character.normalize('NFD').replace(MARKS, '').toLowerCase();
  // SQLite takes accents from Latin letters only; Cyrillic й, say, is a letter of its own.
  if (/^[a-z]$/.test(base)) return base;
  if (character === 'ς') return 'σ';
  if (character === 'ſ') return 's';
  const lower = character.toLowerCase();
  return lower.length === character.length ? lower : character;
}

/** Leaves the marks out, remembering where each kept character was. */
function withoutMarks(text: string): FoldedText {
  const kept: string[] = [];
  // Pairs: from this index of the result on, this many characters were left out before.
  const starts: number[] = [];
  const removed: number[] = [];
  let from = 0;
  let length = 0;
  for (const mark of text.matchAll(MARKS)) {
    kept.push(text.slice(from, mark.index));
    length += mark.index - from;
    from = mark.index + mark[0].length;
    starts.push(length);
    removed.push(from - length);
  }
  kept.push(text.slice(from));
  return { text: kept.join(''), at: (index) => index + (removed[lastAtOrBelow(starts, index)] ?? 0) };
}

function lastAtOrBelow(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function isUnspaced(text: string): boolean {
  return UNSPACED_ONE.test(text);
}

/**
 * The form in which text enters the index and queries ask for it: letters composed, however they were written, and
 * spaces around the characters of scripts that write none, so that any part of a sentence can be found.
 */
export function toIndexed(text: string): string {
  if (!NOT_ASCII.test(text)) return text;
  const composed = text.normalize('NFC');
  return UNSPACED_ONE.test(composed) ? composed.replace(UNSPACED_EACH, ' $& ') : composed;
}
