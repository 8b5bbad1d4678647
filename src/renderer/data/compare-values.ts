/** Two values of a field, compared for the eye: word by word when they are short, line by line with words when long. */
import { diffArrays, diffWordsWithSpace } from 'diff';

/** A stretch of a text; `changed` when the other side does not have it like this. */
export type Piece = { readonly text: string; readonly changed: boolean };
export type ComparedLine = { readonly number: number; readonly pieces: readonly Piece[] };
export type ComparedRow =
  | { readonly kind: 'same' | 'changed'; readonly mine: ComparedLine | null; readonly theirs: ComparedLine | null }
  /** Lines that both have, left out. */
  | { readonly kind: 'gap'; readonly lines: number };

/** Beyond this the two have little in common, and a search for it would hold up the page. */
const MAX_EDITS = 1_500;
const CONTEXT_LINES = 2;
const LONG_CHARS = 240;

/** Texts that are better read line by line, side by side. */
export const isLongText = (mine: string, theirs: string): boolean =>
  mine.includes('\n') || theirs.includes('\n') || Math.max(mine.length, theirs.length) > LONG_CHARS;

/** The pieces of both sides. Put together again they are the texts themselves. */
export function comparePieces(mine: string, theirs: string): { mine: readonly Piece[]; theirs: readonly Piece[] } {
  if (mine === theirs) return { mine: whole(mine, false), theirs: whole(theirs, false) };
  const changes = diffWordsWithSpace(mine, theirs, { maxEditLength: MAX_EDITS });
  if (changes === undefined) return { mine: whole(mine, true), theirs: whole(theirs, true) };
  const side = (left: 'added' | 'removed'): Piece[] =>
    changes.filter((one) => !one[left]).map((one) => ({ text: one.value, changed: one.added || one.removed }));
  return { mine: side('added'), theirs: side('removed') };
}

const whole = (text: string, changed: boolean): Piece[] => (text === '' ? [] : [{ text, changed }]);

/** The lines of both sides beside each other; a changed line stands beside the one that took its place. */
export function compareLines(mine: string, theirs: string): readonly ComparedRow[] {
  const [left, right] = [mine.split('\n'), theirs.split('\n')];
  const changes = diffArrays(left, right, { maxEditLength: MAX_EDITS }) ?? [
    { value: left, added: false, removed: true },
    { value: right, added: true, removed: false },
  ];
  const rows: ComparedRow[] = [];
  let [atMine, atTheirs] = [1, 1];
  let removed: readonly string[] = [];
  let added: readonly string[] = [];
  const flush = (): void => {
    for (let index = 0; index < Math.max(removed.length, added.length); index += 1) {
      rows.push(changedRow(removed[index], added[index], atMine + index, atTheirs + index));
    }
    atMine += removed.length;
    atTheirs += added.length;
    removed = [];
    added = [];
  };
  for (const change of changes) {
    if (change.removed) removed = [...removed, ...change.value];
    else if (change.added) added = [...added, ...change.value];
    else {
      flush();
      for (const text of change.value) {
        const pieces = whole(text, false);
        rows.push({ kind: 'same', mine: { number: atMine, pieces }, theirs: { number: atTheirs, pieces } });
        atMine += 1;
        atTheirs += 1;
      }
    }
  }
  flush();
  return rows;
}

function changedRow(
  mine: string | undefined,
  theirs: string | undefined,
  atMine: number,
  atTheirs: number,
): ComparedRow {
  if (mine === undefined) {
    return { kind: 'changed', mine: null, theirs: { number: atTheirs, pieces: whole(theirs ?? '', true) } };
  }
  if (theirs === undefined) {
    return { kind: 'changed', mine: { number: atMine, pieces: whole(mine, true) }, theirs: null };
  }
  const pieces = comparePieces(mine, theirs);
  return {
    kind: 'changed',
    mine: { number: atMine, pieces: pieces.mine },
    theirs: { number: atTheirs, pieces: pieces.theirs },
  };
}

/** Leaves out what both have, except for a few lines around each difference. */
export function foldSame(rows: readonly ComparedRow[]): readonly ComparedRow[] {
  const near = rows.map((row, index) =>
    row.kind === 'same'
      ? rows.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some((one) => one.kind === 'changed')
      : true,
  );
  const folded: ComparedRow[] = [];
  rows.forEach((row, index) => {
    const last = folded.at(-1);
    if (near[index] === true) folded.push(row);
    else if (last?.kind === 'gap') folded[folded.length - 1] = { kind: 'gap', lines: last.lines + 1 };
    else folded.push({ kind: 'gap', lines: 1 });
  });
  return folded;
}
