/** One step of the backup benchmark in a process of its own: prints its seconds and what it did as JSON. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createExclusive } from '../src/main/backup/exclusive.ts';
import { createRepository, openRepository } from '../src/main/backup/open-repository.ts';
import { openRepositorySource } from '../src/main/backup/repository-source.ts';
import { createRepositoryWriter } from '../src/main/backup/repository-writer.ts';
import { createRestorer } from '../src/main/backup/restorer.ts';
import { openBackupSource } from '../src/main/store/backup-source.ts';

const [step = '', home = '', target = ''] = process.argv.slice(2);
const secret = { kind: 'key', key: Buffer.alloc(32, 7) } as const;
const gitFolder = join(home, 'backups', 'local.git');

const steps: Readonly<Record<string, () => Promise<object>>> = {
  backup: async () => {
    mkdirSync(join(home, 'backups'), { recursive: true });
    const source = openBackupSource(home);
    const { deviceId } = source;
    source.close();
    const writer = createRepositoryWriter(createRepository({ gitFolder, secret, deviceId }), {
      dataFolder: home,
      agentVersion: '0.0.0',
      settings: () => ({}),
      nowMs: Date.now,
    });
    const { summary, objectsWritten, bytesWritten } = await writer.backup({
      reason: target === 'change' ? 'change' : 'manual',
    });
    writer.close();
    return { files: summary.files, objectsWritten, bytesWritten };
  },
  /** As `angles restore` does: planned, staged, read back, moved; durable when it ends. */
  restore: async () => {
    const reader = openRepository({ gitFolder, secret });
    const source = openRepositorySource(reader, reader.find('latest'));
    const restorer = createRestorer({
      dataFolder: home,
      nowMs: Date.now,
      exclusive: createExclusive(),
      keepSafe: async () => undefined,
      pauseWatching: async () => async () => undefined,
      records: null,
    });
    const prepared = await restorer.prepare(source, {
      target: { kind: 'folder', folder: target },
      only: [],
      tables: [],
      withFiles: true,
      allowRedacted: false,
      autoMigrate: false,
    });
    const plannedMs = performance.now();
    const phases: Record<string, number> = {};
    const { files } = await restorer.apply(source, prepared, {
      onProgress: ({ phase }) => {
        phases[phase] ??= Math.round(performance.now());
      },
    });
    reader.close();
    return { files, plannedMs: Math.round(plannedMs), phases };
  },
  one: async () => {
    const reader = openRepository({ gitFolder, secret });
    const { commit, roots } = reader.find('latest');
    const { length } = reader.readFile(commit, roots[0]?.rootId ?? 0, target);
    reader.close();
    return { length };
  },
  verify: async () => {
    const reader = openRepository({ gitFolder, secret });
    const { objects } = await reader.verify(reader.find('latest').commit);
    reader.close();
    return { objects };
  },
};

const cpuBefore = process.cpuUsage();
const what = await steps[step]?.();
/** Since the process began: loading the program counts. */
const seconds = performance.now() / 1_000;
const peakMb = Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1_024;
const cpu = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({ seconds, peakMb, cpuSeconds: (cpu.user + cpu.system) / 1e6, ...what }));
