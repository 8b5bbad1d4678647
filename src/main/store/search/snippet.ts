import { displayPath } from '../../../shared/display.ts';
import { type FoldedText, foldText, isUnspaced, WORD } from './fold.ts';
import type { Term } from './parse-query.ts';

export type SnippetPiece = { readonly text: string; readonly hit: boolean };
export type Snippet = {
  readonly pieces: SnippetPiece[];
  /** 1-based line of the first mark in the snippet; null when the text itself holds no match. */
  readonly line: number | null;
};

const LENGTH = 240;
const BEFORE = 60;
/** A word may begin this much earlier than the window, so that it is not cut. */
const LONGEST_CUT = 24;
/** Of a word that is everywhere, this many places are looked at. */
const MAX_PLACES = 2_000;

type Place = { readonly start: number; readonly end: number; readonly term: number };

/** Makes one matcher per term, to be used for every result of a query. */
export type SnippetMaker = (text: string) => Snippet;

/**
 * Shows a text where it matches: the first window that holds the most different terms, marked, in one line that no
 * control character can break. Case and accents do not matter. A text without a match shows its beginning.
 */
export function createSnippetMaker(terms: readonly Term[]): SnippetMaker {
  const matchers = terms.flatMap(({ text, prefix }) => compileTerm(text, prefix) ?? []);
  return (original) => {
    const text = original.normalize('NFC');
    const folded = foldText(text);
    const places = matchers.flatMap((matcher, term) => findPlaces(folded, matcher, term));
    const best = bestWindow(places.sort((a, b) => a.start - b.start));
    const [first] = best;
    if (first === undefined) return { pieces: cut(text, 0, LENGTH, []), line: null };
    const start = windowStart(text, first.start);
    return { pieces: cut(text, start, start + LENGTH, best), line: lineAt(text, first.start) };
  };
}

type Matcher = { readonly first: string; readonly pattern: RegExp };

const WORDS = new RegExp(`[${WORD}]+`, 'gu');

function compileTerm(text: string, prefix: boolean): Matcher | null {
  const words = foldText(text).text.match(WORDS);
  const [first] = words ?? [];
  if (words === null || first === undefined) return null;
  const whole = words.join(`[^${WORD}]+`);
  const before = isUnspaced(first.slice(0, 2)) ? '' : `(?<![${WORD}])`;
  const after = prefix ? `[${WORD}]*` : isUnspaced(words.at(-1)?.slice(-2) ?? '') ? '' : `(?![${WORD}])`;
  return { first, pattern: new RegExp(before + whole + after, 'uy') };
}

function findPlaces({ text, at }: FoldedText, { first, pattern }: Matcher, term: number): Place[] {
  const places: Place[] = [];
  let from = text.indexOf(first);
  while (from >= 0 && places.length < MAX_PLACES) {
    pattern.lastIndex = from;
    const match = pattern.exec(text);
    const end = match === null ? from + 1 : from + match[0].length;
    if (match !== null) places.push({ start: at(from), end: at(end), term });
    from = text.indexOf(first, end);
  }
  return places;
}

/** The places of the first window with the most different terms. */
function bestWindow(places: readonly Place[]): readonly Place[] {
  const counts = new Map<number, number>();
  let best: readonly [number, number] = [0, 0];
  let most = 0;
  let to = 0;
  for (const [from, { start, term }] of places.entries()) {
    for (let next = places[to]; next !== undefined && next.end <= start + LENGTH - BEFORE; next = places[to]) {
      counts.set(next.term, (counts.get(next.term) ?? 0) + 1);
      to += 1;
    }
    if (to <= from) to = from + 1;
    else if (counts.size > most) {
      most = counts.size;
      best = [from, to];
    }
    const left = (counts.get(term) ?? 1) - 1;
    if (left === 0) counts.delete(term);
    else counts.set(term, left);
  }
  if (most === 0) return places.slice(0, 1);
  return places.slice(...best);
}

function windowStart(text: string, firstHit: number): number {
  const wanted = firstHit - BEFORE;
  if (wanted <= 0) return 0;
  const space = text.slice(wanted, wanted + LONGEST_CUT).search(/\s/);
  return space < 0 ? wanted : wanted + space + 1;
}

function cut(text: string, start: number, end: number, places: readonly Place[]): SnippetPiece[] {
  const pieces: SnippetPiece[] = [];
  const add = (from: number, to: number, hit: boolean): void => {
    if (to > from) pieces.push({ text: showText(text.slice(from, to)), hit });
  };
  let from = start;
  for (const place of places) {
    if (place.start < from) continue;
    add(from, place.start, false);
    add(place.start, Math.min(place.end, place.start + LENGTH), true);
    from = Math.min(place.end, place.start + LENGTH);
  }
  add(from, Math.max(from, Math.min(end, text.length)), false);
  return withEllipses(pieces, start > 0, Math.max(from, end) < text.length);
}

function withEllipses(pieces: SnippetPiece[], before: boolean, after: boolean): SnippetPiece[] {
  const all = [
    ...(before ? [{ text: '…', hit: false }] : []),
    ...pieces,
    ...(after ? [{ text: '…', hit: false }] : []),
  ];
  const merged: SnippetPiece[] = [];
  for (const piece of all) {
    const last = merged.at(-1);
    if (last !== undefined && last.hit === piece.hit)
      merged[merged.length - 1] = { ...last, text: last.text + piece.text };
    else merged.push(piece);
  }
  return merged;
}

/** One line, nothing in it that a terminal or the reading direction would obey, no halves of characters. */
function showText(text: string): string {
  return displayPath(text.replace(/\s+/g, ' ').toWellFormed());
}

function lineAt(text: string, index: number): number {
  let line = 1;
  for (let next = text.indexOf('\n'); next >= 0 && next < index; next = text.indexOf('\n', next + 1)) line += 1;
  return line;
}
