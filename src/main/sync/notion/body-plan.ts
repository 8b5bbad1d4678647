/**
 * What has to be done to a body so that it says a text: as little as possible, and in an order in which nothing is ever
 * missing. New blocks are added before old ones go, so a run that dies in between leaves both, and planning again from
 * what is there then finishes it.
 */
import { type BodyNode, type BodyPiece, holdsOpaque, isList, isOpaque, piecesOf, renderBody } from './body.ts';
import { textToBody } from './text-blocks.ts';

export type BodyPlan =
  | { readonly kind: 'nothing' }
  /** One block is changed in place: one request, so all or nothing. */
  | { readonly kind: 'update'; readonly id: string; readonly node: BodyNode }
  | {
      readonly kind: 'rewrite';
      readonly inserts: readonly BodyNode[];
      /** The block after which they go; null: at the end. */
      readonly after: string | null;
      /** As they were read: one that says something else when it goes was edited meanwhile. */
      readonly deletes: readonly BodyNode[];
    }
  /** Blocks that are none of ours lie inside of what would have to go. */
  | { readonly kind: 'blocked' };

/** How many pieces at the start the text begins with, and where it goes on; only up to a place where one may cut. */
function commonStart(pieces: readonly BodyPiece[], text: string): { readonly count: number; readonly end: number } {
  let best = { count: 0, end: 0 };
  let end = 0;
  for (const [index, piece] of pieces.entries()) {
    if (!text.startsWith(piece.separator + piece.text, end)) break;
    end += piece.separator.length + piece.text.length;
    const cut =
      end === text.length || text.startsWith('\n\n', end) || (isList(piece.node) && text.startsWith('\n', end));
    if (cut) best = { count: index + 1, end };
  }
  return best;
}

/** The same from the end; `from` is where the start is taken already. */
function commonEnd(
  pieces: readonly BodyPiece[],
  text: string,
  from: number,
): { readonly count: number; readonly start: number } {
  let best = { count: 0, start: text.length };
  let start = text.length;
  for (let index = pieces.length - 1; index >= 0; index -= 1) {
    const piece = pieces[index] as BodyPiece;
    const next = pieces[index + 1];
    const tail = piece.text + (next?.separator ?? '');
    if (start - tail.length < from || !text.endsWith(tail, start)) break;
    start -= tail.length;
    const cut = start === 0 || text.endsWith('\n\n', start) || (isList(piece.node) && text.endsWith('\n', start));
    if (cut && !piece.node.continues) best = { count: pieces.length - index, start };
  }
  return best;
}

const SEPARATORS = ['\n\n', '\n'] as const;

/** What stands between, without the lines that separate it from both sides; null when it does not come apart like that. */
function* middles(between: string, before: boolean, after: boolean): Generator<string | null> {
  if (!before && !after) yield between;
  else if (before && after) {
    for (const one of SEPARATORS) if (between === one) yield null;
    for (const left of SEPARATORS)
      for (const right of SEPARATORS) {
        if (between.length >= left.length + right.length && between.startsWith(left) && between.endsWith(right)) {
          yield between.slice(left.length, between.length - right.length);
        }
      }
  } else {
    if (between === '') yield null;
    for (const one of SEPARATORS) {
      if (before && between.startsWith(one)) yield between.slice(one.length);
      if (after && between.endsWith(one)) yield between.slice(0, -one.length);
    }
  }
}

type Cut = { readonly start: number; readonly end: number; readonly inserts: readonly BodyNode[] };

/** Keeps `start` pieces at the start and `end` at the end, and finds blocks for the rest; null when there are none. */
function tryCut(
  pieces: readonly BodyPiece[],
  text: string,
  start: number,
  end: number,
  span: readonly [number, number],
): Cut | null {
  const head = pieces.slice(0, start).map(({ node }) => node);
  const tail = pieces.slice(pieces.length - end).map(({ node }) => node);
  for (const middle of middles(text.slice(...span), start > 0, end > 0)) {
    for (const plain of [false, true]) {
      // An empty text between two separators is an empty paragraph.
      const inserts =
        middle === null
          ? []
          : middle === '' && (start > 0 || end > 0)
            ? textToBody('\n\n').slice(0, 1)
            : textToBody(middle, plain);
      if (renderBody([...head, ...inserts, ...tail]) === text) return { start, end, inserts };
    }
  }
  return null;
}

function bestCut(pieces: readonly BodyPiece[], text: string): Cut {
  const head = commonStart(pieces, text);
  const rest = pieces.slice(head.count);
  const tail = commonEnd(rest, text, head.end);
  return (
    tryCut(pieces, text, head.count, tail.count, [head.end, tail.start]) ??
    tryCut(pieces, text, head.count, 0, [head.end, text.length]) ??
    tryCut(pieces, text, 0, 0, [0, text.length]) ?? { start: 0, end: 0, inserts: textToBody(text, true) }
  );
}

const SIMPLE: ReadonlySet<string> = new Set([
  'paragraph',
  'heading_1',
  'heading_2',
  'heading_3',
  'bulleted_list_item',
  'numbered_list_item',
  'quote',
]);
/** In place when one block becomes one of the same kind. A continued one keeps its mark only when it is made anew. */
const replaces = (old: BodyNode, next: BodyNode): boolean =>
  old.type === next.type && SIMPLE.has(old.type) && old.children.length === 0 && !old.continues && !next.continues;

/** After which block new ones go when nothing before them is kept. */
function anchorAtStart(current: readonly BodyNode[], deleted: readonly BodyNode[]): string | null {
  const firstText = current.findIndex((node) => !isOpaque(node));
  const leading = firstText > 0 ? current[firstText - 1] : undefined;
  return leading?.id ?? deleted[0]?.id ?? null;
}

/** Plans how `current` comes to say `text`. Blocks that say nothing in our text stay where they are. */
export function planBody(current: readonly BodyNode[], text: string): BodyPlan {
  const pieces = piecesOf(current);
  if (pieces.map(({ separator, text: own }) => separator + own).join('') === text) return { kind: 'nothing' };
  let cut = bestCut(pieces, text);
  // Nothing can be put before the first block of a page: it is written again behind the new ones.
  const first = current[0];
  const before =
    cut.start === 0 && cut.end === pieces.length && pieces.length > 0 && first !== undefined && !isOpaque(first);
  if (before)
    cut = {
      start: 0,
      end: 0,
      inserts: tryCut(pieces, text, 0, 0, [0, text.length])?.inserts ?? textToBody(text, true),
    };
  const deleted = pieces.slice(cut.start, pieces.length - cut.end).map(({ node }) => node);
  const [old] = deleted;
  const [next] = cut.inserts;
  if (deleted.length === 1 && cut.inserts.length === 1 && old?.id && next && replaces(old, next)) {
    return { kind: 'update', id: old.id, node: next };
  }
  if (deleted.some(holdsOpaque)) return { kind: 'blocked' };
  const last = cut.start > 0 ? pieces[cut.start - 1]?.node.id : undefined;
  return {
    kind: 'rewrite',
    inserts: cut.inserts,
    after: last ?? (pieces.length === 0 ? null : anchorAtStart(current, deleted)),
    deletes: deleted,
  };
}

/**
 * Whether a body that is neither the old text nor the new one is what an interrupted rewrite of ours left: every block
 * says something of the old text, or was last touched by us. A person's edit in between makes it false.
 */
export function isInterrupted(current: readonly BodyNode[], baseText: string, ownUser: string): boolean {
  return piecesOf(current).every(({ node, text }) => node.editedBy === ownUser || baseText.includes(text));
}
