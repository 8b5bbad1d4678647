import { useEffect, useState } from 'preact/hooks';
import type { BackupProgressView } from '../../../shared/contract-backup.ts';
import { useApp } from '../../app-context.ts';
import { takeBackupProgress } from '../../data/backup-view.ts';

/** What runs right now: from the status at first, then from each report. null when nothing runs. */
export function useBackupProgress(known: BackupProgressView | null | undefined): BackupProgressView | null {
  const { client } = useApp();
  const [progress, setProgress] = useState<BackupProgressView | null>(known ?? null);
  useEffect(() => {
    if (known !== undefined) setProgress((before) => (known === null ? null : takeBackupProgress(before, known)));
  }, [known]);
  useEffect(
    () => client.on('backup-progress', (report) => setProgress((before) => takeBackupProgress(before, report))),
    [client],
  );
  return progress;
}
