/** Which backups go: a decision over a listing, never over what is missing from one. */
import { AppError } from '../../shared/errors.ts';

export type RetentionClass = 'manual' | 'daily' | 'config';

export type KeptBackup = {
  /** What {@link RetentionRemote.remove} takes. */
  readonly id: string;
  readonly backupClass: RetentionClass;
  readonly createdAtMs: number;
  readonly sizeBytes: number;
  /** Read back and proven; what was never proven does not count as the newest. */
  readonly isVerified: boolean;
  /** Kept whatever its age: pinned by a person, or needed by something that is not finished. */
  readonly isPinned: boolean;
};

/** A listing that failed, or that has nothing where something must be, decides nothing. */
export type Listing =
  | { readonly kind: 'complete'; readonly backups: readonly KeptBackup[] }
  | { readonly kind: 'failed'; readonly reason: string };

export type RetentionRules = {
  readonly manualDays: number;
  readonly dailyDays: number;
  readonly configVersions: number;
};

export const RETENTION_RULES: RetentionRules = { manualDays: 15, dailyDays: 30, configVersions: 10 };

export type RetentionPlan = {
  readonly remove: readonly KeptBackup[];
  readonly keep: readonly { readonly backup: KeptBackup; readonly why: string }[];
  /** Why nothing is removed although something may be old; null when the plan is a normal one. */
  readonly refused: string | null;
};

const DAY_MS = 86_400_000;

/**
 * Never removes the newest verified backup of a class, nor the newest verified one of all, nor anything after a
 * failed or an empty listing, nor anything when no backup is verified. A backup from the future is kept: the clock
 * may be wrong.
 */
export function planRetention(listing: Listing, rules: RetentionRules, nowMs: number): RetentionPlan {
  if (listing.kind === 'failed') return refuse([], `the listing failed: ${listing.reason}`);
  const backups = [...listing.backups].sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1));
  if (backups.length === 0) return refuse([], 'the listing is empty');
  // A clock far ahead makes everything old at once, and everything from now a thing of the past.
  const verified = backups.filter((backup) => backup.isVerified && backup.createdAtMs <= nowMs);
  if (verified.length === 0) return refuse(backups, 'no backup is verified');
  const newest = new Set<KeptBackup>();
  for (const backupClass of ['manual', 'daily', 'config'] as const) {
    const first = verified.find((backup) => backup.backupClass === backupClass);
    if (first !== undefined) newest.add(first);
  }
  const configRank = new Map(
    backups.filter((backup) => backup.backupClass === 'config').map((backup, index) => [backup.id, index]),
  );
  const keep: { backup: KeptBackup; why: string }[] = [];
  const remove: KeptBackup[] = [];
  for (const backup of backups) {
    const why = reasonToKeep(backup, { rules, nowMs, newest, rank: configRank.get(backup.id) ?? 0 });
    if (why === null) remove.push(backup);
    else keep.push({ backup, why });
  }
  return { remove, keep, refused: null };
}

function reasonToKeep(
  backup: KeptBackup,
  given: {
    readonly rules: RetentionRules;
    readonly nowMs: number;
    readonly newest: ReadonlySet<KeptBackup>;
    readonly rank: number;
  },
): string | null {
  const { rules, nowMs } = given;
  if (backup.isPinned) return 'it is pinned';
  if (given.newest.has(backup)) return 'it is the newest verified one of its kind';
  if (!Number.isFinite(backup.createdAtMs)) return 'its time is not known';
  if (backup.createdAtMs > nowMs) return 'it is from the future';
  if (backup.backupClass === 'config')
    return given.rank < rules.configVersions ? `it is one of the newest ${rules.configVersions}` : null;
  const days = backup.backupClass === 'manual' ? rules.manualDays : rules.dailyDays;
  return nowMs - backup.createdAtMs <= days * DAY_MS ? `it is not older than ${days} days` : null;
}

function refuse(backups: readonly KeptBackup[], refused: string): RetentionPlan {
  return { remove: [], keep: backups.map((backup) => ({ backup, why: refused })), refused };
}

/** A place that keeps archives: a local folder, a bucket. */
export type RetentionRemote = {
  /** Throws when it cannot be listed as a whole. */
  readonly list: () => Promise<readonly KeptBackup[]>;
  /** Removing what is gone already is no error. */
  readonly remove: (id: string) => Promise<void>;
};

export type PruneResult = RetentionPlan & {
  readonly removed: readonly string[];
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
};

/**
 * Lists, decides and removes, oldest first, so that one that is cut off in the middle leaves the newer ones.
 * Before the first removal the newest verified backup is looked for once more: throws `backup.unreadable` when it is gone.
 */
export async function prune(
  remote: RetentionRemote,
  options: {
    readonly rules: RetentionRules;
    readonly nowMs: number;
    readonly isDryRun: boolean;
    readonly signal?: AbortSignal;
  },
): Promise<PruneResult> {
  const plan = planRetention(await listOf(remote), options.rules, options.nowMs);
  const removed: string[] = [];
  const failed: { id: string; reason: string }[] = [];
  if (options.isDryRun || plan.remove.length === 0) return { ...plan, removed, failed };
  const again = await listOf(remote);
  const mustStay = plan.keep.filter(({ backup }) => backup.isVerified).map(({ backup }) => backup.id);
  const isThere =
    again.kind === 'complete' &&
    mustStay.every((id) => again.backups.some((backup) => backup.id === id && backup.isVerified));
  if (!isThere)
    throw new AppError('backup.unreadable', 'The backups changed while old ones were looked for; none was removed.', {
      retryable: true,
    });
  for (const backup of plan.remove.toReversed()) {
    if (options.signal?.aborted === true) break;
    try {
      await remote.remove(backup.id);
      removed.push(backup.id);
    } catch (cause) {
      failed.push({ id: backup.id, reason: cause instanceof Error ? cause.message : String(cause) });
    }
  }
  return { ...plan, removed, failed };
}

async function listOf(remote: RetentionRemote): Promise<Listing> {
  try {
    return { kind: 'complete', backups: await remote.list() };
  } catch (cause) {
    return { kind: 'failed', reason: cause instanceof Error ? cause.message : String(cause) };
  }
}
