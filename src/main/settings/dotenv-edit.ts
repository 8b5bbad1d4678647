/**
 * The text of `.env` with a name set to a value, or without it (null). `aliases` go with the name: they would say
 * something else. Every other line stays as it is. What {@link parseDotenv} reads of the result is the value itself,
 * which must be one line.
 */
export function setInDotenv(text: string, name: string, value: string | null, aliases: readonly string[] = []): string {
  const names = [name, ...aliases];
  const lines = text === '' ? [] : text.split(/(?<=\r\n|\n|\r(?!\n))/);
  const at = lines.findIndex((line) => names.includes(nameOf(line)));
  const kept = lines.filter((line) => !names.includes(nameOf(line)));
  if (value === null) return kept.join('');
  const end = /\r\n|\n|\r/.exec(text)?.[0] ?? '\n';
  const line = `${name}=${quote(value)}${end}`;
  const before = (at === -1 ? kept : kept.slice(0, at)).join('');
  const after = at === -1 ? '' : kept.slice(at).join('');
  const gap = before === '' || /[\r\n]$/.test(before) ? '' : end;
  return `${before}${gap}${line}${after}`;
}

/** The name that a line sets; empty for a comment and anything else. */
function nameOf(line: string): string {
  return /^\uFEFF?\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=/.exec(line)?.[1] ?? '';
}

function quote(value: string): string {
  if (/^[A-Za-z0-9_@%+=:,./~-]+$/.test(value)) return value;
  if (!value.includes("'")) return `'${value}'`;
  return `"${value.replace(/["\\]/g, (letter) => `\\${letter}`)}"`;
}
