import type { Finding } from './finding.ts';

const HEADER = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;
const FOOTER = /-----END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y;
const LONGEST_BODY = 64 * 1024;
/** Lines of base64 after a header, each at least 16 long but the last, also with line breaks written as `\n`, also quoted. */
const OPEN_BODY =
  /(?:(?:\s|\\[nrt]|[>#*|"',])*[A-Za-z0-9+/=]{16,})*(?:(?:\r?\n|(?:\\r)?\\n)[ \t>]{0,8}[A-Za-z0-9+/]{1,15}={0,2}(?=[ \t]{0,8}(?:[\r\n"']|\\[nr]|$)))?/y;

/** Private keys in PEM or PGP armour, with any line breaks or none; also one whose end was cut off. Linear. */
export function findPrivateKeys(text: string): readonly Finding[] {
  const findings: Finding[] = [];
  const headers = Array.from(text.matchAll(HEADER));
  for (const [position, { index: start, 0: header }] of headers.entries()) {
    const body = start + header.length;
    const limit = Math.min(headers[position + 1]?.index ?? text.length, body + LONGEST_BODY);
    const end = endOf(text, body, limit);
    if (end > body) findings.push({ kind: 'private-key', start, end });
  }
  return findings;
}

/** Where the key ends, or `body` when there is none: a header that is only spoken of. */
function endOf(text: string, body: number, limit: number): number {
  const inside = text.slice(body, limit);
  const footer = inside.indexOf('-----END ');
  if (footer >= 0) {
    if (!hasKeyMaterial(inside.slice(0, footer))) return body;
    FOOTER.lastIndex = body + footer;
    return body + footer + (FOOTER.exec(text)?.[0].length ?? 0);
  }
  OPEN_BODY.lastIndex = 0;
  const open = OPEN_BODY.exec(inside)?.[0] ?? '';
  return hasKeyMaterial(open) ? body + open.length : body;
}

/** A run of base64, not words: code that cuts off headers has only those. */
function hasKeyMaterial(text: string): boolean {
  for (const [run] of text.matchAll(/[A-Za-z0-9+/]{16,}/g)) {
    if (/[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9+/]/.test(run)) return true;
  }
  return false;
}
