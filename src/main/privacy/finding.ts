/** Where secrets lie in a text: offsets, how they merge, and how they are replaced. Pure. */

/** A secret in a text, without its value: safe to log and to show. Offsets are those of the string (UTF-16 units). */
export type Finding = {
  /** Lower case with dashes: `github-token`, `private-key`, `password`, ... */
  readonly kind: string;
  readonly start: number;
  /** The first offset behind it. */
  readonly end: number;
};

export type Span = { readonly start: number; readonly end: number };

/** What stands in place of a secret. */
export const placeholder = (kind: string): string => `[REDACTED:${kind}]`;

const PLACEHOLDER = /\[REDACTED:[a-z0-9-]{1,64}\]/g;

/** Where secrets were already replaced. */
export function placeholdersOf(text: string): readonly Span[] {
  if (!text.includes('[REDACTED:')) return [];
  return Array.from(text.matchAll(PLACEHOLDER), ({ index, 0: { length } }) => ({ start: index, end: index + length }));
}

/** In order, overlapping ones as one: the longest of them gives its kind, the first of equally long ones. */
export function mergeFindings(findings: readonly Finding[]): readonly Finding[] {
  const merged: { kind: string; start: number; end: number; longest: number }[] = [];
  for (const { kind, start, end } of findings.toSorted((one, other) => one.start - other.start)) {
    const last = merged.at(-1);
    if (last === undefined || start >= last.end) {
      merged.push({ kind, start, end, longest: end - start });
      continue;
    }
    last.end = Math.max(last.end, end);
    if (end - start > last.longest) Object.assign(last, { kind, longest: end - start });
  }
  return merged.map(({ kind, start, end }) => ({ kind, start, end }));
}

/** What lies between `spans` (in order, apart) within `whole`. */
export function gapsBetween(whole: Span, spans: readonly Span[]): readonly Span[] {
  const gaps: Span[] = [];
  let start = whole.start;
  for (const span of spans) {
    if (span.start > start) gaps.push({ start, end: span.start });
    start = span.end;
  }
  if (whole.end > start) gaps.push({ start, end: whole.end });
  return gaps;
}

/** The text with each finding (in order, apart) replaced; everything else is as it was. */
export function replaceFindings(text: string, findings: readonly Finding[]): string {
  if (findings.length === 0) return text;
  const parts: string[] = [];
  let start = 0;
  for (const finding of findings) {
    parts.push(text.slice(start, finding.start), placeholder(finding.kind));
    start = finding.end;
  }
  parts.push(text.slice(start));
  return parts.join('');
}
