/** One folder of a backup as a git tree and its node, spread over parts when it is large. */
import { hash } from 'node:crypto';
import { base32, nameToken, type RepositoryKeys } from './crypto.ts';
import { type FolderNode, type NodeEntry, nodeFile, toJson } from './format.ts';
import type { TreeEntry } from './git-repository.ts';
import type { ObjectWriter } from './object-writer.ts';

/** An entry and the object in git that it stands for; links have none. */
export type FolderItem = { readonly entry: NodeEntry; readonly oid: Buffer | null };

/** More entries than this are spread over up to 32 parts: a change rewrites one of them. */
export const FAN_FROM = 512;

/** Writes a folder; equal folders give equal objects, in whatever order their entries come. */
export function writeFolder(
  out: ObjectWriter,
  keys: RepositoryKeys | null,
  items: readonly FolderItem[],
): { readonly tree: Buffer; readonly node: Buffer } {
  const named = items
    .map((item) => ({ ...item, name: entryName(keys, item.entry.n) }))
    .sort((a, b) => (a.entry.n < b.entry.n ? -1 : 1));
  return writePart(out, keys, named, 0);
}

type Named = FolderItem & { readonly name: string };

function writePart(
  out: ObjectWriter,
  keys: RepositoryKeys | null,
  items: readonly Named[],
  depth: number,
): { readonly tree: Buffer; readonly node: Buffer } {
  if (keys === null || items.length <= FAN_FROM || depth >= 20) {
    const tree = items.flatMap(({ entry, oid, name }): TreeEntry[] =>
      oid === null ? [] : [{ mode: isTree(entry) ? '40000' : '100644', name, oid }],
    );
    return writeNode(out, keys, { entries: items.map(({ entry }) => entry) }, tree);
  }
  const parts = new Map<string, Named[]>();
  for (const item of items) {
    const prefix = item.name.slice(depth, depth + 1);
    const part = parts.get(prefix);
    if (part === undefined) parts.set(prefix, [item]);
    else part.push(item);
  }
  const written = [...parts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([prefix, part]) => ({ prefix, ...writePart(out, keys, part, depth + 1) }));
  return writeNode(
    out,
    keys,
    { fan: written.map(({ prefix, node }) => ({ p: prefix, h: node.toString('hex') })) },
    written.map(({ prefix, tree }) => ({ mode: '40000', name: prefix, oid: tree })),
  );
}

function writeNode(
  out: ObjectWriter,
  keys: RepositoryKeys | null,
  node: FolderNode,
  tree: readonly TreeEntry[],
): { readonly tree: Buffer; readonly node: Buffer } {
  const { oid, sha256 } = out.putData('node', toJson(node));
  const name = nodeFile(keys !== null);
  return { tree: out.putTree([...tree, { mode: '100644', name, oid }]), node: sha256 };
}

function isTree(entry: NodeEntry): boolean {
  return entry.k === 'd' || (entry.k === 'f' && entry.c !== undefined);
}

/** The name of an entry in the git tree. */
export function entryName(keys: RepositoryKeys | null, name: string): string {
  if (keys !== null) return nameToken(keys, name);
  return isPlainName(name) ? name : `~${base32(hash('sha256', name, 'buffer').subarray(0, 16))}`;
}

/** Whether git and every file system take the name as it is: `git fsck` refuses whatever could become `.git` somewhere. */
function isPlainName(name: string): boolean {
  return (
    /^\.?[\p{L}\p{N}_][\p{L}\p{N} ._+@()&,'=#-]*$/u.test(name) &&
    !/^\.(git|angles)|[. ]$/i.test(name) &&
    Buffer.byteLength(name) <= 200
  );
}
