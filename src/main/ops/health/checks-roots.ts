import { displayPath } from '../../../shared/display.ts';
import { assertNever, ERROR_CATALOGUE, type ErrorCode } from '../../../shared/errors.ts';
import type { Check, RootInfo, RootState } from '../../../shared/model.ts';
import type { DoctorFacts } from './facts.ts';
import { counted, warn } from './verdicts.ts';

/** One check for each watched folder. */
export function checkRoots({ roots }: DoctorFacts): Check[] {
  if (roots.length === 0) {
    return warn(
      'roots',
      'Watched folders',
      'No folder is watched: nothing is captured.',
      'Add one: `angles roots add PATH`.',
    );
  }
  return roots.map(checkRoot);
}

function checkRoot(root: RootInfo): Check {
  const { verdict, code, words } = judge(root.state);
  const files = `${counted(root.files, 'file')}${root.skipped > 0 ? `, ${root.skipped} listed but not captured` : ''}`;
  return {
    id: `root.${root.rootId}`,
    title: `Folder ${displayPath(root.path)}`,
    verdict,
    reason:
      verdict === 'ok'
        ? `${words} (${files}).`
        : (root.reason ?? (code === null ? words : ERROR_CATALOGUE[code].title)),
    fix: verdict === 'ok' || code === null ? null : (root.fix ?? ERROR_CATALOGUE[code].fix),
  };
}

type Judgement = { readonly verdict: Check['verdict']; readonly code: ErrorCode | null; readonly words: string };

function judge(state: RootState): Judgement {
  switch (state) {
    case 'watching':
      return { verdict: 'ok', code: null, words: 'Watched' };
    case 'stopped':
      return { verdict: 'ok', code: null, words: 'Known; an agent watches it when one runs' };
    case 'starting':
      return { verdict: 'ok', code: null, words: 'About to be watched' };
    case 'scanning':
      return { verdict: 'ok', code: null, words: 'Being read' };
    case 'limited':
      return { verdict: 'warn', code: 'watch.limited', words: 'Scanned, not watched' };
    case 'held':
      return { verdict: 'warn', code: 'root.held', words: 'Held' };
    case 'missing':
      return { verdict: 'error', code: 'root.missing', words: 'Missing' };
    case 'unreadable':
      return { verdict: 'error', code: 'root.unreadable', words: 'Unreadable' };
    default:
      return assertNever(state);
  }
}
