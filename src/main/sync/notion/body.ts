/**
 * The body of a page as a tree, and what text it says. A block that holds no text for us (an image, an embed, a page
 * inside) is `opaque`: it takes no part in the text, and nothing here ever removes it.
 */

export type BodyNode = {
  /** Null for a block that is not over there yet. */
  readonly id: string | null;
  /** The type of the block as the API calls it. */
  readonly type: string;
  readonly text: string;
  readonly children: readonly BodyNode[];
  /** It goes on where the block above ended, without a line between: how a paragraph above the limits is carried. */
  readonly continues: boolean;
  readonly checked: boolean;
  readonly language: string;
  /** Rows of a table, each with its cells. */
  readonly header: boolean;
  readonly cells: readonly string[];
  readonly editedBy: string | null;
};

export const EMPTY_NODE: BodyNode = {
  id: null,
  type: 'paragraph',
  text: '',
  children: [],
  continues: false,
  checked: false,
  language: '',
  header: false,
  cells: [],
  editedBy: null,
};

const LISTS: ReadonlySet<string> = new Set(['bulleted_list_item', 'numbered_list_item', 'to_do', 'toggle']);
/** Blocks that only arrange others: their children speak for them. */
const CONTAINERS: ReadonlySet<string> = new Set(['column_list', 'column', 'synced_block']);
const HEADINGS: Readonly<Record<string, string>> = {
  heading_1: '#',
  heading_2: '##',
  heading_3: '###',
  heading_4: '####',
};
const TEXTS: ReadonlySet<string> = new Set([
  ...LISTS,
  ...Object.keys(HEADINGS),
  'paragraph',
  'quote',
  'callout',
  'code',
  'divider',
  'equation',
  'table',
]);

export const isList = (node: BodyNode): boolean => LISTS.has(node.type);

/** True when the block says nothing in our text. */
export function isOpaque(node: BodyNode): boolean {
  if (CONTAINERS.has(node.type)) return node.children.every(isOpaque);
  return !TEXTS.has(node.type);
}

/** True when something in or below it must not be removed with it. */
export function holdsOpaque(node: BodyNode): boolean {
  if (node.type === 'table') return false;
  return (isOpaque(node) && !CONTAINERS.has(node.type)) || node.children.some(holdsOpaque);
}

const indent = (text: string, by: string): string => text.replaceAll('\n', `\n${by}`);
const quoted = (text: string): string => `> ${indent(text, '> ')}`;

function tableText(node: BodyNode): string {
  const lines = node.children.map((row) => `| ${row.cells.map((cell) => indent(cell, ' ')).join(' | ')} |`);
  if (!node.header || lines.length === 0) return lines.join('\n');
  const rule = `| ${(node.children[0]?.cells ?? []).map(() => '---').join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

function ownText(node: BodyNode, number: number): string {
  const heading = HEADINGS[node.type];
  if (heading !== undefined) return `${heading} ${node.text}`;
  switch (node.type) {
    case 'bulleted_list_item':
    case 'toggle':
      return `- ${indent(node.text, '  ')}`;
    case 'numbered_list_item':
      return `${number}. ${indent(node.text, '   ')}`;
    case 'to_do':
      return `- [${node.checked ? 'x' : ' '}] ${indent(node.text, '  ')}`;
    case 'quote':
    case 'callout':
      return quoted(node.text);
    case 'code':
      return `\`\`\`${node.language === 'plain text' ? '' : node.language}\n${node.text}\n\`\`\``;
    case 'divider':
      return '---';
    case 'equation':
      return `$$${node.text}$$`;
    case 'table':
      return tableText(node);
    default:
      return node.text;
  }
}

function nodeText(node: BodyNode, number: number): string {
  if (CONTAINERS.has(node.type)) return renderBody(node.children);
  const own = ownText(node, number);
  if (node.type === 'table' || node.children.every(isOpaque)) return own;
  return `${own}\n  ${indent(renderBody(node.children), '  ')}`;
}

/** One block of a body in its place: what stands between it and the one before, and what it says. */
export type BodyPiece = { readonly node: BodyNode; readonly separator: string; readonly text: string };

/** The blocks that say something, in order; joined they are the text. */
export function piecesOf(nodes: readonly BodyNode[]): BodyPiece[] {
  const pieces: BodyPiece[] = [];
  let number = 0;
  let before: BodyNode | null = null;
  for (const node of nodes) {
    if (isOpaque(node)) continue;
    number = node.type === 'numbered_list_item' ? number + 1 : 0;
    const close = before !== null && isList(before) && isList(node);
    const separator = before === null || node.continues ? '' : close ? '\n' : '\n\n';
    pieces.push({ node, separator, text: nodeText(node, number) });
    before = node;
  }
  return pieces;
}

/** The text of a body: paragraphs with an empty line between, and what a person adds as markdown says it. */
export function renderBody(nodes: readonly BodyNode[]): string {
  return piecesOf(nodes)
    .map(({ separator, text }) => separator + text)
    .join('');
}
