import { foldText, toIndexed, WORD } from './fold.ts';

/** A word or phrase to show where a result matched. */
export type Term = { readonly text: string; readonly prefix: boolean };

/** What a person asked, as safe FTS5 expressions. */
export type ParsedQuery =
  /** Nothing to look for: the newest documents, `without` those that match an expression. */
  | { readonly kind: 'newest'; readonly without: string | null }
  /** Only signs that no document is indexed by. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'match'; readonly expression: string; readonly terms: readonly Term[] };

/** Terms beyond these are not looked at: it bounds what one query may cost. */
export const MAX_TERMS = 32;

type Lexeme = { readonly text: string; readonly quoted: boolean; readonly negative: boolean; readonly prefix: boolean };

const HAS_WORD = new RegExp(`[${WORD}]`, 'u');

/**
 * Understands words (all must match), "phrases", prefix*, -without (or NOT without) and either OR other, where OR
 * joins its two neighbours only. Every input is valid. The word at the end, while no space follows it, also
 * matches as a beginning when it has `shortestPrefix` characters: results follow the typing.
 */
export function parseQuery(input: string, shortestPrefix = 2): ParsedQuery {
  const text = input.replaceAll('\0', ' ');
  const lexemes = lex(text);
  const wanted: string[][] = [];
  const unwanted: string[] = [];
  const terms: Term[] = [];
  let joinNext = false;
  let negateNext = false;
  for (const [index, lexeme] of lexemes.entries()) {
    const isPlain = !lexeme.quoted && !lexeme.negative && !lexeme.prefix;
    if (isPlain && lexeme.text === 'OR') joinNext = wanted.length > 0;
    else if (isPlain && lexeme.text === 'NOT') negateNext = true;
    else if (HAS_WORD.test(lexeme.text) && !(isPlain && lexeme.text === 'AND')) {
      if (terms.length + unwanted.length === MAX_TERMS) break;
      if (lexeme.negative || negateNext) unwanted.push(toExpression(lexeme.text, lexeme.prefix));
      else {
        const isTyping = index === lexemes.length - 1 && isUnfinished(text, lexeme, shortestPrefix);
        const term = { text: lexeme.text, prefix: lexeme.prefix || isTyping };
        terms.push(term);
        const expression = toExpression(term.text, term.prefix);
        if (joinNext) wanted.at(-1)?.push(expression);
        else wanted.push([expression]);
      }
      joinNext = false;
      negateNext = false;
    }
  }
  return combine(text, wanted, unwanted, terms);
}

function combine(text: string, wanted: readonly string[][], unwanted: string[], terms: readonly Term[]): ParsedQuery {
  const without = unwanted.length === 0 ? null : unwanted.join(' OR ');
  if (wanted.length === 0) {
    return without !== null || text.trim() === '' ? { kind: 'newest', without } : { kind: 'nothing' };
  }
  const all = wanted.map((either) => (either.length === 1 ? either[0] : `(${either.join(' OR ')})`)).join(' AND ');
  return { kind: 'match', expression: without === null ? all : `(${all}) NOT (${without})`, terms };
}

const LEXEME = /(-?)(?:"([^"]*)("?)(\*?)|([^\s"]+))/g;

function lex(text: string): Lexeme[] {
  return [...text.matchAll(LEXEME)].map(([, minus, phrase, , star, word = '']) => {
    const negative = minus === '-';
    if (phrase !== undefined) return { text: phrase, quoted: true, negative, prefix: star === '*' };
    const bare = word.replace(/\*+$/, '');
    // One letter begins too many words to be worth the wait: it stays a word.
    return { text: bare, quoted: false, negative, prefix: bare !== word && [...bare].length > 1 };
  });
}

function isUnfinished(text: string, lexeme: Lexeme, shortestPrefix: number): boolean {
  return !lexeme.quoted && text.endsWith(lexeme.text) && [...foldText(lexeme.text).text].length >= shortestPrefix;
}

/** Quoted as FTS5 strings are: inside the quotes nothing is an operator. */
function toExpression(text: string, prefix: boolean): string {
  const spaced = toIndexed(text).trim().replaceAll('"', '""');
  return `"${spaced}"${prefix ? '*' : ''}`;
}
