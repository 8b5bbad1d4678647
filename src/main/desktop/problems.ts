import { attentionPlace } from '../../shared/attention-place.ts';
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
  keychain: 'decision',
};
/** What may end by itself: a disk that is away or full, a service that does not answer, a job that is about to run. */
const TRANSIENT =
  /^(root\.(missing|unreadable)|data\.(full|io_error)|remote\.(unreachable|rate_limited|unavailable|bad_answer)|backup\.(unreachable|busy)|job\.overdue|log\.failing)$/;
/** Shown where it belongs, and no reason to interrupt anybody. */
const QUIET = /^(root\.none|watch\.limited|config\.warning)$/;
const NAMES = { supabase: 'Supabase', notion: 'Notion' } as const;

/** What of the status a person is told about at the edge of the screen. Pure. */
export function problemsOf(
  status: Pick<AgentStatus, 'attention'> & { readonly sync: Pick<AgentStatus['sync'], 'remotes'> },
  isOnline: boolean,
): Problem[] {
  return [
    ...status.attention.filter((each) => !QUIET.test(each.code)).map(problemOf),
    // While this machine is offline there is nothing to tell about a service.
    ...(isOnline ? status.sync.remotes.flatMap(unreachable) : []),
  ];
}

function problemOf({ code, message, fix, rootId }: AgentStatus['attention'][number]): Problem {
  const held = code === 'root.held' && rootId !== null;
  const place = attentionPlace(code);
  return {
    id: `${code} ${rootId ?? ''}`,
    kind: code === 'sync.conflict' ? 'decision' : (KINDS[code.split('.')[0] ?? ''] ?? 'fault'),
    isTransient: TRANSIENT.test(code),
    tries: null,
    title: message,
    body: fix,
    action: held
      ? { label: 'Decide', hash: `#/files?root=${rootId}` }
      : { label: 'Show', hash: place === 'overview' ? '#/' : `#/${place}` },
  };
}

/** A service that has not been reached for long, while changes wait for it. Its words never change: they are told once. */
function unreachable(one: AgentStatus['sync']['remotes'][number]): Problem[] {
  if (!one.configured || one.state !== 'offline' || one.pending + one.leased === 0) return [];
  return [
    {
      id: `remote.unreachable ${one.remote}`,
      kind: 'sync',
      isTransient: true,
      tries: null,
      title: `${NAMES[one.remote]} cannot be reached`,
      body: 'Changes wait here safely, and are sent when it can be reached again.',
      action: { label: 'Show', hash: '#/sync' },
    },
  ];
}
