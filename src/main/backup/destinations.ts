/** Where backups go besides this disk: each destination is a state with a reason, tried again by itself, never a loop. */
import { openAsBlob } from 'node:fs';
import type { Destination } from '../../shared/contract-backup.ts';
import { AppError } from '../../shared/errors.ts';
import type { Log } from '../log/log.ts';
import type { Archives } from './archives.ts';
import type { Bucket } from './bucket.ts';
import type { GitPlace } from './git-place.ts';
import type { DestinationMemory, Memory } from './memory.ts';
import { isPassing, toStored, viewProblem } from './problems.ts';
import { push } from './push.ts';
import type { VaultRepository } from './vault-repository.ts';

export type Away = 'github' | 'supabase';

export type DestinationDeps = {
  readonly memory: Memory;
  readonly repository: VaultRepository;
  readonly archives: Archives;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly logger: ReturnType<Log['component']>;
  /** null when it is not configured or switched off. Throws `config.invalid`. */
  readonly git: () => GitPlace | null;
  readonly bucket: () => Promise<Bucket | null>;
  /** Address of the bucket's project without opening it; null when there is none. */
  readonly bucketPlace: () => string | null;
  /** The recovery kit of the present key was confirmed, or the key is a person's own. */
  readonly mayLeave: () => boolean;
  readonly backoffMs: (failures: number, random: () => number, retryAfterMs?: number) => number;
  /** Nothing moves for so long: the server is taken as gone. */
  readonly stallMs: number;
  readonly onState: () => void;
  readonly onProgress: (kind: Away, done: number, all: number, bytes: number) => void;
};

export type Destinations = {
  /** From what is stored. */
  readonly list: () => Promise<readonly Destination[]>;
  /** Brings what is missing to these places now, whatever their waiting time. Never throws: the state tells. */
  readonly deliver: (
    kinds: readonly Away[],
    options: { readonly isDue: boolean; readonly signal: AbortSignal },
  ) => Promise<void>;
  /** When something is to be tried again; null when nothing is behind. */
  readonly nextTryAtMs: () => Promise<number | null>;
  readonly has: (
    kind: Away,
    backup: { readonly id: string; readonly branch?: string; readonly sequence?: number },
  ) => boolean;
};

/** What a person has to mend is looked at once an hour: it may have been mended over there. */
const MENDED_MS = 3_600_000;

