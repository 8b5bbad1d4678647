import type { AgentStatus } from '../../shared/contract.ts';
import type { NoticeKind, Problem } from '../../shared/notice-policy.ts';

/** Which kind of notice an attention is, by the first part of its code; anything else is a fault. */
const KINDS: Readonly<Record<string, NoticeKind>> = {
  root: 'decision',
  conflict: 'decision',
  sync: 'sync',
  remote: 'sync',
  backup: 'backup',
  restore: 'backup',
  job: 'schedule',
};
/** What may end by itself: a disk that is away or full, a service that does not answer. */
const TRANSIENT =
  /^(root\.(missing|unreadable)|data\.(full|io_error)|remote\.(unreachable|rate_limited|unavailable|bad_answer)|backup\.(unreachable|busy)|log\.failing)$/;
/** Shown where it belongs, and no reason to interrupt anybody. */
const QUIET = /^(root\.none|watch\.limited|config\.warning)$/;

/** What of the status a person is told about at the edge of the screen. Pure. */
export function problemsOf(status: Pick<AgentStatus, 'attention'>): Problem[] {
  return status.attention
    .filter((each) => !QUIET.test(each.code))
    .map((each) => {
      const held = each.code === 'root.held' && each.rootId !== null;
      return {
        id: `${each.code} ${each.rootId ?? ''}`,
        kind: KINDS[each.code.split('.')[0] ?? ''] ?? 'fault',
        isTransient: TRANSIENT.test(each.code),
        tries: null,
        title: each.message,
        body: each.fix,
        action: held
          ? { label: 'Decide', hash: `#/files?root=${each.rootId}` }
          : { label: 'Show', hash: each.code.startsWith('remote.') || each.code.startsWith('sync.') ? '#/logs' : '#/' },
      };
    });
}
