/** What of sync and backups needs a person, for the first page: worst first, each with the place where it is mended. */
import type { BackupStatus } from '../../shared/contract-backup.ts';
import type { SyncStatus } from '../../shared/contract-sync.ts';
import { formatRoute } from './route.ts';

export type Need = {
  readonly kind:
    | 'interrupted_restore'
    | 'safe_mode'
    | 'hold'
    | 'remote'
    | 'paused'
    | 'backup'
    | 'kit'
    | 'proof'
    | 'parked'
    | 'conflicts';
  /** Which remote or table; empty where there is but one. */
  readonly of: string;
  readonly count: number;
  /** The words of the agent about it, where it has some. */
  readonly reason: string | null;
  readonly href: string;
};

const need = (kind: Need['kind'], href: string, more: Partial<Pick<Need, 'of' | 'count' | 'reason'>> = {}): Need => ({
  kind,
  of: '',
  count: 0,
  reason: null,
  href,
  ...more,
});

/** `backup` is undefined while it is not known. */
export function needsOf(sync: SyncStatus, backup: BackupStatus | undefined): readonly Need[] {
  const syncPlace = formatRoute('sync');
  const remotes = sync.remotes.flatMap((one): Need[] => {
    const held =
      one.hold === null
        ? []
        : [need('hold', syncPlace, { of: one.remote, count: one.hold.deletes, reason: one.reason })];
    // A conflict has a line of its own.
    const stuck =
      one.hold === null && one.state === 'needs_you' && one.code !== 'sync.conflict' && one.code !== 'sync.safe_mode'
        ? [need('remote', syncPlace, { of: one.remote, reason: one.reason })]
        : [];
    const paused =
      one.paused.length > 0 && stuck.length === 0
        ? [
            need('paused', syncPlace, {
              of: one.remote,
              count: one.paused.length,
              reason: one.paused[0]?.reason ?? null,
            }),
          ]
        : [];
    return [...held, ...stuck, ...paused];
  });
  const parked = sync.remotes
    .filter((one) => one.parked > 0)
    .map((one) =>
      need('parked', formatRoute('sync', { show: 'queue', remote: one.remote, state: 'parked' }), {
        of: one.remote,
        count: one.parked,
      }),
    );
  return [
    ...(backup === undefined ? [] : graveOf(backup)),
    ...(sync.safeMode === null ? [] : [need('safe_mode', syncPlace, { reason: sync.safeMode.reason })]),
    ...remotes,
    ...(backup === undefined ? [] : mildOf(backup)),
    ...parked,
    ...(sync.conflicts > 0 ? [need('conflicts', formatRoute('conflicts'), { count: sync.conflicts })] : []),
  ];
}

function graveOf(backup: BackupStatus): Need[] {
  const place = formatRoute('backups');
  if (backup.interruptedRestore !== null)
    return [need('interrupted_restore', place, { reason: backup.problem?.message ?? null })];
  return backup.state === 'needs_you' && backup.problem !== null && backup.problem.code !== 'backup.kit_unconfirmed'
    ? [need('backup', place, { reason: backup.problem.message })]
    : [];
}

function mildOf(backup: BackupStatus): Need[] {
  const { key } = backup;
  const kit = key.kind !== 'none' && key.source === 'generated' && key.kitConfirmedAtMs === null;
  return [
    ...(kit ? [need('kit', formatRoute('backups', { kit: '1' }))] : []),
    ...(backup.proofIsStale ? [need('proof', formatRoute('backups'))] : []),
  ];
}
