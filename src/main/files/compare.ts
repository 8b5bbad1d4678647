import { structuredPatch } from 'diff';
import { isText } from './text.ts';

export type DiffLine = {
  readonly kind: 'same' | 'added' | 'removed';
  readonly text: string;
  readonly before: number | null;
  readonly after: number | null;
};
export type Comparison = {
  /** False for binary content, or when a comparison would take too long: then only sizes and hashes tell. */
  readonly comparable: boolean;
  readonly hunks: { readonly lines: DiffLine[] }[];
  readonly added: number;
  readonly removed: number;
};

const CONTEXT_LINES = 3;
/** Two files without a common line take quadratic time; nobody waits longer than this for a picture. */
const TIMEOUT_MS = 2_000;
const MAX_BYTES = 8 * 1_048_576;

/** Compares two contents line by line. */
export function compareContents(from: Buffer, to: Buffer): Comparison {
  const none: Comparison = { comparable: false, hunks: [], added: 0, removed: 0 };
  if (from.length > MAX_BYTES || to.length > MAX_BYTES || !isText(from) || !isText(to)) return none;
  const patch = structuredPatch('', '', from.toString('utf8'), to.toString('utf8'), '', '', {
    context: CONTEXT_LINES,
    timeout: TIMEOUT_MS,
  });
  if (patch === undefined) return none;
  let added = 0;
  let removed = 0;
  const hunks = patch.hunks.map((hunk) => {
    let before = hunk.oldStart;
    let after = hunk.newStart;
    const lines: DiffLine[] = [];
    for (const line of hunk.lines) {
      const text = line.slice(1);
      if (line.startsWith('+')) {
        lines.push({ kind: 'added', text, before: null, after });
        after += 1;
        added += 1;
      } else if (line.startsWith('-')) {
        lines.push({ kind: 'removed', text, before, after: null });
        before += 1;
        removed += 1;
      } else if (line.startsWith(' ')) {
        lines.push({ kind: 'same', text, before, after });
        before += 1;
        after += 1;
      }
    }
    return { lines };
  });
  return { comparable: true, hunks, added, removed };
}
