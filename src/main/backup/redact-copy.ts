/** Copies for a destination without encryption: secrets taken out, and a report of what was. */

import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';

/** Finds secrets in a text and takes them out. Injected: another feature knows what a secret looks like. */
export type Redact = (text: string) => {
  readonly text: string;
  readonly redactions: number;
  /** What kinds, like `github_token`; never the values. */
  readonly kinds: readonly string[];
};

export type RedactionReport = {
  /** By kind, in how many files and rows. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly files: readonly {
    readonly rootId: number;
    readonly path: string;
    readonly redactions: number;
    readonly kinds: readonly string[];
  }[];
  /** Values of rows that were redacted, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** What holds a secret that cannot be taken out, because it is no text or too large. */
  readonly refused: readonly { readonly rootId: number; readonly path: string; readonly kinds: readonly string[] }[];
};

/** Texts above this are searched but not rewritten. */
const LARGEST_TEXT_BYTES = 32 * 1_048_576;

export type Redactor = {
  readonly file: (
    file: { readonly rootId: number; readonly path: string },
    bytes: Buffer,
  ) => { readonly bytes: Buffer; readonly redactions: number };
  readonly value: (table: string, text: string) => string;
  readonly report: () => RedactionReport;
};

/** Redacts one copy and remembers what it did. Equal input gives equal output, so a second pass finds nothing new. */
export function createRedactor(redact: Redact): Redactor {
  const kinds: Record<string, number> = {};
  const files: RedactionReport['files'][number][] = [];
  const refused: RedactionReport['refused'][number][] = [];
  const rows: Record<string, number> = {};
  const note = (found: readonly string[]): void => {
    for (const kind of new Set(found)) kinds[kind] = (kinds[kind] ?? 0) + 1;
  };
  return {
    file: (file, bytes) => {
      const text = bytes.length <= LARGEST_TEXT_BYTES ? asText(bytes) : null;
      const result = redact(text ?? bytes.toString('latin1'));
      if (result.redactions === 0) return { bytes, redactions: 0 };
      note(result.kinds);
      if (text === null) {
        refused.push({ rootId: file.rootId, path: file.path, kinds: result.kinds });
        return { bytes, redactions: 0 };
      }
      files.push({ rootId: file.rootId, path: file.path, redactions: result.redactions, kinds: result.kinds });
      return { bytes: Buffer.from(result.text, 'utf8'), redactions: result.redactions };
    },
    value: (table, text) => {
      const result = redact(text);
      if (result.redactions === 0) return text;
      note(result.kinds);
      rows[table] = (rows[table] ?? 0) + result.redactions;
      return result.text;
    },
    report: () => ({ kinds, files, rows, refused }),
  };
}

/**
 * The check before a copy may leave unencrypted: nothing may be in it that could not be taken out.
 * Throws `backup.refused`, naming the files and the kinds, never the values.
 */
export function assertMayLeave(report: RedactionReport): void {
  if (report.refused.length === 0) return;
  const named = report.refused.slice(0, 5).map((each) => `${displayPath(each.path)} (${each.kinds.join(', ')})`);
  const more = report.refused.length > 5 ? ` and ${report.refused.length - 5} more` : '';
  throw new AppError('backup.refused', `These hold secrets that cannot be taken out: ${named.join('; ')}${more}.`);
}

function asText(bytes: Buffer): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // No text: it can be searched, not rewritten.
    return null;
  }
}
