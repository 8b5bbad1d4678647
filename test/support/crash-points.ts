/** All points of the crash scenario at which a process can be struck. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packPath, packsFolder } from '../../src/main/store/packs.ts';
import { EARLIER_PACK, earlierPackMark } from './crash-child.ts';
import { sha256Of } from './crash-ledger.ts';
import { createSandbox, type Sandbox } from './crash-run.ts';
import { FIRST_CHANGES, SECOND_CHANGES } from './crash-scenario.ts';
import { CRASH_CHILD, countCalls, type FaultPoint, nodeArgs, parseTrace, run, type TraceEvent } from './strace.ts';

/** Every call that changes a file or a folder, or makes such a change durable. */
export const CHANGING_CALLS = [
  'pwrite64',
  'write',
  'fsync',
  'fdatasync',
  'rename',
  'renameat2',
  'unlink',
  'unlinkat',
  'ftruncate',
  'link',
  'linkat',
  'mkdir',
] as const;

export type Traced = { readonly events: readonly TraceEvent[]; readonly sandbox: Sandbox };

/** One run of the scenario without a fault. The caller removes its sandbox. */
export async function traceScenario(): Promise<Traced> {
  const sandbox = createSandbox();
  const output = join(sandbox.base, 'trace');
  const calls = `trace=${CHANGING_CALLS.join(',')}`;
  // Strings whole and in hexadecimal: the pages that SQLite writes tell what they refer to.
  const strace = ['-f', '--seccomp-bpf', '-qq', '-y', '-xx', '-s', '8192', '-o', output, '-e', calls];
  const end = await run('strace', [...strace, ...nodeArgs(CRASH_CHILD, [sandbox.dataFolder, sandbox.root])]);
  if (end.code !== 0) throw new Error(`the scenario failed: ${end.stdout} ${end.stderr}`);
  return { events: parseTrace(readFileSync(output, 'latin1')), sandbox };
}

/** What a replay names: `fsync:17`, or with the files that the calls must be on, `rename:1@objects`, `write:2@journal`. */
export type NamedPoint = { readonly name: string; readonly at: (sandbox: Sandbox) => FaultPoint };

/**
 * strace counts the calls of each thread for itself, so `fsync:3` is met in the thread that is there first and the
 * object files, which a worker writes, need points of their own: by path.
 */
export function allPoints(events: readonly TraceEvent[]): NamedPoint[] {
  const points = [...countCalls(events)].flatMap(([call, count]) =>
    Array.from({ length: count }, (_, index) => namePoint(`${call}:${index + 1}`)),
  );
  const ofObjects = ['mkdir:1', 'mkdir:2', 'rename:1', 'rename:2', 'fsync:1', 'fsync:2', 'fsync:3', 'fsync:4'];
  const ofNewPacks = ['mkdir:1', 'fsync:1'];
  const ofPacks = ['pwrite64:1', 'pwrite64:2', 'fdatasync:1'];
  return [
    ...points,
    ...ofObjects.map((name) => namePoint(`${name}@objects`)),
    ...ofNewPacks.map((name) => namePoint(`${name}@newpacks`)),
    ...ofPacks.map((name) => namePoint(`${name}@packs`)),
  ];
}

export function namePoint(name: string): NamedPoint {
  const [, call = '', when = '', at] = /^(\w+):(\d+\+?)(?:@(objects|journal|packs|newpacks))?$/.exec(name) ?? [];
  if (call === '') throw new Error(`"${name}" is no point: write one like fsync:17`);
  return {
    name,
    at: ({ dataFolder }) => {
      if (at === undefined) return { call, when };
      return { call, when, paths: PATHS[at]?.(dataFolder) ?? [] };
    },
  };
}

const PATHS: Readonly<Record<string, (dataFolder: string) => string[]>> = {
  objects: objectPaths,
  journal: journalPaths,
  newpacks: (dataFolder) => [packsFolder(dataFolder)],
  // A pack is numbered by chance: to be struck it is there before, as one that is not full is.
  packs: (dataFolder) => {
    writeFileSync(earlierPackMark(dataFolder), '');
    return [packPath(dataFolder, EARLIER_PACK)];
  },
};

function journalPaths(dataFolder: string): string[] {
  const journal = join(dataFolder, 'journal', 'records.jsonl');
  return [journal, `${journal}.new`];
}

/** The folders and names of the object files of the scenario. */
function objectPaths(dataFolder: string): string[] {
  const objects = join(dataFolder, 'objects');
  const hashes = [...FIRST_CHANGES, ...SECOND_CHANGES].flatMap((change) =>
    'content' in change && change.content.length > 1_048_576 ? [sha256Of(change.content)] : [],
  );
  return [
    objects,
    ...hashes.flatMap((sha256) => [join(objects, sha256.slice(0, 2)), join(objects, sha256.slice(0, 2), sha256)]),
  ];
}

/** Evenly over each kind of call, the rare ones all. */
export function spread(points: readonly NamedPoint[], perCall: number): NamedPoint[] {
  const byCall = Map.groupBy(points, ({ name }) => name.replace(/:\d+/, ''));
  return [...byCall.values()].flatMap((same) => {
    const step = Math.max(1, same.length / perCall);
    return same.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
  });
}

/** Two at a time: as many as the smallest machine has cores. */
export async function inPairs<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all([lane(), lane()]);
}
