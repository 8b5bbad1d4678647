/** Which objects a remote lacks, and those as one pack: entries are copied as they lie here. */
import { createHash } from 'node:crypto';
import type { GitObjects } from './git-objects.ts';
import { parseCommit, parseTree } from './git-repository.ts';
import { compress, entryHeader, packHeader } from './pack-format.ts';

/** Commits after `have` (null: all) up to `tip`, oldest first; null when `have` is not before `tip`. */
export function commitsAfter(objects: GitObjects, have: string | null, tip: string): readonly string[] | null {
  const commits: string[] = [];
  for (let at: string | null = tip; at !== have; ) {
    if (at === null) return null;
    commits.push(at);
    const { parents }: { readonly parents: readonly string[] } = parseCommit(objects.read(at, 'commit'));
    at = parents[0] ?? null;
  }
  return commits.reverse();
}

/** Objects that these commits need and the one before the first does not: the trees are compared from the top. */
export function objectsOf(objects: GitObjects, commits: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const compare = (tree: string, before: string | null): void => {
    if (tree === before || found.has(tree)) return;
    found.add(tree);
    const old = before === null ? null : parseTree(objects.read(before, 'tree'));
    for (const [name, entry] of parseTree(objects.read(tree, 'tree'))) {
      const earlier = old?.get(name);
      if (earlier?.oid === entry.oid) continue;
      if (entry.isFolder) compare(entry.oid, earlier?.isFolder === true ? earlier.oid : null);
      else found.add(entry.oid);
    }
  };
  for (const oid of commits) {
    const commit = parseCommit(objects.read(oid, 'commit'));
    const parent = commit.parents[0];
    compare(commit.tree, parent === undefined ? null : parseCommit(objects.read(parent, 'commit')).tree);
    found.add(oid);
  }
  return [...found]
    .map((oid) => ({ oid, ...objects.place(oid) }))
    .sort((a, b) => a.pack - b.pack || a.offset - b.offset)
    .map(({ oid }) => oid);
}

const PIECE_BYTES = 262_144;

/** The pack in pieces of about 256 KiB; `onSent` hears how much went out so far. */
export async function* packOf(
  objects: GitObjects,
  oids: readonly string[],
  onSent: (objectsSent: number, bytesSent: number) => void,
): AsyncGenerator<Buffer> {
  const digest = createHash('sha1');
  let pending: Buffer[] = [packHeader(oids.length)];
  let pendingBytes = 12;
  let sent = 0;
  const take = (): Buffer => {
    const piece = Buffer.concat(pending);
    digest.update(piece);
    pending = [];
    pendingBytes = 0;
    sent += piece.length;
    return piece;
  };
  for (const [number, oid] of oids.entries()) {
    const entry = objects.raw(oid)?.entry ?? encode(objects, oid);
    pending.push(entry);
    pendingBytes += entry.length;
    if (pendingBytes >= PIECE_BYTES) {
      yield take();
      onSent(number + 1, sent);
    }
  }
  yield take();
  onSent(oids.length, sent);
  yield digest.digest();
}

/** For an object that is a delta here, or loose. */
function encode(objects: GitObjects, oid: string): Buffer {
  const object = objects.find(oid);
  if (object === undefined) throw new Error(`object ${oid} was there and is gone`);
  return Buffer.concat([entryHeader(object.type, object.data.length), compress(object.data)]);
}
