export type DotenvProblem = { readonly line: number; readonly reason: string };
export type Dotenv = {
  readonly values: ReadonlyMap<string, string>;
  /** Lines that were left out, by number (from 1) and never by content, which may be a secret. */
  readonly problems: readonly DotenvProblem[];
};

const ASSIGNMENT = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * Reads `.env` text: `NAME=value`, an optional `export`, comments, single quotes (literal) and double quotes
 * (with \n, \r, \t, \", \\, \$). A `#` after a space starts a comment in an unquoted value. No value spans lines and
 * nothing is interpolated. The last of two equal names wins, as in a shell, and is a problem worth telling.
 */
export function parseDotenv(text: string): Dotenv {
  const values = new Map<string, string>();
  const problems: DotenvProblem[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  lines.forEach((raw, index) => {
    const line = index + 1;
    const trimmed = raw.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return;
    const [, name, rest] = ASSIGNMENT.exec(trimmed) ?? [];
    if (name === undefined || rest === undefined) {
      problems.push({ line, reason: 'it is not of the form NAME=value' });
      return;
    }
    const value = readValue(rest);
    if ('reason' in value) {
      problems.push({ line, reason: value.reason });
      return;
    }
    if (values.has(name)) problems.push({ line, reason: 'its name was set on an earlier line already; this one wins' });
    values.set(name, value.text);
  });
  return { values, problems };
}

function readValue(rest: string): { text: string } | { reason: string } {
  if (rest.includes('\0')) return { reason: 'it holds a NUL character' };
  const quote = rest[0];
  if (quote !== '"' && quote !== "'") return { text: rest.replace(/(?:^|\s+)#.*$/, '').trim() };
  const body = quote === '"' ? /^"((?:[^"\\]|\\.)*)"/.exec(rest) : /^'([^']*)'/.exec(rest);
  if (body === null) return { reason: 'its quote is not closed' };
  if (!/^\s*(?:#.*)?$/.test(rest.slice(body[0].length))) return { reason: 'there is text after the closing quote' };
  const inner = body[1] ?? '';
  return { text: quote === '"' ? inner.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter) : inner };
}
