import type { Settings } from '../../shared/settings.ts';
import type { WatchLimits } from './root-context.ts';

/** The settings of the watch in the units of the code. */
export function watchLimits({ watch }: Settings): WatchLimits {
  return {
    quietMs: watch.quiet_ms,
    maxWaitMs: watch.max_wait_ms,
    openFileWaitMs: watch.open_file_wait_seconds * 1_000,
    maxFileBytes: watch.max_file_mb * 1_000_000,
    rescanMs: watch.rescan_minutes * 60_000,
    holdOver: watch.hold_deletes_over,
    holdShare: watch.hold_deletes_share,
  };
}
