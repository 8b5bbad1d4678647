import type { AgentClient } from '../../../shared/contract.ts';
import type { BackupProgressView } from '../../../shared/contract-backup.ts';
import type { Context } from './context.ts';
import { formatBytes, formatDuration, grouped } from './format.ts';

/** Shows what a long backup or restore is at while `work` runs: one line that changes, on a terminal only. */
export async function withProgress<T>(context: Context, client: AgentClient, work: () => Promise<T>): Promise<T> {
  const { stderr } = context.io;
  if (!stderr.isTTY || context.global.json) return work();
  let isShown = false;
  const stop = client.on('backup-progress', (progress) => {
    isShown = true;
    stderr.write(`\r\u001b[K${lineOf(progress).slice(0, Math.max(10, stderr.columns - 1))}`);
  });
  try {
    return await work();
  } finally {
    stop();
    if (isShown) stderr.write('\r\u001b[K');
  }
}

function lineOf({ operation, phase, doneItems, totalItems, doneBytes, etaMs }: BackupProgressView): string {
  const items = totalItems > 0 ? ` ${grouped(doneItems)} of ${grouped(totalItems)}` : '';
  const bytes = doneBytes > 0 ? `, ${formatBytes(doneBytes)}` : '';
  const eta = etaMs === null ? '' : `, about ${formatDuration(etaMs)} left`;
  return `${operation}: ${phase}${items}${bytes}${eta}`;
}
