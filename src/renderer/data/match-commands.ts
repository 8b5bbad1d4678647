/** The commands whose label has every word of the query at the start of one of its words; all for an empty query. */
export function matchCommands<T extends { readonly label: string }>(
  commands: readonly T[],
  query: string,
): readonly T[] {
  const wanted = wordsOf(query);
  return commands.filter(({ label }) => {
    const words = wordsOf(label);
    return wanted.every((part) => words.some((word) => word.startsWith(part)));
  });
}

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
