import { sourceOfToken, TOKEN_SHAPES } from '../../shared/secret-patterns.ts';
import type { Finding } from './finding.ts';
import { isGenerated, isTokenStandIn, turnsTaken } from './looks-secret.ts';

type Rule = { readonly kind: string; readonly prefix: string; readonly pattern: RegExp };

const RULES: readonly Rule[] = TOKEN_SHAPES.flatMap(({ kind, prefixes, body }) =>
  prefixes.map((prefix) => ({
    kind,
    prefix,
    pattern: new RegExp(sourceOfToken({ kind, prefixes: [prefix], body }), 'y'),
  })),
);

/** Tokens of known services. Linear: each prefix is searched as a plain text, and its match is left behind. */
export function findTokens(text: string): readonly Finding[] {
  return [...RULES.flatMap((rule) => find(text, rule)), ...findJwts(text), ...findAwsSecrets(text)];
}

function find(text: string, { kind, prefix, pattern }: Rule): Finding[] {
  const findings: Finding[] = [];
  for (let start = text.indexOf(prefix); start >= 0; start = text.indexOf(prefix, start + 1)) {
    if (!isFresh(text, start)) continue;
    pattern.lastIndex = start;
    const token = pattern.exec(text)?.[0];
    if (token === undefined) continue;
    // A dash or a dot at the end belongs to the sentence.
    const length = token.replace(/[.-]+$/, '').length;
    if (isToken(kind, token.slice(prefix.length))) findings.push({ kind, start, end: start + length });
    start += length - 1;
  }
  return findings;
}

function isToken(kind: string, body: string): boolean {
  if (kind === 'aws-access-key') return /\d/.test(body) || turnsTaken(body) === 0;
  // Long numbers first: letters and digits take turns rarely.
  if (kind === 'slack-token') return /\d{4}/.test(body) && !isTokenStandIn(body);
  // 34 letters, no digits.
  if (kind === 'hugging-face-token') return turnsTaken(body) >= 0.2 && !isTokenStandIn(body);
  // Prefixes that are also words: `sk-folding-cube-4`, `secret_...`.
  return isGenerated(body, kind === 'openai-key' || kind === 'notion-token' ? 0.2 : 0.1);
}

/** Whether a token may start here: not within a word, but behind `\n` and `%3D` as texts within texts have them. */
function isFresh(text: string, start: number): boolean {
  if (start === 0 || !/\w/.test(text.charAt(start - 1))) return true;
  return /(?:\\[nrt]|%[\dA-F]{2})$/i.test(text.slice(Math.max(0, start - 3), start));
}

// Three parts (signed), or five (encrypted). The look behind keeps it linear: it starts only where a run of these starts.
const JWT =
  /(?:(?<![\w-])|(?<=\\[nrt]|%[\dA-F]{2}))eyJ[\w-]{8,}\.(?:eyJ[\w-]{5,}\.[\w-]*|[\w-]*\.[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})/g;

function findJwts(text: string): Finding[] {
  if (!text.includes('eyJ')) return [];
  return Array.from(text.matchAll(JWT), ({ index, 0: jwt }) => ({
    kind: jwtKind(jwt),
    start: index,
    end: index + jwt.length,
  }));
}

/** Supabase keys by their role; any other is a `jwt`. */
function jwtKind(jwt: string): string {
  const payload = Buffer.from(jwt.split('.', 2)[1] ?? '', 'base64url').toString('utf8');
  if (/"role"\s*:\s*"service_role"/.test(payload)) return 'supabase-service-key';
  return /"role"\s*:\s*"anon"/.test(payload) ? 'supabase-anon-key' : 'jwt';
}

const AWS_SECRET = /(?<![\w/+])[A-Za-z0-9/+]{40}(?![\w/+=-])/g;
const NEARBY = 400;

/** The secret half of an AWS key has no mark of its own: it is looked for near the other half. */
function findAwsSecrets(text: string): Finding[] {
  const findings: Finding[] = [];
  let seen = 0;
  for (const { index } of text.matchAll(/(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g)) {
    const from = Math.max(seen, index - NEARBY);
    seen = index + NEARBY;
    for (const secret of text.slice(Math.max(0, from - 40), seen).matchAll(AWS_SECRET)) {
      const [value] = secret;
      if (!/\d/.test(value) || !/[a-z]/.test(value) || !/[A-Z]/.test(value) || turnsTaken(value) < 0.3) continue;
      const start = Math.max(0, from - 40) + secret.index;
      findings.push({ kind: 'aws-secret-key', start, end: start + value.length });
    }
  }
  return findings;
}
