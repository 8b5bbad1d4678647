/** Text as blocks of Notion: `renderBody(textToBody(text)) === text` for every text. */
import { type BodyNode, EMPTY_NODE, isList, renderBody } from './body.ts';

/** Documented limits of a request: see "Request limits" of the API. Lengths of text count UTF-16 units. */
export const MAX_TEXT_UNITS = 2000;
export const MAX_CHILDREN = 100;
/** Below the documented 500 KB, as the rest of the request needs room, too. */
export const MAX_REQUEST_BYTES = 400_000;
/** What one block carries at most: a unit is at most six bytes of JSON, so that a full block still fits a request. */
const MAX_BLOCK_UNITS = 60_000;
/** More than this many blocks is slow to write and to read, a request a hundred: then paragraphs are put together. */
const MANY_BLOCKS = 300;

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** Cuts a text into parts of at most `units`, never through a surrogate pair. */
export function chunksOf(text: string, units: number): string[] {
  const chunks: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + units, text.length);
    if (end < text.length && isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end))) end -= 1;
    chunks.push(text.slice(start, end));
    start = end;
  }
  return chunks;
}

function paragraphs(text: string): BodyNode[] {
  const parts = text === '' ? [''] : chunksOf(text, MAX_BLOCK_UNITS);
  return parts.map((part, index) => ({ ...EMPTY_NODE, text: part, continues: index > 0 }));
}

/** Languages a code block may have that are written in one lower-case word; others stay paragraphs. */
const LANGUAGES: ReadonlySet<string> = new Set(
  'bash c clojure css dart diff docker elixir elm erlang go graphql groovy haskell html java javascript json julia kotlin less lua makefile markdown matlab mermaid nix perl php powershell python r ruby rust sass scala scheme scss shell solidity sql swift toml typescript xml yaml'.split(
    ' ',
  ),
);

function listNode(line: string, number: number): BodyNode | null {
  const box = /^- \[([ x])\] (.*)$/s.exec(line);
  if (box) return { ...EMPTY_NODE, type: 'to_do', checked: box[1] === 'x', text: box[2] ?? '' };
  if (line.startsWith('- ')) return { ...EMPTY_NODE, type: 'bulleted_list_item', text: line.slice(2) };
  const label = `${number}. `;
  return line.startsWith(label) ? { ...EMPTY_NODE, type: 'numbered_list_item', text: line.slice(label.length) } : null;
}

function listNodes(segment: string): BodyNode[] | null {
  let number = 0;
  const nodes: BodyNode[] = [];
  for (const line of segment.split('\n')) {
    const node = listNode(line, number + 1);
    if (node === null) return null;
    number = node.type === 'numbered_list_item' ? number + 1 : 0;
    nodes.push(node);
  }
  return nodes;
}

/** A part of a text as the blocks that a person would have made of it; null when a paragraph says it best. */
function typedNodes(segment: string): BodyNode[] | null {
  if (segment.length > MAX_BLOCK_UNITS) return null;
  const heading = /^(#{1,3}) ([^\n]+)$/.exec(segment);
  if (heading) return [{ ...EMPTY_NODE, type: `heading_${heading[1]?.length}`, text: heading[2] ?? '' }];
  if (segment === '---') return [{ ...EMPTY_NODE, type: 'divider' }];
  const code = /^```([a-z]*)\n(.*)\n```$/s.exec(segment);
  if (code && (code[1] === '' || LANGUAGES.has(code[1] ?? '')) && !code[2]?.includes('```')) {
    return [{ ...EMPTY_NODE, type: 'code', language: code[1] || 'plain text', text: code[2] ?? '' }];
  }
  if (segment.split('\n').every((line) => line.startsWith('> '))) {
    return [{ ...EMPTY_NODE, type: 'quote', text: segment.slice(2).replaceAll('\n> ', '\n') }];
  }
  return listNodes(segment);
}

/** Cuts at empty lines; a fence of code stays whole although it has some. */
function segmentsOf(text: string): string[] {
  const parts = text.split('\n\n');
  const segments: string[] = [];
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] ?? '';
    const end = part.startsWith('```') ? parts.findIndex((other, at) => at >= index && other.endsWith('\n```')) : -1;
    segments.push(end > index ? parts.slice(index, end + 1).join('\n\n') : part);
    if (end > index) index = end;
  }
  return segments;
}

function plainBody(text: string): BodyNode[] {
  const parts = text.split('\n\n');
  if (parts.length <= MANY_BLOCKS) return parts.flatMap(paragraphs);
  const roomy = Math.min(MAX_BLOCK_UNITS, Math.max(MAX_TEXT_UNITS, Math.ceil(text.length / MANY_BLOCKS)));
  const groups: string[] = [];
  let group: string[] = [];
  let length = 0;
  for (const part of parts) {
    if (group.length > 0 && length + part.length > roomy) {
      groups.push(group.join('\n\n'));
      group = [];
      length = 0;
    }
    group.push(part);
    length += part.length + 2;
  }
  return [...groups, group.join('\n\n')].flatMap(paragraphs);
}

/**
 * The blocks that say exactly this text. Headings, lists, quotes, rules and code become what they are in Notion as long
 * as reading them gives the text back character by character; everything else, and all of a very long text, becomes
 * paragraphs.
 */
export function textToBody(text: string, plain = false): BodyNode[] {
  if (text === '') return [];
  if (plain) return plainBody(text);
  const nodes: BodyNode[] = [];
  for (const segment of segmentsOf(text)) {
    const typed = typedNodes(segment);
    const [first] = typed ?? [];
    const last = nodes.at(-1);
    const clash = first !== undefined && last !== undefined && isList(first) && isList(last);
    nodes.push(...(typed === null || clash ? paragraphs(segment) : typed));
  }
  return nodes.length <= MANY_BLOCKS && renderBody(nodes) === text ? nodes : plainBody(text);
}

export type RichItem = {
  readonly text: { readonly content: string };
  readonly annotations?: { readonly code: true; readonly color: 'gray' };
};

/** Text as rich text: parts of at most 2,000 units. */
export const richTextOf = (text: string): RichItem[] =>
  chunksOf(text, MAX_TEXT_UNITS).map((content) => ({ text: { content } }));

/** Marks a paragraph that goes on where the one above ended. Plain text of ours never carries annotations. */
export const CONTINUES = '⤷';
const CONTINUES_ITEM: RichItem = { text: { content: CONTINUES }, annotations: { code: true, color: 'gray' } };

/** A block as the API takes it. */
export function blockRequest(node: BodyNode): Record<string, unknown> {
  if (node.type === 'divider') return { divider: {} };
  const rich = node.continues ? [CONTINUES_ITEM, ...richTextOf(node.text)] : richTextOf(node.text);
  const more =
    node.type === 'to_do' ? { checked: node.checked } : node.type === 'code' ? { language: node.language } : {};
  return { [node.type]: { rich_text: rich, ...more } };
}

/** Cuts blocks into requests of at most 100 blocks and the allowed bytes. */
export function batchesOf(nodes: readonly BodyNode[]): Record<string, unknown>[][] {
  const batches: Record<string, unknown>[][] = [];
  let batch: Record<string, unknown>[] = [];
  let bytes = 0;
  for (const node of nodes) {
    const block = blockRequest(node);
    const size = Buffer.byteLength(JSON.stringify(block)) + 1;
    if (batch.length > 0 && (batch.length === MAX_CHILDREN || bytes + size > MAX_REQUEST_BYTES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(block);
    bytes += size;
  }
  return batch.length > 0 ? [...batches, batch] : batches;
}
