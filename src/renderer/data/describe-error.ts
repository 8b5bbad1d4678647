import { AppError, ERROR_CATALOGUE } from '../../shared/errors.ts';
import { strings } from '../strings.ts';

export type ErrorText = {
  readonly code: string;
  /** What happened. */
  readonly title: string;
  /** The case at hand; null when it says no more than the title. */
  readonly message: string | null;
  /** What it means for the data. */
  readonly meaning: string;
  /** What to do; commands stand between backticks. */
  readonly fix: string;
};

/** What to tell a person about anything that was thrown. */
export function describeError(error: unknown): ErrorText {
  if (!(error instanceof AppError) || !Object.hasOwn(ERROR_CATALOGUE, error.code)) {
    return { code: 'page', message: null, ...strings.errors.page };
  }
  const { title, meaning } = ERROR_CATALOGUE[error.code];
  const fix = strings.errors.fixes[error.code] ?? error.hint;
  return { code: error.code, title, message: error.message === title ? null : error.message, meaning, fix };
}

/** A text that is a command and nothing else; a sentence ends with a full stop. */
const BARE_COMMAND = /^(angles|chmod|chown|mkdir|npm|sudo) [^`]*[^`.]$/;

/** Text with commands between backticks, in pieces; a text that is a command as a whole is one, too. */
export function splitCommands(text: string): { readonly text: string; readonly command: boolean }[] {
  if (BARE_COMMAND.test(text)) return [{ text, command: true }];
  return text
    .split('`')
    .map((piece, index) => ({ text: piece, command: index % 2 === 1 }))
    .filter((piece) => piece.text !== '');
}
