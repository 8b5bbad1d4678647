import { join } from 'node:path';
import { describeRoot } from './agent-status.ts';
import type { ApiParts } from './api-parts.ts';
import { type MendedContents, mendContents } from './mend-contents.ts';
import type { DoctorFacts } from './ops/health/facts.ts';
import { gatherFacts } from './ops/health/gather.ts';
import { clockMs } from './store/clock.ts';
import { sqliteVersion } from './store/database.ts';
import { startQuickCheck } from './store/quick-check.ts';

const CONTENTS_MS = 300;

/** Gathers what the checks look at. Reads the whole vault file (in a thread of its own). */
export async function collectDoctorFacts(all: ApiParts): Promise<DoctorFacts> {
  const { host, mode, parts, watch, settings, log, logFlush, vault } = all;
  const { warnings, off } = settings.show();
  const waiting = parts.search.waiting();
  const newest = vault.store.clock.last();
  return {
    ...gatherFacts(host.dataFolder),
    nowMs: host.nowMs(),
    lock: mode === 'running' ? { holder: 'self', pid: process.pid } : { holder: 'none' },
    vault: {
      sqliteVersion: sqliteVersion(vault.store.db),
      quickCheck: (await startQuickCheck(host.dataFolder)) ?? 'ok',
      newestMs: newest === 0 ? null : clockMs(newest),
    },
    contents: describeContents(await mendContents(vault.store, CONTENTS_MS)),
    roots: parts.roots
      .list()
      .map((root) => describeRoot(root, parts.roots.counts(root.rootId), watch.condition(root.rootId))),
    search: { waiting, waitingSinceMs: waiting === 0 ? null : parts.files.totals().lastCaptureAtMs },
    log: {
      failing: log.stats().failing,
      droppedFromDisk: log.stats().dropped,
      droppedFromVault: logFlush.stats().dropped,
      folder: join(host.dataFolder, 'logs'),
    },
    settings: { warnings, off },
    sync: {
      status: all.sync.status(),
      warnUnsent: settings.current().health_check.max_unsynced_warning,
      errorUnsent: settings.current().health_check.max_unsynced_error,
    },
    backup: await readBackup(all),
    watchedFolders: mode === 'running' ? watch.folders() : null,
  };
}

const SAMPLE = 5;

function describeContents({ checked, missing, damaged, mended }: MendedContents): DoctorFacts['contents'] {
  const summarise = (hashes: readonly string[]) => ({ count: hashes.length, sample: hashes.slice(0, SAMPLE) });
  return { checked, missing: summarise(missing), damaged: summarise(damaged), mended: mended.length };
}

async function readBackup({ backup, log }: ApiParts): Promise<DoctorFacts['backup']> {
  try {
    return await (await backup.service()).status();
  } catch (error) {
    log.component('backup').error('How backups stand could not be read.', { error });
    return null;
  }
}
