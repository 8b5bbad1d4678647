/** Where JSON text is wrong, in words and with a place. `JSON.parse` decides about values; this only explains. */

export type JsonProblem = { readonly message: string; readonly line: number; readonly column: number };

const DEEPEST = 32;

class Unexpected extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

type Scanner = { readonly text: string; at: number };

/**
 * The first mistake in JSON text, or null when there is none. A key given twice and nesting deeper than
 * 32 levels count as mistakes. The message never quotes more than one character of the text, which may hold secrets.
 */
export function findJsonProblem(text: string): JsonProblem | null {
  const scanner: Scanner = { text, at: 0 };
  try {
    scanValue(scanner, 0);
    skipSpace(scanner);
    if (scanner.at < text.length) fail(scanner, `nothing more may follow, but there is ${found(scanner)}`);
    return null;
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error;
    return { message: error.message, ...positionOf(text, error.offset) };
  }
}

/** 1-based line and column (in UTF-16 units, as editors count) of an offset; CRLF, LF and CR end a line. */
export function positionOf(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

function fail(scanner: Scanner, message: string, offset = scanner.at): never {
  throw new Unexpected(message, offset);
}

function found({ text, at }: Scanner): string {
  const point = text.codePointAt(at);
  if (point === undefined) return 'the end of the file';
  const character = String.fromCodePoint(point);
  return /^[\x21-\x7e]$/.test(character) ? `"${character}"` : `the character U+${hex(point)}`;
}

function hex(point: number): string {
  return point.toString(16).toUpperCase().padStart(4, '0');
}

function skipSpace(scanner: Scanner): void {
  while (/^[ \t\r\n]$/.test(scanner.text[scanner.at] ?? '')) scanner.at += 1;
}

function scanValue(scanner: Scanner, depth: number): void {
  skipSpace(scanner);
  const start = scanner.text[scanner.at];
  if (start === '{' || start === '[') {
    if (depth >= DEEPEST) fail(scanner, `is nested deeper than ${DEEPEST} levels`);
    if (start === '{') scanObject(scanner, depth);
    else scanArray(scanner, depth);
    return;
  }
  if (start === '"') {
    scanString(scanner);
    return;
  }
  const literal = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
  literal.lastIndex = scanner.at;
  const match = literal.exec(scanner.text);
  if (match === null) fail(scanner, `a value is expected, but there is ${found(scanner)}`);
  scanner.at += match[0].length;
}

function scanObject(scanner: Scanner, depth: number): void {
  const keys = new Set<string>();
  scanner.at += 1;
  skipSpace(scanner);
  if (take(scanner, '}')) return;
  do {
    skipSpace(scanner);
    const keyAt = scanner.at;
    if (scanner.text[keyAt] !== '"')
      fail(scanner, `a key in double quotes is expected, but there is ${found(scanner)}`);
    const key = scanString(scanner);
    if (keys.has(key)) fail(scanner, 'this key is given twice', keyAt);
    keys.add(key);
    skipSpace(scanner);
    if (!take(scanner, ':')) fail(scanner, `":" is expected after the key, but there is ${found(scanner)}`);
    scanValue(scanner, depth + 1);
    skipSpace(scanner);
  } while (takeComma(scanner, '}'));
  if (!take(scanner, '}')) fail(scanner, `"," or "}" is expected, but there is ${found(scanner)}`);
}

function scanArray(scanner: Scanner, depth: number): void {
  scanner.at += 1;
  skipSpace(scanner);
  if (take(scanner, ']')) return;
  do {
    scanValue(scanner, depth + 1);
    skipSpace(scanner);
  } while (takeComma(scanner, ']'));
  if (!take(scanner, ']')) fail(scanner, `"," or "]" is expected, but there is ${found(scanner)}`);
}

function scanString(scanner: Scanner): string {
  const start = scanner.at;
  const pattern = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/uy;
  pattern.lastIndex = start;
  scanner.at += pattern.exec(scanner.text)?.[0].length ?? 0;
  if (take(scanner, '"')) return JSON.parse(scanner.text.slice(start, scanner.at)) as string;
  const next = scanner.text[scanner.at];
  if (next === '\\') fail(scanner, 'this escape does not exist in JSON (write \\\\ for a backslash)');
  if (next === undefined || next === '\n' || next === '\r')
    fail(scanner, 'the text that starts here is not closed', start);
  return fail(scanner, `this character must be written as an escape: ${found(scanner)}`);
}

function take(scanner: Scanner, character: string): boolean {
  if (scanner.text[scanner.at] !== character) return false;
  scanner.at += 1;
  return true;
}

function takeComma(scanner: Scanner, end: string): boolean {
  const commaAt = scanner.at;
  if (!take(scanner, ',')) return false;
  skipSpace(scanner);
  if (scanner.text[scanner.at] === end) fail(scanner, `the comma before "${end}" must go`, commaAt);
  return true;
}
