/** What is said of a remote, from what is stored and what runs. Pure. */
import { z } from 'zod';
import type { RemoteStatus, SyncHold, SyncLeader, SyncState } from '../../shared/contract-sync.ts';
import { type AppError, ERROR_CATALOGUE, type ErrorCode } from '../../shared/errors.ts';
import { type ErrorClass, errorClassOf } from './connector.ts';

/** The last failure of a remote, as it is stored. */
export type Failure = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly class: ErrorClass;
};

/** Keys are tried this often before a person has to give another one. */
export const KEY_TRIES = 3;

export type RemoteFacts = {
  readonly isConfigured: boolean;
  /** There is a connector for it. */
  readonly isConnected: boolean;
  /** An agent runs, which sends and reads by itself. */
  readonly isRunning: boolean;
  readonly isActive: boolean;
  readonly isSafeMode: boolean;
  /** Until when a person lets sending rest. */
  readonly pausedUntilMs: number | null;
  readonly failure: Failure | null;
  readonly failures: number;
  readonly hold: SyncHold | null;
  readonly leader: SyncLeader | null;
  readonly paused: RemoteStatus['paused'];
  readonly waiting: number;
  readonly parked: number;
  /** The code of the oldest parked entry. */
  readonly parkedCode: string | null;
};

export type StateWords = Pick<RemoteStatus, 'state' | 'reason' | 'fix' | 'code'>;

export function describeRemote(facts: RemoteFacts): StateWords {
  const { failure, hold } = facts;
  if (!facts.isConfigured || !facts.isConnected) return fromCatalogue('off', 'sync.off');
  if (hold !== null) return held(hold);
  if (facts.isSafeMode) return fromCatalogue('needs_you', 'sync.safe_mode');
  if (failure !== null && needsPerson(failure, facts.failures)) return failed('needs_you', failure);
  const [pause] = facts.paused;
  if (pause !== undefined) return pausedWords(pause, facts.paused.length);
  if (failure !== null) return failed('offline', failure);
  if (!facts.isRunning) return { ...quiet('off'), reason: 'No agent is running.', fix: 'Start it: `angles start`.' };
  if (facts.pausedUntilMs !== null) {
    const until = new Date(facts.pausedUntilMs).toISOString().slice(0, 16).replace('T', ' ');
    return { ...quiet('ok'), reason: `Sending rests until ${until} UTC.`, fix: 'End it: `angles resume`.' };
  }
  if (facts.leader !== null && facts.leader.kind !== 'this_device')
    return { ...quiet('ok'), reason: leaderText(facts.leader) };
  if (facts.isActive || facts.waiting > 0) return quiet('syncing');
  if (facts.parked > 0 && facts.parkedCode !== null) return parked(facts.parked, facts.parkedCode);
  return quiet('ok');
}

function leaderText({ kind }: SyncLeader): string {
  return kind === 'other_device'
    ? 'Another device talks to it for all devices.'
    : 'No device talks to it just now; one takes over within a minute.';
}

/** Whether only a person can get this remote going again. */
export function needsPerson(failure: Failure, failures: number): boolean {
  if (failure.class === 'reauth') return failures >= KEY_TRIES;
  return failure.class === 'blocked';
}

const quiet = (state: SyncState): StateWords => ({ state, reason: null, fix: null, code: null });

function fromCatalogue(state: SyncState, code: ErrorCode): StateWords {
  const { title, meaning, fix } = ERROR_CATALOGUE[code];
  return { state, reason: `${title} ${meaning}`, fix, code };
}

function failed(state: SyncState, { code, message, hint }: Failure): StateWords {
  const { title, meaning } = ERROR_CATALOGUE[code];
  return {
    state,
    reason: [title, message === title ? '' : message, meaning].filter(Boolean).join(' '),
    fix: hint,
    code,
  };
}

function held(hold: SyncHold): StateWords {
  const code = hold.kind === 'replaced' ? 'remote.replaced' : 'sync.held';
  const { meaning, fix, title } = ERROR_CATALOGUE[code];
  if (hold.kind === 'replaced') return { state: 'needs_you', reason: `${title} ${meaning}`, fix, code };
  const where = hold.kind === 'pull' ? 'here' : 'over there';
  const what = `${hold.deletes} records would be retired and ${hold.overwrites} overwritten ${where}, of ${hold.total}.`;
  return { state: 'needs_you', reason: `${what} ${meaning}`, fix, code };
}

function pausedWords({ table, reason, fix, code }: RemoteFacts['paused'][number], count: number): StateWords {
  const others = count === 1 ? 'the other tables go on' : `${count - 1} more like it; the others go on`;
  return { state: 'needs_you', reason: `${table} pauses (${others}): ${reason}`, fix, code };
}

function parked(count: number, code: string): StateWords {
  const known = Object.hasOwn(ERROR_CATALOGUE, code)
    ? ERROR_CATALOGUE[code as ErrorCode]
    : ERROR_CATALOGUE['remote.rejected'];
  const reason = `${count} ${count === 1 ? 'record is' : 'records are'} set aside. ${known.title}`;
  return { state: 'needs_you', reason, fix: 'Look at them with `angles queue list --state parked`.', code };
}

export function failureOf(error: AppError): Failure {
  return { code: error.code, message: error.message, hint: error.hint, class: errorClassOf(error.code) };
}

const storedFailure = z.object({
  code: z.string().refine((code): code is ErrorCode => Object.hasOwn(ERROR_CATALOGUE, code)),
  message: z.string(),
  hint: z.string(),
});

/** Null for what this version cannot read: then the remote is tried again. */
export function parseFailure(json: string | null): Failure | null {
  if (json === null) return null;
  const parsed = storedFailure.safeParse(JSON.parse(json));
  return parsed.success ? { ...parsed.data, class: errorClassOf(parsed.data.code) } : null;
}
