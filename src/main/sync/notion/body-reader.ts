/** Reads the blocks of a page as a body. */
import { z } from 'zod';
import { type BodyNode, EMPTY_NODE } from './body.ts';
import type { NotionApi } from './notion-api.ts';
import { CONTINUES } from './text-blocks.ts';
import { blockListShape, type NotionBlock, type RichText, richText } from './wire.ts';

/** Pages and databases inside of a page are not part of its text; the rest has no children that we read. */
const CLOSED: ReadonlySet<string> = new Set(['child_page', 'child_database', 'unsupported', 'link_to_page']);

/** What a rich text says: its characters, and where a link leads when the words do not say it. */
function textOf(rich: RichText): string {
  return rich
    .map((item) => {
      if (item.type === 'equation') return `$${item.equation?.expression ?? item.plain_text}$`;
      const told =
        !item.href || item.type !== 'text' || item.href === item.plain_text || item.href === `${item.plain_text}/`;
      return told ? item.plain_text : `[${item.plain_text}](${item.href})`;
    })
    .join('');
}

const payloadShape = z.looseObject({
  rich_text: richText.optional(),
  checked: z.boolean().optional(),
  language: z.string().optional(),
  has_column_header: z.boolean().optional(),
  cells: z.array(richText).optional(),
  expression: z.string().optional(),
});

export function nodeOf(block: NotionBlock, children: readonly BodyNode[]): BodyNode {
  const { data } = payloadShape.safeParse(block[block.type] ?? {});
  const rich = data?.rich_text ?? [];
  const [first] = rich;
  const continues =
    first?.plain_text === CONTINUES && first.annotations?.code === true && first.annotations.color === 'gray';
  return {
    ...EMPTY_NODE,
    id: block.id,
    type: block.type,
    text: block.type === 'equation' ? (data?.expression ?? '') : textOf(continues ? rich.slice(1) : rich),
    children,
    continues: continues && block.type === 'paragraph',
    checked: data?.checked ?? false,
    language: data?.language ?? '',
    header: data?.has_column_header ?? false,
    cells: data?.cells?.map(textOf) ?? [],
    editedBy: block.last_edited_by?.id ?? null,
  };
}

/** All blocks below a page or block, in order. */
export async function readBody(api: NotionApi, parentId: string, signal: AbortSignal): Promise<BodyNode[]> {
  const blocks: NotionBlock[] = [];
  let cursor: string | null = null;
  do {
    const from: string | null = cursor;
    const page: z.infer<typeof blockListShape> = await api.call(
      'reading the text of a page',
      blockListShape,
      (client) =>
        client.blocks.children.list({
          block_id: parentId,
          page_size: 100,
          ...(from === null ? {} : { start_cursor: from }),
        }),
      signal,
    );
    blocks.push(...page.results.filter((block) => block.in_trash !== true));
    cursor = page.has_more ? page.next_cursor : null;
  } while (cursor !== null);
  return Promise.all(
    blocks.map(async (block) =>
      nodeOf(block, block.has_children && !CLOSED.has(block.type) ? await readBody(api, block.id, signal) : []),
    ),
  );
}
