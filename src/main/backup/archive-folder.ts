/** The local folder of archives: what lies in it, and what is known of each beside it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { syncFolder } from '../durable.ts';
import { parseArchiveName } from './archive-format.ts';
import type { ArchiveReceipt } from './archive-write.ts';
import type { KeptBackup, RetentionClass, RetentionRemote } from './retention.ts';

export type ListedArchive = KeptBackup & {
  readonly file: string;
  readonly tag: string | null;
  readonly isEncrypted: boolean;
  /** What the agent wrote down when it made it; null for an archive that came from elsewhere. */
  readonly receipt: ArchiveReceipt | null;
};

export type ArchiveFolder = RetentionRemote & {
  /** Newest first. */
  readonly archives: () => readonly ListedArchive[];
  /** Notes that an archive was written and proven; durable when it returns. */
  readonly note: (receipt: ArchiveReceipt, backupClass: RetentionClass) => void;
  /** Keeps an archive whatever its age, or not any more. Throws `not_found.backup`. */
  readonly pin: (name: string, isPinned: boolean) => void;
  /** Removes notes that a kill left without their archive, or half written. For the start. */
  readonly tidy: () => void;
};

type Note = { readonly receipt: ArchiveReceipt; readonly backupClass: RetentionClass; readonly isPinned: boolean };

/** Notes lie beside their archives as `.<name>.json`, so that moving the folder moves them. */
export function createArchiveFolder(folder: string): ArchiveFolder {
  const notePath = (name: string): string => join(folder, `.${name}.json`);
  const writeNote = (name: string, note: Note): void => {
    const next = `${notePath(name)}.new`;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(next, `${JSON.stringify(note)}\n`, { mode: 0o600, flush: true });
      renameSync(next, notePath(name));
      syncFolder(folder);
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : '';
      if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause;
      throw new AppError('data.full', `No space is left for the note beside ${displayPath(name)}.`, {
        cause,
        retryable: true,
      });
    }
  };
  const readNote = (name: string): Note | null => {
    try {
      return JSON.parse(readFileSync(notePath(name), 'utf8')) as Note;
    } catch {
      // None, or damaged: then it counts as never proven.
      return null;
    }
  };
  const archives = (): ListedArchive[] => {
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .flatMap((name): ListedArchive[] => {
        const named = parseArchiveName(name);
        if (named === null) return [];
        const file = join(folder, name);
        const stat = statSync(file, { throwIfNoEntry: false });
        if (stat?.isFile() !== true) return [];
        const note = readNote(name);
        // Another file under the name of a proven one is not proven.
        const isVerified = note !== null && note.receipt.sizeBytes === stat.size;
        return [
          {
            id: name,
            file,
            backupClass: note?.backupClass ?? 'manual',
            createdAtMs: note?.receipt.createdAtMs ?? named.createdAtMs,
            sizeBytes: stat.size,
            isVerified,
            // What somebody else put here is not ours to remove.
            isPinned: note?.isPinned ?? true,
            tag: named.tag,
            isEncrypted: named.isEncrypted,
            receipt: note?.receipt ?? null,
          },
        ];
      })
      .sort((a, b) => b.createdAtMs - a.createdAtMs);
  };
  return {
    archives,
    list: async () => archives(),
    remove: async (id) => {
      if (parseArchiveName(id) === null) throw new AppError('not_found.backup', `${id} is no archive.`);
      rmSync(join(folder, id), { force: true });
      rmSync(notePath(id), { force: true });
      syncFolder(folder);
    },
    note: (receipt, backupClass) => {
      const name = receipt.file.slice(receipt.file.lastIndexOf('/') + 1);
      writeNote(name, { receipt, backupClass, isPinned: false });
    },
    pin: (name, isPinned) => {
      const note = readNote(name);
      if (note === null) throw new AppError('not_found.backup', `${name} is no archive that this agent made.`);
      writeNote(name, { ...note, isPinned });
    },
    tidy: () => {
      if (!existsSync(folder)) return;
      const names = new Set(readdirSync(folder));
      for (const name of names) {
        const [, archive = '', isHalf] = /^\.(memory_backup_.*)\.json(\.new)?$/.exec(name) ?? [];
        if (archive !== '' && (isHalf !== undefined || !names.has(archive)))
          rmSync(join(folder, name), { force: true });
      }
    },
  };
}
