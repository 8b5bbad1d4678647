/** The recommended rules of secretlint, loaded when they are first asked. */
import type { rules as preset } from '@secretlint/secretlint-rule-preset-recommend';
import type { Finding } from './finding.ts';
import { isStandIn, isTokenStandIn } from './looks-secret.ts';

/**
 * The rules are run here and not by `@secretlint/core`, which obeys comments in the text that switch rules off, counts
 * offsets from behind a byte order mark, and keeps every measurement of every run in memory.
 *
 * Left out: the filter of comments, and the rule that reports a JSON of Google Cloud as a whole (its key is found as one).
 */
const LEFT_OUT = /-(?:filter-comments|gcp)$/;

/** Rules see this much at once, and so much of what follows: no text holds the thread, or costs more than in proportion. */
const WINDOW = 256 * 1024;
const OVERLAP = 16 * 1024;

type Rule = (typeof preset)[number];
type Context = Parameters<Rule['create']>[0];
type Source = Parameters<NonNullable<ReturnType<Rule['create']>['file']>>[0];

let loading: Promise<readonly Rule[]> | null = null;

async function loadRules(): Promise<readonly Rule[]> {
  const { rules } = await import('@secretlint/secretlint-rule-preset-recommend');
  return rules.filter(
    ({ meta }) => !LEFT_OUT.test(meta.id) && meta.supportedContentTypes.some((type) => type !== 'binary'),
  );
}

/** What secretlint finds in a text, its rules as kinds. Gives way to other work between windows. */
export async function secondOpinion(text: string): Promise<readonly Finding[]> {
  loading ??= loadRules().catch((error: unknown) => {
    loading = null;
    throw error;
  });
  const rules = await loading;
  const findings: Finding[] = [];
  for (let start = 0; start < text.length; start = windowEnd(text, start)) {
    const content = text.slice(start, windowEnd(text, start) + OVERLAP);
    for (const { kind, start: from, end } of await runRules(rules, content)) {
      findings.push({ kind, start: start + from, end: start + end });
    }
    if (windowEnd(text, start) < text.length) await new Promise((resolve) => setImmediate(resolve));
  }
  return findings;
}

/** Behind a line break where there is one, so that no word is cut. */
function windowEnd(text: string, start: number): number {
  const end = start + WINDOW;
  if (end >= text.length) return text.length;
  const lineBreak = text.slice(end - OVERLAP, end).lastIndexOf('\n');
  return lineBreak < 0 ? end : end - OVERLAP + lineBreak + 1;
}

async function runRules(rules: readonly Rule[], content: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const rule of rules) {
    const kind = rule.meta.id.replace('@secretlint/secretlint-rule-', '').replace(/[^a-z0-9-]/g, '-');
    const report: Context['report'] = ({ range: [start, end] }) => {
      if (end > start && !isExample(content.slice(start, end))) findings.push({ kind, start, end });
    };
    await rule.create(contextOf(report), {}).file?.(sourceOf(content));
  }
  return findings;
}

/** A token of crosses, an address with the password `password`. */
function isExample(found: string): boolean {
  const password = /:\/\/[^\s:@/]*:([^\s@]*)@/.exec(found)?.[1];
  return isTokenStandIn(found) || (password !== undefined && isStandIn(password));
}

function contextOf(report: Context['report']): Context {
  return {
    sharedOptions: {},
    createTranslator: () => (messageId) => ({ message: '', messageId: String(messageId), data: undefined as never }),
    report,
    ignore: () => undefined,
  };
}

/** A text without a file: rules must find what they look for in the text itself. */
function sourceOf(content: string): Source {
  const start = { line: 1, column: 0 };
  return {
    hasBOM: false,
    content,
    filePath: undefined,
    physicalFilePath: undefined,
    contentType: 'text',
    ext: '',
    getFilePath: () => undefined,
    getPhysicalFilePath: () => undefined,
    locationToRange: () => [0, 0],
    rangeToLocation: () => ({ start, end: start }),
    positionToIndex: () => 0,
    indexToPosition: () => start,
  };
}
