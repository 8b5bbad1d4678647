/** What a running agent does for its own data folder now and then: old logs go, broken contents are stored again. */
import type { Settings } from '../shared/settings.ts';
import type { Log } from './log/log.ts';
import { mendContents } from './mend-contents.ts';
import type { Store } from './store/database.ts';
import type { Parts } from './vault.ts';

const DAY_MS = 86_400_000;
/** Stored contents are looked at once after each start, when nobody waits for it, and for this long. */
const MEND_AFTER_MS = 600_000;
const MEND_MS = 100;
const MAX_LOG_ROWS = 100_000;

export type Upkeep = { readonly start: () => void; readonly stop: () => void };

export function createUpkeep(deps: {
  readonly nowMs: () => number;
  readonly settings: () => Settings;
  readonly log: Log;
  readonly store: Store;
  readonly parts: Pick<Parts, 'logs' | 'note'>;
  /** Forgets what ended before a time. */
  readonly sync: { readonly tidy: (beforeMs: number) => void };
}): Upkeep {
  const { nowMs, settings, log, store, parts, sync } = deps;
  const logger = log.component('agent');
  const timers: NodeJS.Timeout[] = [];

  const tidy = async (): Promise<void> => {
    const beforeMs = nowMs() - settings().logs.delete_after_days * DAY_MS;
    try {
      await log.tidy();
      parts.logs.prune(beforeMs, MAX_LOG_ROWS);
      sync.tidy(beforeMs);
    } catch (cause) {
      // A full disk, say: tomorrow again.
      logger.error('Old logs could not be cleared away.', { error: cause });
    }
  };
  const mend = async (): Promise<void> => {
    try {
      const { missing, damaged, mended } = await mendContents(store, MEND_MS);
      if (mended.length > 0)
        parts.note('agent.recovered', `${mended.length} stored contents were broken and are stored again.`);
      if (missing.length + damaged.length > 0)
        logger.error('Stored contents are broken, and no file holds them any more.', { missing, damaged });
    } catch (cause) {
      logger.error('Stored contents could not be looked after.', { error: cause });
    }
  };

  return {
    start: () => {
      timers.push(
        setInterval(() => void tidy(), DAY_MS),
        setTimeout(() => void mend(), MEND_AFTER_MS),
      );
      void tidy();
    },
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
