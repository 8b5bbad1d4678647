import { formsOfSecret } from '../../shared/secret-forms.ts';
import type { Finding } from './finding.ts';
import { isCommonWord } from './looks-secret.ts';

/**
 * Finds the values it is given, in every form (see `formsOfSecret`), wherever they stand. A password known to everybody
 * (`postgres`) is not looked for: it is an ordinary word.
 */
export function createKnownFinder(secrets: () => readonly string[]): (text: string) => readonly Finding[] {
  let last: readonly string[] = [];
  let forms: readonly string[] = [];
  return (text) => {
    const now = secrets();
    if (now.length !== last.length || now.some((secret, at) => secret !== last[at])) {
      last = [...now];
      const wanted = last.filter((secret) => !isCommonWord(secret.trim()));
      forms = [...new Set(wanted.flatMap(formsOfSecret))].filter((form) => !isCommonWord(form));
    }
    return forms.flatMap((form) => occurrences(text, form));
  };
}

function occurrences(text: string, form: string): Finding[] {
  const findings: Finding[] = [];
  for (let start = text.indexOf(form); start >= 0; start = text.indexOf(form, start + form.length)) {
    findings.push({ kind: 'configured', start, end: start + form.length });
  }
  return findings;
}
