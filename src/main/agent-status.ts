/** What the agent says of itself. Everything follows from the vault and from the state of the watches. */
import type { AgentStatus } from '../shared/contract.ts';
import { displayPath, formatBytes } from '../shared/display.ts';
import { ERROR_CATALOGUE, type ErrorCode } from '../shared/errors.ts';
import type { RootInfo, ScanProgress } from '../shared/model.ts';
import type { RootCounts, StoredRoot } from './store/roots.ts';
import type { RootCondition } from './watch/root-watch.ts';

export type Attention = AgentStatus['attention'][number];

/** Joins what the vault and the watch know of a root. Pure. */
export function describeRoot(root: StoredRoot, counts: RootCounts, condition: RootCondition | null): RootInfo {
  const code = condition?.code ?? (root.hold === null ? null : 'root.held');
  const hold = condition === null ? root.hold : condition.hold;
  return {
    rootId: root.rootId,
    path: root.path,
    state: condition?.state ?? (hold === null ? 'watching' : 'held'),
    reason: code === null ? null : reasonOf(code, condition?.detail ?? null, hold),
    fix: code === null ? null : ERROR_CATALOGUE[code].fix.replace('PATH', displayPath(root.path)),
    files: counts.files,
    sizeBytes: counts.sizeBytes,
    skipped: counts.skipped,
    lastScanAtMs: root.lastScanAtMs,
    hold,
  };
}

function reasonOf(code: keyof typeof ERROR_CATALOGUE, detail: string | null, hold: RootInfo['hold']): string {
  if (code === 'root.held' && hold !== null)
    return `${hold.deletes} of ${hold.total} files are gone at once. Their versions are all kept; the deletions wait for your decision.`;
  return [ERROR_CATALOGUE[code].title, detail, ERROR_CATALOGUE[code].meaning].filter((part) => part !== null).join(' ');
}

export type SafetyFacts = {
  readonly isWatching: boolean;
  readonly roots: readonly RootInfo[];
  /** What is wrong with a root that is not in its normal state, by its id. */
  readonly codes: ReadonlyMap<number, ErrorCode>;
  readonly refused: readonly Attention[];
  readonly problems: readonly Attention[];
  readonly waiting: number;
  readonly progress: readonly ScanProgress[];
};

/** What a person must decide or mend, worst first. Pure. */
export function listAttention(facts: SafetyFacts): Attention[] {
  const ofRoots = facts.roots.flatMap((root): Attention[] =>
    root.reason === null || root.state === 'scanning'
      ? []
      : [
          {
            code: facts.codes.get(root.rootId) ?? codeOfState(root),
            message: `${displayPath(root.path)}: ${root.reason}`,
            fix: root.fix ?? '',
            rootId: root.rootId,
          },
        ],
  );
  const none: Attention[] =
    facts.roots.length === 0 && facts.refused.length === 0
      ? [
          {
            code: 'root.none',
            message: 'No folder is watched: nothing is captured.',
            fix: 'Add one with `angles roots add PATH`.',
            rootId: null,
          },
        ]
      : [];
  return [...facts.problems, ...ofRoots, ...facts.refused, ...none];
}

function codeOfState(root: RootInfo): string {
  return root.state === 'held' ? 'root.held' : root.state === 'limited' ? 'watch.limited' : `root.${root.state}`;
}

/** The answer to "am I safe?" in one sentence. Pure. */
export function judgeSafety(
  facts: SafetyFacts,
  attention: readonly Attention[],
): { verdict: AgentStatus['safety']['verdict']; summary: string } {
  const grave = attention.filter((each) => each.code !== 'watch.limited');
  if (grave.length > 0) {
    const more = grave.length === 1 ? '' : ` (and ${grave.length - 1} more)`;
    return { verdict: 'attention', summary: `${grave[0]?.message ?? ''}${more}` };
  }
  if (!facts.isWatching)
    return { verdict: 'attention', summary: 'No agent is running: saves are captured when it starts again.' };
  const files = facts.progress.reduce((sum, each) => sum + each.totalFiles - each.doneFiles, 0);
  if (facts.progress.length > 0) {
    const bytes = facts.progress.reduce((sum, each) => sum + each.totalBytes - each.doneBytes, 0);
    return {
      verdict: 'working',
      summary: files === 0 ? 'Reading your folders.' : `Capturing: ${files} files (${formatBytes(bytes)}) to go.`,
    };
  }
  if (facts.roots.some((root) => root.state === 'starting' || root.state === 'scanning'))
    return { verdict: 'working', summary: 'Reading your folders.' };
  if (facts.waiting > 0)
    return { verdict: 'working', summary: `Capturing ${facts.waiting} ${facts.waiting === 1 ? 'change' : 'changes'}.` };
  return { verdict: 'safe', summary: 'Every save is captured.' };
}
