import { stripVTControlCharacters } from 'node:util';

export type Column = {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Which end of a text that does not fit is kept; a column without it is never cut. */
  readonly cut?: 'start' | 'end';
};

const GAP = 2;
const LEAST = 12;

/**
 * Lays rows out in columns. On a terminal of `columns` characters the columns that may be cut share what is left;
 * with `columns` null (a pipe, a file) nothing is ever cut.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | null,
): string[] {
  const all = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, index) => Math.max(0, ...all.map((row) => textWidth(row[index] ?? ''))));
  if (width !== null) shrink(columns, widths, width);
  return all.map((row) => {
    const cells = columns.map((column, index) => {
      const cell = cutText(row[index] ?? '', widths[index] ?? 0, column.cut);
      const space = ' '.repeat(Math.max(0, (widths[index] ?? 0) - textWidth(cell)));
      return column.align === 'right' ? space + cell : cell + space;
    });
    return cells.join(' '.repeat(GAP)).trimEnd();
  });
}

function shrink(columns: readonly Column[], widths: number[], width: number): void {
  let over = widths.reduce((sum, one) => sum + one, 0) + GAP * (columns.length - 1) - width;
  while (over > 0) {
    let widest = -1;
    columns.forEach((column, index) => {
      const own = widths[index] ?? 0;
      if (column.cut !== undefined && own > LEAST && own > (widths[widest] ?? 0)) widest = index;
    });
    if (widest === -1) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over -= 1;
  }
}

function cutText(text: string, width: number, cut: Column['cut']): string {
  if (cut === undefined || textWidth(text) <= width) return text;
  const characters = [...stripVTControlCharacters(text)];
  while (characters.length > 0 && textWidth(characters.join('')) > width - 1) {
    if (cut === 'start') characters.pop();
    else characters.shift();
  }
  return cut === 'start' ? `${characters.join('')}…` : `…${characters.join('')}`;
}

const ZERO_WIDTH = /\p{Mark}/u;
/** East Asian wide characters and emoji take two places (UAX #11, the ranges in use). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** The places a text takes on a terminal; colour codes take none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    if (!ZERO_WIDTH.test(character)) width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}
