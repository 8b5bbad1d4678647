/**
 * Texts of pages that cannot have changed since they were read, so that comparing everything costs a listing and not a
 * request a page. The time of a page's last edit moves with every edit of its blocks, but says only the minute: a text
 * counts once it was read well after that minute was over.
 */
import type { BodyNode } from './body.ts';
import { SETTLE_MS } from './cursor.ts';

export type BodyCache = {
  readonly find: (pageId: string, editedMs: number) => readonly BodyNode[] | null;
  /** `readAtMs` by the clock of the service. */
  readonly keep: (pageId: string, editedMs: number, readAtMs: number, nodes: readonly BodyNode[]) => void;
};

type Entry = { readonly editedMs: number; readonly nodes: readonly BodyNode[]; readonly size: number };

const MOST_CHARACTERS = 8_000_000;

export function createBodyCache(mostCharacters = MOST_CHARACTERS): BodyCache {
  const entries = new Map<string, Entry>();
  let total = 0;
  const remove = (pageId: string): void => {
    total -= entries.get(pageId)?.size ?? 0;
    entries.delete(pageId);
  };
  return {
    find: (pageId, editedMs) => {
      const entry = entries.get(pageId);
      return entry?.editedMs === editedMs ? entry.nodes : null;
    },
    keep: (pageId, editedMs, readAtMs, nodes) => {
      remove(pageId);
      if (readAtMs - editedMs < SETTLE_MS) return;
      const size = nodes.reduce((sum, node) => sum + sizeOf(node), 0);
      if (size > mostCharacters) return;
      entries.set(pageId, { editedMs, nodes, size });
      total += size;
      // The ones that were kept first go first.
      for (const oldest of entries.keys()) {
        if (total <= mostCharacters) break;
        remove(oldest);
      }
    },
  };
}

/** Roughly what a block takes, its own parts included. */
function sizeOf(node: BodyNode): number {
  const own = 200 + node.text.length + node.cells.reduce((sum, cell) => sum + cell.length, 0);
  return node.children.reduce((sum, child) => sum + sizeOf(child), own);
}
