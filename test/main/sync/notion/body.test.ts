import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BodyNode, EMPTY_NODE, piecesOf, renderBody } from '../../../../src/main/sync/notion/body.ts';
import { isInterrupted, planBody } from '../../../../src/main/sync/notion/body-plan.ts';
import { batchesOf, chunksOf, textToBody } from '../../../../src/main/sync/notion/text-blocks.ts';

const RUNS = Number(process.env.NOTION_RUNS ?? 400);

/** Texts of the pieces that are dangerous here: separators, marks, pairs cut in half, right-to-left. */
const piece = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '\n',
      '\n\n',
      '\n\n\n',
      '\r\n',
      ' ',
      '\t',
      '- ',
      '- [ ] ',
      '- [x] ',
      '1. ',
      '2. ',
      '# ',
      '### ',
      '> ',
      '---',
      '```',
      '```json\n',
      '\n```',
      '⤷',
      ',',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'word',
      'Größe',
      'שלום',
      'مرحبا',
      '😀',
      '👩‍👩‍👧',
      '\ud83d',
      '\ude00',
      '\u0000',
      '\u202e',
    ),
  },
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const anyText = fc.array(piece, { maxLength: 14 }).map((parts) => parts.join(''));

let nextId = 0;
const held = (nodes: readonly BodyNode[], editedBy = 'bot'): BodyNode[] =>
  nodes.map((node) => {
    nextId += 1;
    return { ...node, id: `b${nextId}`, editedBy, children: held(node.children, editedBy) };
  });

/** Does what a plan says, one request after the other, and stops before request `until`. */
function carryOut(current: readonly BodyNode[], text: string, until = Number.POSITIVE_INFINITY): BodyNode[] {
  const plan = planBody(current, text);
  let body = [...current];
  if (plan.kind === 'nothing' || plan.kind === 'blocked' || until === 0) return body;
  if (plan.kind === 'update')
    return body.map((node) => (node.id === plan.id ? { ...plan.node, id: plan.id, editedBy: 'bot' } : node));
  const steps: (() => void)[] = [];
  let at = plan.after === null ? body.length : body.findIndex(({ id }) => id === plan.after) + 1;
  for (const node of held(plan.inserts)) {
    steps.push(() => {
      body.splice(at, 0, node);
      at += 1;
    });
  }
  for (const { id } of plan.deletes) {
    steps.push(() => {
      body = body.filter((node) => node.id !== id);
    });
  }
  for (const step of steps.slice(0, until)) step();
  return body;
}

describe('text as blocks', () => {
  test('every text comes back character by character', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(renderBody(textToBody(text))).toBe(text);
        expect(renderBody(textToBody(text, true))).toBe(text);
      }),
      { numRuns: RUNS },
    );
  });

  test('a text of 300 KB without a single empty line, and one with thousands, come back', () => {
    const solid = '😀ß'.repeat(100_000);
    const lines = Array.from({ length: 12_000 }, (_, index) => `Line ${index} of it`).join('\n\n');
    for (const text of [solid, `x${solid}`, lines, `\n\n\n${lines}\n`]) {
      const nodes = textToBody(text);
      expect(renderBody(nodes)).toBe(text);
      expect(nodes.length).toBeLessThanOrEqual(310);
    }
  });

  test('no part is above the limit and none is cut through a pair', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.integer({ min: 2, max: 9 }), (text, units) => {
        const chunks = chunksOf(text, units);
        expect(chunks.join('')).toBe(text);
        for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(units);
        if (text.isWellFormed()) expect(chunks.every((chunk) => chunk.isWellFormed())).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  test('requests keep to 100 blocks and 500 KB, whatever the characters', () => {
    for (const text of ['\u0001'.repeat(300_000), '語'.repeat(300_000), 'a\n\n'.repeat(290)]) {
      const batches = batchesOf(textToBody(text));
      for (const batch of batches) {
        expect(batch.length).toBeLessThanOrEqual(100);
        expect(Buffer.byteLength(JSON.stringify({ children: batch }))).toBeLessThan(500_000);
      }
    }
  });

  test('what markdown says becomes the blocks a person would have made', () => {
    const text =
      '# Title\n\nWords\nmore\n\n- one\n- two\n\n---\n\n1. a\n2. b\n\n- [x] done\n\n> quote\n> more\n\n```json\n{}\n\n[]\n```';
    expect(textToBody(text).map(({ type }) => type)).toEqual([
      'heading_1',
      'paragraph',
      'bulleted_list_item',
      'bulleted_list_item',
      'divider',
      'numbered_list_item',
      'numbered_list_item',
      // A list right below a list would flow into it.
      'paragraph',
      'quote',
      'code',
    ]);
  });
});

