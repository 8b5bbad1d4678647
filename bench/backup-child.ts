/** One step of the backup benchmark in a process of its own: prints its seconds and what it did as JSON. */
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRepository, openRepository } from '../src/main/backup/open-repository.ts';
import { createRepositoryWriter, type WriterDeps } from '../src/main/backup/repository-writer.ts';
import { openBackupSource } from '../src/main/store/backup-source.ts';

const [step = '', home = '', target = ''] = process.argv.slice(2);
const secret = { kind: 'key', key: Buffer.alloc(32, 7) } as const;
const gitFolder = join(home, 'backups', 'local.git');
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

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
      logger: quiet as unknown as WriterDeps['logger'],
      nowMs: Date.now,
    });
    const { summary, objectsWritten, bytesWritten } = await writer.backup({
      reason: target === 'change' ? 'change' : 'manual',
    });
    writer.close();
    return { files: summary.files, objectsWritten, bytesWritten };
  },
  restore: async () => {
    const reader = openRepository({ gitFolder, secret });
    const made = new Set<string>();
    let files = 0;
    for (const { entry, content } of reader.contents(reader.find('latest').commit)) {
      const file = join(target, entry.path);
      const folder = dirname(file);
      if (!made.has(folder)) mkdirSync(folder, { recursive: true });
      made.add(folder);
      writeFileSync(file, content ?? '', { mode: entry.mode ?? 0o644 });
      utimesSync(file, (entry.mtimeUs ?? 0) / 1e6, (entry.mtimeUs ?? 0) / 1e6);
      files += 1;
    }
    reader.close();
    return { files };
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
const started = performance.now();
const what = await steps[step]?.();
const seconds = (performance.now() - started) / 1_000;
const peakMb = Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1_024;
const cpu = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({ seconds, peakMb, cpuSeconds: (cpu.user + cpu.system) / 1e6, ...what }));
