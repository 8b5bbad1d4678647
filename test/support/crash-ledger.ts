/**
 * What a writer did and what it was told: the oracle of the crash tests. It is written by the one who writes, never
 * read from the vault.
 */
import { hash } from 'node:crypto';
import type { EditableTable } from '../../src/main/store/record-fields.ts';

/** The content of a file by its SHA-256 in hex; null for no file. */
export type FileState = string | null;

export type LedgerLine =
  /** About to give a file of the root this content. */
  | { readonly kind: 'writes'; readonly path: string; readonly sha256: FileState }
  /** The agent said that these are durable. */
  | { readonly kind: 'captured'; readonly step: string; readonly files: Readonly<Record<string, FileState>> }
  | {
      readonly kind: 'recorded';
      readonly step: string;
      readonly table: EditableTable;
      readonly id: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /** The agent said that it could not; `code` is `bug` for what is no AppError. */
  | { readonly kind: 'failed'; readonly step: string; readonly code: string; readonly message: string }
  | { readonly kind: 'done' };

export type Ledger = {
  /** Every state each path was given, oldest first. */
  readonly writes: ReadonlyMap<string, readonly FileState[]>;
  readonly captured: readonly { readonly path: string; readonly sha256: FileState }[];
  readonly records: readonly Extract<LedgerLine, { kind: 'recorded' }>[];
  readonly failures: readonly Extract<LedgerLine, { kind: 'failed' }>[];
  readonly isDone: boolean;
};

export function toLedger(lines: readonly LedgerLine[]): Ledger {
  const writes = new Map<string, FileState[]>();
  for (const line of lines) {
    if (line.kind !== 'writes') continue;
    const states = writes.get(line.path) ?? [];
    writes.set(line.path, states);
    states.push(line.sha256);
  }
  return {
    writes,
    captured: lines.flatMap((line) =>
      line.kind === 'captured' ? Object.entries(line.files).map(([path, sha256]) => ({ path, sha256 })) : [],
    ),
    records: lines.filter((line) => line.kind === 'recorded'),
    failures: lines.filter((line) => line.kind === 'failed'),
    isDone: lines.some((line) => line.kind === 'done'),
  };
}

/** Reads the lines of a writer that may have been killed in the middle of one. */
export function readLedger(text: string): LedgerLine[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LedgerLine);
}

export function sha256Of(bytes: Buffer | string): string {
  return hash('sha256', bytes);
}
