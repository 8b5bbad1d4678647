/** Backups in words: tables and lines that several commands print. */
import type { BackupItem, BackupKey, Destination, DrillReceipt } from '../../../shared/contract-backup.ts';
import type { Context } from './context.ts';
import { ago, displayPath, formatBytes, oneLine, plural, took, whenShort } from './format.ts';

/** The first characters of a commit, or the whole name of an archive: every command takes either. */
export function backupName(item: BackupItem): string {
  return item.kind === 'repository' ? item.id.slice(0, 10) : displayPath(item.id);
}

export function backupTable(context: Context, backups: readonly BackupItem[]): string[] {
  return context.table(
    [
      { title: 'BACKUP', cut: 'end' },
      { title: 'MADE' },
      { title: 'WHY' },
      { title: 'TAG' },
      { title: 'FILES', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'AT' },
    ],
    backups.map((item) => [
      backupName(item),
      whenShort(context, item.createdAtMs),
      item.reason,
      displayPath(item.tag ?? '-'),
      String(item.files),
      formatBytes(item.sizeBytes),
      item.where.join(', '),
    ]),
  );
}

export function describeBackup(context: Context, item: BackupItem): string[] {
  const { style } = context;
  const rows = Object.entries(item.tables).map(([name, count]) => `${name} ${count}`);
  const facts: [string, string][] = [
    ['Made', `${whenShort(context, item.createdAtMs)} (${item.reason})`],
    ['Tag', displayPath(item.tag ?? '-')],
    ['Files', `${plural(item.files, 'file')}, ${formatBytes(item.sizeBytes)}`],
    ['Tables', rows.length === 0 ? '-' : rows.join(', ')],
    ['Encrypted', item.isEncrypted ? 'yes' : 'no'],
    ['Proven', item.verifiedAtMs === null ? 'not yet' : ago(context, item.verifiedAtMs)],
    ['At', item.where.join(', ')],
    ...(item.incomplete > 0 ? [['Incomplete', plural(item.incomplete, 'file')] as [string, string]] : []),
    ...(item.redacted > 0 ? [['Redacted', plural(item.redacted, 'file')] as [string, string]] : []),
  ];
  return [style.bold(displayPath(item.id)), ...facts.map(([name, value]) => `${style.dim(name.padEnd(10))} ${value}`)];
}

export function describeDestinations(context: Context, destinations: readonly Destination[]): string[] {
  const { style } = context;
  const word = {
    ok: style.green('ok'),
    behind: style.yellow('behind'),
    needs_you: style.red('needs you'),
    off: style.dim('off'),
  };
  return destinations.flatMap(({ kind, place, state, problem, behind }) => {
    if (state === 'off') return [];
    const line = `${kind.padEnd(10)} ${word[state]}  ${oneLine(place ?? '')}${behind > 0 ? ` (lacks ${behind})` : ''}`;
    return problem === null ? [line] : [line, `  ${oneLine(problem.message)}`, `  ${oneLine(problem.fix)}`];
  });
}

export function describeReceipt(context: Context, receipt: DrillReceipt): string[] {
  const { style } = context;
  const what = `${plural(receipt.files, 'file')} (${formatBytes(receipt.bytes)}), ${plural(receipt.rows, 'row')} in ${took(receipt.durationMs)}`;
  if (receipt.passed) return [`${style.green('Proven.')} ${what} came back byte for byte.`];
  return [
    `${style.red('Not proven.')} ${what}; ${plural(receipt.differences.length, 'difference')}:`,
    ...receipt.differences.map((each) => `  ${oneLine(each)}`),
  ];
}

export function describeKey(context: Context, key: BackupKey): string[] {
  const source = {
    generated: 'made by Angles, in the data folder',
    environment: 'your own, from BACKUP_ENCRYPTION_KEY',
    none: 'none yet: it is made with the first backup',
  }[key.source];
  const kit =
    key.kitConfirmedAtMs !== null
      ? `confirmed ${ago(context, key.kitConfirmedAtMs)}`
      : key.source === 'generated'
        ? context.style.yellow('not confirmed: nothing is sent elsewhere until it is (`angles key kit`)')
        : '-';
  return [`Key          ${source}`, `Fingerprint  ${key.fingerprint ?? '-'}`, `Kit          ${kit}`];
}
