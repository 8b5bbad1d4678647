/** Globs over relative paths, with one meaning wherever a person may type one. */

/**
 * The pattern that a relative path must match as a whole, case-sensitively: `*` stands for any characters within
 * a name, `?` for one, `**` as a whole part for any number of folders (at the end: for anything below).
 * Nothing else is special, and every glob is valid. Matching takes no more than (length of the path)² steps
 * whatever the glob: a part between two wildcards is taken where it fits first and not tried again.
 */
export function globToRegExp(glob: string): RegExp {
  const parts = glob.split('/').filter((part, index, all) => part !== '**' || all[index - 1] !== '**');
  const groups = groupBy(parts, '**');
  let captures = 0;
  // (?=(x))\1 matches x without ever coming back to try it in another way.
  // The number is taken before the pattern inside is built: groups count from their opening bracket.
  const once = (pattern: () => string): string => {
    captures += 1;
    const own = captures;
    return `(?=(${pattern()}))\\${own}`;
  };
  const segment = (part: string): string => {
    const pieces = part.split(/\*+/).map(literal);
    const [first = '', ...rest] = pieces;
    const last = rest.pop();
    if (last === undefined) return first;
    return `${first}${rest.map((piece) => once(() => `[^/]*?${piece}`)).join('')}[^/]*${last}`;
  };
  const source = groups.map((group, index) => {
    const isLast = index === groups.length - 1;
    const body = (): string => group.map(segment).join('/');
    if (index === 0) return isLast ? body() : group.length === 0 ? '' : `${body()}/`;
    if (isLast) return group.length === 0 ? '[^]+' : `(?:[^/]*/)*${body()}`;
    return once(() => `(?:[^/]*/)*?${body()}/`);
  });
  return new RegExp(`^${source.join('')}$`, 'u');
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, (character) => (character === '?' ? '[^/]' : `\\${character}`));
}

function groupBy(parts: readonly string[], separator: string): string[][] {
  const groups: string[][] = [[]];
  for (const part of parts) {
    if (part === separator) groups.push([]);
    else groups.at(-1)?.push(part);
  }
  return groups;
}
