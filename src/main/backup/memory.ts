/** What the backups remember between two runs of the agent: small facts, each durable when it is set. */
import type { ErrorCode } from '../../shared/errors.ts';

/** Somebody who keeps texts by name: the vault. */
export type FactStore = {
  readonly get: (key: string) => string | null;
  readonly set: (key: string, value: string) => void;
};

export type StoredProblem = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
};

export type BackupMemory = {
  readonly firstSeenAtMs: number;
  /** Everything up to this change number is in a backup. */
  readonly coveredChange: number;
  /** When it was last known that everything is in a backup, whether one had to be written or not. */
  readonly lastSuccessAtMs: number | null;
  readonly lastDailyAtMs: number | null;
  readonly lastConfigAtMs: number | null;
  readonly configSha256: string | null;
  readonly lastPruneAtMs: number | null;
  readonly lastDrillTryAtMs: number | null;
  readonly firstBackupAtMs: number | null;
  /** Everything up to this change number is in an archive. */
  readonly archivedChange: number;
  readonly lastArchiveAtMs: number | null;
  readonly archiveProblem: StoredProblem | null;
  readonly repositoryBytes: number | null;
  /** What was said about the last backup. */
  readonly warnings: readonly string[];
  readonly failures: number;
  readonly notBeforeMs: number | null;
  readonly problem: StoredProblem | null;
  /** The recovery kit of this key was confirmed. */
  readonly kit: { readonly fingerprint: string; readonly atMs: number } | null;
  /** Folder below `backups`; null for the one in the settings. */
  readonly repository: string | null;
  readonly branch: string | null;
  /** Backups that were proven again, and when: the newest ones. */
  readonly verified: Readonly<Record<string, number>>;
};

export type DestinationMemory = {
  readonly place: string;
  readonly failures: number;
  readonly lastSuccessAtMs: number | null;
  readonly notBeforeMs: number | null;
  readonly problem: StoredProblem | null;
  /** The newest commit that is there, proven by reading back, and its number on the branch. */
  readonly commit: string | null;
  readonly branch: string | null;
  readonly sequence: number;
  /** Archives that are there, proven by reading back. */
  readonly archives: readonly string[];
  readonly sizeBytes: number | null;
};

export type Memory = {
  readonly read: () => BackupMemory;
  readonly update: (change: Partial<BackupMemory>) => void;
  /** What is known of a destination at this place; of another place before, nothing. */
  readonly destination: (kind: 'github' | 'supabase', place: string) => DestinationMemory;
  readonly updateDestination: (kind: 'github' | 'supabase', next: DestinationMemory) => void;
};

const KEY = 'backup';
const MOST_VERIFIED = 200;

export function createMemory(facts: FactStore, nowMs: () => number): Memory {
  const parse = <T>(text: string | null): T | null => {
    try {
      return text === null ? null : (JSON.parse(text) as T);
    } catch {
      // Damaged: then nothing is remembered, and everything is looked at again.
      return null;
    }
  };
  let current: BackupMemory | null = null;
  const read = (): BackupMemory => {
    current ??= { ...nothing(nowMs()), ...parse<Partial<BackupMemory>>(facts.get(KEY)) };
    return current;
  };
  return {
    read,
    update: (change) => {
      const next = { ...read(), ...change };
      const verified = Object.entries(next.verified).sort(([, a], [, b]) => b - a);
      current = { ...next, verified: Object.fromEntries(verified.slice(0, MOST_VERIFIED)) };
      facts.set(KEY, JSON.stringify(current));
    },
    destination: (kind, place) => {
      const known = parse<DestinationMemory>(facts.get(`${KEY}.${kind}`));
      return known?.place === place ? known : { ...NOWHERE, place };
    },
    updateDestination: (kind, next) => facts.set(`${KEY}.${kind}`, JSON.stringify(next)),
  };
}

const NOWHERE = {
  failures: 0,
  lastSuccessAtMs: null,
  notBeforeMs: null,
  problem: null,
  commit: null,
  branch: null,
  sequence: 0,
  archives: [],
  sizeBytes: null,
} as const;

function nothing(nowMs: number): BackupMemory {
  return {
    firstSeenAtMs: nowMs,
    coveredChange: 0,
    lastSuccessAtMs: null,
    lastDailyAtMs: null,
    lastConfigAtMs: null,
    configSha256: null,
    lastPruneAtMs: null,
    lastDrillTryAtMs: null,
    firstBackupAtMs: null,
    archivedChange: 0,
    lastArchiveAtMs: null,
    archiveProblem: null,
    repositoryBytes: null,
    warnings: [],
    failures: 0,
    notBeforeMs: null,
    problem: null,
    kit: null,
    repository: null,
    branch: null,
    verified: {},
  };
}
