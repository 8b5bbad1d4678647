import { useEffect, useState } from 'preact/hooks';
import type { BackupProgressView, BackupStatus } from '../../../shared/contract-backup.ts';
import { useApp } from '../../app-context.ts';
import { takeBackupProgress } from '../../data/backup-view.ts';

/**
 * What runs right now: from each reading of the status, and from each report in between. null when nothing runs.
 * Without a status it knows only of what is reported while it looks.
 */
export function useBackupProgress(status: Pick<BackupStatus, 'progress'> | undefined): BackupProgressView | null {
  const { client } = useApp();
  const [progress, setProgress] = useState<BackupProgressView | null>(status?.progress ?? null);
  // By the reading and not by its value: one that says again that nothing runs ends what was reported in between.
  useEffect(() => {
    if (status === undefined) return;
    const { progress: known } = status;
    setProgress((before) => (known === null ? null : takeBackupProgress(before, known)));
  }, [status]);
  useEffect(
    () => client.on('backup-progress', (report) => setProgress((before) => takeBackupProgress(before, report))),
    [client],
  );
  return progress;
}