export function createDestinations(deps: DestinationDeps): Destinations {
  const { memory, repository, archives, logger } = deps;
  const running = new Map<Away, Promise<void>>();

  const placeOf = (kind: Away): { readonly place: string } | { readonly failure: unknown } | null => {
    try {
      const place = kind === 'github' ? (deps.git()?.url ?? null) : deps.bucketPlace();
      return place === null ? null : { place };
    } catch (failure) {
      return { failure };
    }
  };
  const tipOf = async (): Promise<{ commit: string; sequence: number } | null> => {
    const reader = await repository.reader();
    const [tip] = reader?.listBackups({ limit: 1, branch: repository.branch() }) ?? [];
    return tip === undefined ? null : { commit: tip.commit, sequence: tip.sequence };
  };
  const missingArchives = (known: DestinationMemory): readonly string[] =>
    archives.kept
      .archives()
      .filter(({ id, isVerified, receipt }) => isVerified && receipt !== null && !known.archives.includes(id))
      .map(({ id }) => id);

  const behind = async (kind: Away, known: DestinationMemory): Promise<number> => {
    if (kind === 'supabase') return missingArchives(known).length;
    const tip = await tipOf();
    if (tip === null || tip.commit === known.commit) return 0;
    return known.branch === repository.branch() ? Math.max(1, tip.sequence - known.sequence) : tip.sequence;
  };

  const describe = async (kind: Away): Promise<Destination> => {
    const found = placeOf(kind);
    const none = {
      kind,
      place: null,
      problem: null,
      behind: 0,
      lastSuccessAtMs: null,
      nextTryAtMs: null,
      sizeBytes: null,
    };
    if (found === null) return { ...none, state: 'off' };
    if ('failure' in found) return { ...none, state: 'needs_you', problem: viewProblem(toStored(found.failure)) };
    const known = memory.destination(kind, found.place);
    // A repository that cannot be opened is told where it belongs; here the last known facts count.
    const missing = await behind(kind, known).catch(() => 1);
    const problem = missing > 0 && !deps.mayLeave() ? unconfirmed() : known.problem;
    const isWaiting = problem !== null && !isPassing(problem);
    return {
      kind,
      place: kind === 'github' ? (deps.git()?.shown ?? found.place) : found.place,
      state: isWaiting ? 'needs_you' : missing > 0 ? 'behind' : 'ok',
      problem: problem === null ? null : viewProblem(problem),
      behind: missing,
      lastSuccessAtMs: known.lastSuccessAtMs,
      nextTryAtMs: missing > 0 && deps.mayLeave() ? known.notBeforeMs : null,
      sizeBytes: known.sizeBytes,
    };
  };

  const pushNow = async (known: DestinationMemory, signal: AbortSignal): Promise<Partial<DestinationMemory>> => {
    const git = deps.git();
    const tip = await tipOf();
    if (git === null || tip === null) return {};
    const branch = repository.branch();
    const result = await push({
      remote: { url: git.url, token: git.token, stallMs: deps.stallMs, signal },
      gitFolder: repository.gitFolder(),
      branch,
      lastPushed: known.branch === branch ? known.commit : null,
      onProgress: ({ objectsSent, objectsAll, bytesSent }) =>
        deps.onProgress('github', objectsSent, objectsAll, bytesSent),
    });
    const sequence = result.commit === tip.commit ? tip.sequence : ((await tipOf())?.sequence ?? tip.sequence);
    logger.info('Backups were pushed and read back.', { commits: result.commitsSent, bytes: result.bytesSent });
    if (result.tagsTaken.length > 0)
      logger.warn('Tags that mean another backup over there were left alone.', { tags: result.tagsTaken });
    return { commit: result.commit, branch, sequence };
  };

  const uploadNow = async (known: DestinationMemory, signal: AbortSignal): Promise<Partial<DestinationMemory>> => {
    const bucket = await deps.bucket();
    if (bucket === null) return {};
    let there = known;
    for (const name of missingArchives(known)) {
      signal.throwIfAborted();
      const archive = archives.find(name);
      if (archive === undefined) continue;
      const { sha256 } = await bucket.upload(
        bucketName(archive.backupClass, name),
        await openAsBlob(archive.file),
        signal,
      );
      if (archive.receipt !== null && sha256 !== archive.receipt.sha256)
        throw new AppError('backup.damaged', `The archive ${name} is not as it was when it was made.`);
      there = { ...there, archives: [...there.archives, name] };
      // Each is remembered at once: what is up there is not sent again after a failure of the next.
      memory.updateDestination('supabase', there);
      logger.info('An archive was uploaded and read back.', { archive: name });
    }
    return { archives: there.archives };
  };

  const attempt = async (kind: Away, place: string, signal: AbortSignal): Promise<void> => {
    const known = memory.destination(kind, place);
    try {
      const gained = await (kind === 'github' ? pushNow(known, signal) : uploadNow(known, signal));
      const clean = { failures: 0, notBeforeMs: null, problem: null, lastSuccessAtMs: deps.nowMs() };
      memory.updateDestination(kind, { ...memory.destination(kind, place), ...gained, ...clean });
    } catch (cause) {
      // Stopped by us: no failure of the place.
      if (signal.aborted) return;
      const problem = toStored(cause);
      const failures = known.failures + 1;
      const retryAfterMs = cause instanceof AppError ? cause.retryAfterMs : undefined;
      const waitMs = isPassing(problem) ? deps.backoffMs(failures + 3, deps.random, retryAfterMs) : MENDED_MS;
      const notBeforeMs = deps.nowMs() + waitMs;
      memory.updateDestination(kind, { ...memory.destination(kind, place), failures, notBeforeMs, problem });
      if (known.problem?.code !== problem.code) logger.warn('A destination of backups failed.', { kind, error: cause });
    } finally {
      deps.onState();
    }
  };

  const deliverOne = async (kind: Away, isDue: boolean, signal: AbortSignal): Promise<void> => {
    const found = placeOf(kind);
    if (found === null || 'failure' in found || !deps.mayLeave()) return;
    const known = memory.destination(kind, found.place);
    if (isDue && (known.notBeforeMs ?? 0) > deps.nowMs()) return;
    if ((await behind(kind, known).catch(() => 0)) === 0 && known.problem === null) return;
    await attempt(kind, found.place, signal);
  };

  return {
    list: async () => [await describe('github'), await describe('supabase')],
    deliver: async (kinds, { isDue, signal }) => {
      for (const kind of kinds) {
        // One at a time for each place: a second one waits, and then finds what is still missing.
        const before = running.get(kind) ?? Promise.resolve();
        const mine = before.then(() => deliverOne(kind, isDue, signal));
        running.set(
          kind,
          mine.catch(() => undefined),
        );
        await mine;
      }
    },
    nextTryAtMs: async () => {
      if (!deps.mayLeave()) return null;
      const times: number[] = [];
      for (const kind of ['github', 'supabase'] as const) {
        const found = placeOf(kind);
        if (found === null || 'failure' in found) continue;
        const known = memory.destination(kind, found.place);
        if ((await behind(kind, known).catch(() => 0)) > 0) times.push(known.notBeforeMs ?? deps.nowMs());
      }
      return times.length === 0 ? null : Math.min(...times);
    },
    has: (kind, { id, branch, sequence }) => {
      const found = placeOf(kind);
      if (found === null || 'failure' in found) return false;
      const known = memory.destination(kind, found.place);
      if (kind === 'supabase') return known.archives.includes(id);
      return known.commit === id || (branch === known.branch && (sequence ?? 0) <= known.sequence);
    },
  };
}

function unconfirmed() {
  return toStored(new AppError('backup.kit_unconfirmed', 'The recovery kit of the present key was not confirmed yet.'));
}

/** `daily/memory_backup_....zip.gpg`; everything else than daily ones lies in `manual/`. */
export function bucketName(backupClass: string, name: string): string {
  return `${backupClass === 'daily' ? 'daily' : 'manual'}/${name}`;
}

export const AWAY: readonly Away[] = ['github', 'supabase'];
