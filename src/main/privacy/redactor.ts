import { findAddresses } from './find-addresses.ts';
import { findAssignments } from './find-assignments.ts';
import { createKnownFinder } from './find-known.ts';
import { findPrivateKeys } from './find-private-keys.ts';
import { findTokens } from './find-tokens.ts';
import { type Finding, gapsBetween, mergeFindings, placeholdersOf, replaceFindings, type Span } from './finding.ts';
import { secondOpinion } from './second-opinion.ts';

export type Redaction = {
  /** The text with `[REDACTED:<kind>]` for each secret; every other character is as it was. */
  readonly text: string;
  /** How many secrets were replaced, this time. */
  readonly redactions: number;
  /** Which kinds, each once, sorted. */
  readonly kinds: readonly string[];
};

/** Finds and replaces secrets in texts that leave the machine. Time is linear in the length of the text. */
export type Redactor = {
  /** With own patterns and the configured values. Redacting a second time changes nothing. */
  readonly redact: (text: string) => Redaction;
  /** What `redact` would replace, in order and apart. */
  readonly find: (text: string) => readonly Finding[];
  /** As `redact`, and then by secretlint's rules. When it cannot say, it rejects: nothing may be sent then. */
  readonly redactThoroughly: (text: string) => Promise<Redaction>;
};

export type RedactorDeps = {
  /** The values of the configured secrets, now: asked at each call. */
  readonly secrets: () => readonly string[];
};

/** A text that hides a secret behind a secret behind a secret has more rounds; what remains has no known shape. */
const MOST_ROUNDS = 8;
/** No shape is shorter, what tells it included. */
const SHORTEST_FIND = 9;

export function createRedactor({ secrets }: RedactorDeps): Redactor {
  const findKnown = createKnownFinder(secrets);
  const find = (text: string): readonly Finding[] => findAll(text, findKnown);
  const redact = (text: string): Redaction => redaction(text, find(text));
  const redactThoroughly = async (text: string): Promise<Redaction> => {
    let result = redact(text);
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const placeholders = placeholdersOf(result.text);
      const found = (await secondOpinion(result.text)).filter((finding) => !touchesAny(finding, placeholders));
      if (found.length === 0) break;
      const more = redaction(result.text, mergeFindings(found));
      result = joined(result, joined(more, redact(more.text)));
    }
    return result;
  };
  return { redact, find, redactThoroughly };
}

function redaction(text: string, findings: readonly Finding[]): Redaction {
  return {
    text: replaceFindings(text, findings),
    redactions: findings.length,
    kinds: [...new Set(findings.map(({ kind }) => kind))].sort(),
  };
}

function joined(first: Redaction, then: Redaction): Redaction {
  return {
    text: then.text,
    redactions: first.redactions + then.redactions,
    kinds: [...new Set([...first.kinds, ...then.kinds])].sort(),
  };
}

/**
 * What was replaced before is a wall: what lies on either side is looked at by itself. So is what lies between findings,
 * once more, because a text behind a secret may be the start of another; this is why a second time finds nothing.
 */
function findAll(text: string, findKnown: (text: string) => readonly Finding[]): readonly Finding[] {
  const found: Finding[] = [];
  let open = gapsBetween({ start: 0, end: text.length }, placeholdersOf(text));
  for (let round = 0; round < MOST_ROUNDS && open.length > 0; round += 1) {
    const next: Span[] = [];
    for (const gap of open) {
      const part = text.slice(gap.start, gap.end);
      const here = mergeFindings([...(round === 0 ? findKnown(part) : []), ...findByShape(part)]);
      if (here.length === 0) continue;
      const moved = here.map(({ kind, start, end }) => ({ kind, start: gap.start + start, end: gap.start + end }));
      for (const finding of moved) found.push(finding);
      for (const rest of gapsBetween(gap, moved)) if (rest.end - rest.start >= SHORTEST_FIND) next.push(rest);
    }
    open = next;
  }
  return found.sort((one, other) => one.start - other.start);
}

function findByShape(text: string): readonly Finding[] {
  return [...findPrivateKeys(text), ...findTokens(text), ...findAddresses(text), ...findAssignments(text)];
}

/** `spans` in order and apart. */
function touchesAny(finding: Finding, spans: readonly Span[]): boolean {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.end ?? 0) <= finding.start) low = middle + 1;
    else high = middle;
  }
  return (spans[low]?.start ?? Number.POSITIVE_INFINITY) < finding.end;
}
