import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSnippetMaker, type Snippet } from '../../../../src/main/store/search/snippet.ts';

const snippet = (text: string, ...words: string[]): Snippet =>
  createSnippetMaker(words.map((word) => ({ text: word.replace(/\*$/, ''), prefix: word.endsWith('*') })))(text);
const marked = ({ pieces }: Snippet): string => pieces.map(({ text, hit }) => (hit ? `[${text}]` : text)).join('');

test('marks every match, whatever its case and accents', () => {
  expect(marked(snippet('Un CAFÉ, deux cafe\u0301s, trois Cafe\u0301.', 'cafe'))).toBe(
    'Un [CAFÉ], deux cafés, trois [Café].',
  );
  expect(marked(snippet('Un café, deux cafés', 'caf*'))).toBe('Un [café], deux [cafés]');
});

test('marks whole words only, and phrases as a whole', () => {
  expect(marked(snippet('cat concat cat_x category', 'cat'))).toBe('[cat] concat [cat]_x category');
  expect(marked(snippet('read only, read-only; only read', 'read only'))).toBe('[read only], [read-only]; only read');
  expect(marked(snippet('我们的知识库很大', '知识'))).toBe('我们的[知识]库很大');
});

test('shows the first window with the most different terms, and its line', () => {
  const filler = 'lorem ipsum dolor sit amet\n'.repeat(30);
  const result = snippet(`alpha\n${filler}beta and alpha\n${filler}alpha beta`, 'alpha', 'beta');
  expect(result.line).toBe(32);
  expect(marked(result)).toMatch(/^….*\[beta\] and \[alpha\].*…$/);
  expect(snippet(`x\n${filler}alpha ${filler}alpha`, 'alpha').line).toBe(32);
});

test('shows the beginning when the text holds no match', () => {
  expect(snippet('nothing here', 'else')).toEqual({ pieces: [{ text: 'nothing here', hit: false }], line: null });
  expect(snippet('', 'else')).toEqual({ pieces: [], line: null });
});

test('is one line that nothing in the text can break', () => {
  expect(marked(snippet('a\r\n\tb \u001b[31mred\u202e \0 c', 'b'))).toBe('a [b] \\e[31mred\\u202e \\u0000 c');
});

test('is short whatever the text, and its pieces never show half a character', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 2_000 }),
    fc
      .array(fc.constantFrom('word', ' ', '\n', '😀', 'x'.repeat(500), 'Wörd', '\u0301'), { maxLength: 200 })
      .map((p) => p.join('')),
  );
  fc.assert(
    fc.property(text, (value) => {
      const { pieces } = snippet(value, 'word', 'x*');
      const shown = pieces.map((piece) => piece.text).join('');
      expect(shown.isWellFormed()).toBe(true);
      expect(shown).not.toMatch(/[\n\r]/);
      // Escapes take up to six characters for one.
      expect(shown.length).toBeLessThan(6 * 800);
    }),
    { numRuns: 1_000 },
  );
});

test('a line of a hundred thousand characters, and four megabytes of one word, are quick', () => {
  const started = performance.now();
  expect(marked(snippet(`${'y'.repeat(100_000)} needle ${'z'.repeat(100_000)}`, 'needle'))).toContain('[needle]');
  expect(snippet('word '.repeat(800_000), 'word', 'wor*').line).toBe(1);
  expect(snippet('wordy'.repeat(800_000), 'word').line).toBe(null);
  expect(performance.now() - started).toBeLessThan(2_000);
});