describe('what a person wrote', () => {
  const node = (type: string, text: string, more: Partial<BodyNode> = {}): BodyNode => ({
    ...EMPTY_NODE,
    type,
    text,
    ...more,
  });

  test('reads like markdown; what has no text is left out', () => {
    const body = [
      node('heading_2', 'Why'),
      node('bulleted_list_item', 'first', { children: [node('bulleted_list_item', 'inner'), node('image', '')] }),
      node('to_do', 'buy', { checked: true }),
      node('image', ''),
      node('numbered_list_item', 'one'),
      node('numbered_list_item', 'two'),
      node('callout', 'Mind\nthis'),
      node('code', 'x = 1', { language: 'python' }),
      node('table', '', {
        header: true,
        children: [node('table_row', '', { cells: ['a', 'b'] }), node('table_row', '', { cells: ['1', '2'] })],
      }),
      node('column_list', '', {
        children: [
          node('column', '', { children: [node('paragraph', 'left')] }),
          node('column', '', { children: [node('paragraph', 'right')] }),
        ],
      }),
      node('equation', 'e=mc^2'),
    ];
    expect(renderBody(body)).toBe(
      '## Why\n\n- first\n  - inner\n- [x] buy\n1. one\n2. two\n\n> Mind\n> this\n\n```python\nx = 1\n```\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\nleft\n\nright\n\n$$e=mc^2$$',
    );
  });

  test('an edit of one paragraph changes that block alone', () => {
    const body = held([node('heading_1', 'H'), node('paragraph', 'a'), node('paragraph', 'b')]);
    expect(planBody(body, '# H\n\nA!\n\nb')).toEqual({
      kind: 'update',
      id: body[1]?.id,
      node: { ...EMPTY_NODE, text: 'A!' },
    });
  });

  test('blocks without text stay where they are, and one that holds some is not removed', () => {
    const body = held([node('image', ''), node('paragraph', 'a'), node('embed', ''), node('paragraph', 'b')]);
    const after = carryOut(body, 'x\n\ny\n\nz');
    expect(renderBody(after)).toBe('x\n\ny\n\nz');
    expect(after.filter(({ type }) => type === 'image' || type === 'embed').map(({ id }) => id)).toEqual([
      body[0]?.id,
      body[2]?.id,
    ]);
    const toggle = held([node('toggle', 'see', { children: [node('image', '')] })]);
    expect(planBody(toggle, 'gone')).toEqual({ kind: 'blocked' });
    expect(planBody(toggle, '- see\n\nmore').kind).toBe('rewrite');
  });
});

/** A body as people leave it: our paragraphs, their blocks, pictures between. */
const anyBody: fc.Arbitrary<readonly BodyNode[]> = fc.array(
  fc.record({
    ...Object.fromEntries(Object.entries(EMPTY_NODE).map(([key, value]) => [key, fc.constant(value)])),
    type: fc.constantFrom(
      'paragraph',
      'paragraph',
      'heading_2',
      'bulleted_list_item',
      'numbered_list_item',
      'to_do',
      'quote',
      'code',
      'divider',
      'image',
    ),
    text: fc.constantFrom('', 'a', 'b', 'c\nd', 'word', '- x', '# y'),
  }) as fc.Arbitrary<BodyNode>,
  { maxLength: 7 },
);

/** A text that shares parts with a body: what an edit elsewhere looks like. */
const bodyAndText = anyBody.chain((body) =>
  fc.tuple(
    fc.constant(held(body)),
    fc.oneof(
      anyText,
      fc
        .array(fc.constantFrom(...piecesOf(body).map(({ text }) => text), 'new', '- new', ''), { maxLength: 6 })
        .map((parts) => parts.join('\n\n')),
      fc
        .constant(renderBody(body))
        .chain((text) =>
          fc
            .tuple(fc.nat({ max: text.length }), anyText)
            .map(([at, more]) => text.slice(0, at) + more + text.slice(at)),
        ),
    ),
  ),
);

describe('rewriting a body', () => {
  test('ends with exactly the text, every block of somebody else in its place', () => {
    fc.assert(
      fc.property(bodyAndText, ([body, text]) => {
        const after = carryOut(body, text);
        expect(renderBody(after)).toBe(text);
        const pictures = (nodes: readonly BodyNode[]) =>
          nodes.filter(({ type }) => type === 'image').map(({ id }) => id);
        expect(pictures(after)).toEqual(pictures(body));
        expect(planBody(after, text)).toEqual({ kind: 'nothing' });
      }),
      { numRuns: RUNS * 5 },
    );
  });

  test('stopped at any request it is recognised as ours, and goes on to the end without losing or doubling anything', () => {
    fc.assert(
      fc.property(bodyAndText, fc.nat({ max: 12 }), fc.nat({ max: 12 }), ([body, text], first, second) => {
        const base = renderBody(body);
        const stopped = carryOut(body, text, first);
        expect(isInterrupted(stopped, base, 'bot')).toBe(true);
        const again = carryOut(stopped, text, second);
        expect(isInterrupted(again, base, 'bot')).toBe(true);
        expect(renderBody(carryOut(again, text))).toBe(text);
      }),
      { numRuns: RUNS * 2 },
    );
  });

  test("a person's block in a half-written body is not taken for ours", () => {
    const body = [...held(textToBody('old')), ...held([{ ...EMPTY_NODE, text: 'mine' }], 'person')];
    expect(isInterrupted(body, 'old', 'bot')).toBe(false);
  });
});
