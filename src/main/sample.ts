/** Fills a vault with the sample data, as a week of work would have. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OpenAgent, ShellAgent } from './api-types.ts';
import type { Host } from './host.ts';
import {
  CONFLICTS,
  SAMPLE_NOW_MS,
  type SampleDay,
  type SampleFile,
  type SampleFolder,
  TODAY,
  WEEK,
} from './sample-content.ts';
import type { SamplePlace } from './sample-place.ts';
import { createConflictStore } from './store/conflicts.ts';
import { openStore } from './store/database.ts';

export type SampleNeeds = {
  readonly place: SamplePlace;
  readonly openAgent: OpenAgent;
  readonly version: string;
  readonly nowMs: number;
};

/** Writes the files and the vault. No agent may run on the place meanwhile. Takes some seconds. */
export async function fillSample(needs: SampleNeeds): Promise<void> {
  const { place, nowMs } = needs;
  const shiftMs = nowMs - SAMPLE_NOW_MS;
  const folders: Readonly<Record<SampleFolder, string>> = {
    notes: join(place.folder, 'notes'),
    atlas: join(place.folder, 'projects', 'atlas', 'docs'),
  };
  const days: readonly SampleDay[] = [
    ...WEEK,
    { time: new Date(SAMPLE_NOW_MS - 3 * 60_000).toISOString(), files: TODAY },
  ];
  const ids = new Map<string, string>();
  for (const [index, day] of days.entries()) {
    const atMs = Date.parse(day.time) + shiftMs;
    for (const file of day.files) save(folders, file, atMs);
    await withAgent(needs, atMs, async ({ api: { methods } }) => {
      if (index === 0) for (const path of Object.values(folders)) await methods['roots.add']({ path });
      await methods['scan.run']({});
      await writeRecords(methods, day, ids);
      // Yesterday's work is in a backup.
      if (index === days.length - 2) await methods['backups.run']({});
    });
  }
  disagree(place.dataFolder, ids, nowMs, shiftMs);
}

/** As it was a minute before its day's agent looked: long enough ago to count as written. */
function save(folders: Readonly<Record<SampleFolder, string>>, [folder, path, text]: SampleFile, atMs: number): void {
  const file = join(folders[folder], path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  utimesSync(file, atMs / 1_000 - 60, atMs / 1_000 - 60);
}

/** An agent for one moment of the past, which looks once. */
async function withAgent(
  { place, openAgent, version }: SampleNeeds,
  atMs: number,
  work: (agent: ShellAgent) => Promise<void>,
): Promise<void> {
  const host: Host = {
    dataFolder: place.dataFolder,
    environment: place.environment,
    version,
    shell: 'command',
    nowMs: () => atMs,
    notify: () => undefined,
    onPower: () => () => undefined,
  };
  const agent = await openAgent(host, 'offline');
  try {
    await agent.start();
    await work(agent);
  } finally {
    await agent.stop();
  }
}

/** @param ids gets the id of each decision by its title */
async function writeRecords(
  methods: ShellAgent['api']['methods'],
  { decisions = [], memories = [] }: SampleDay,
  ids: Map<string, string>,
): Promise<void> {
  for (const fields of decisions) {
    const { record } = await methods['records.create']({ table: 'decision_vault', fields, origin: 'cli' });
    ids.set(fields.title, record.id);
  }
  for (const fields of memories) await methods['records.create']({ table: 'memories', fields, origin: 'dashboard' });
}

/** What two sides of a service changed at once, as sync notes it. */
function disagree(dataFolder: string, ids: ReadonlyMap<string, string>, nowMs: number, shiftMs: number): void {
  const store = openStore({ dataFolder, nowMs: () => nowMs });
  try {
    const conflicts = createConflictStore(store);
    store.write((tx) => {
      for (const { title, mineEditedAtMs, theirsEditedAtMs, ...conflict } of CONFLICTS) {
        const recordId = ids.get(title);
        if (recordId === undefined) throw new Error(`The sample has no decision "${title}".`);
        conflicts.add(tx, {
          ...conflict,
          remote: 'notion',
          table: 'decision_vault',
          recordId,
          mineEditedAtMs: mineEditedAtMs + shiftMs,
          theirsEditedAtMs: theirsEditedAtMs + shiftMs,
        });
      }
    });
  } finally {
    store.close();
  }
}
