/** The key of the backups as a person handles it: shown, printed as a kit, confirmed, replaced. */
import type { BackupKey } from '../../shared/contract-backup.ts';
import { AppError } from '../../shared/errors.ts';
import { archiveKeyOf, endingFits, makeKey, type OwnKey, replaceKeyFile } from './key-source.ts';
import { fingerprintOf, parseSecret, recoveryKit } from './keys.ts';
import type { ServiceParts } from './service-parts.ts';

export async function showKey({ keys, memory, repository }: ServiceParts): Promise<BackupKey> {
  let own: OwnKey | null;
  try {
    own = keys.current();
  } catch {
    // What is wrong with it is the problem of the repository.
    return { source: 'environment', kind: 'none', fingerprint: null, kitConfirmedAtMs: null };
  }
  if (own === null) return { source: 'none', kind: 'none', fingerprint: null, kitConfirmedAtMs: null };
  const { secret, source } = own;
  const fingerprint =
    secret.kind === 'key'
      ? fingerprintOf(secret.key)
      : await repository.reader().then(
          (reader) => reader?.fingerprint ?? null,
          () => null,
        );
  const { kit } = memory.read();
  const kitConfirmedAtMs = kit !== null && kit.fingerprint === fingerprint ? kit.atMs : null;
  return { source, kind: secret.kind, fingerprint, kitConfirmedAtMs };
}

/** The text that opens every backup: made when there was no key yet. */
export async function makeKit(parts: ServiceParts): Promise<{ text: string; fingerprint: string; fileName: string }> {
  const { secret } = parts.keys.ensure();
  const fingerprint = (await showKey(parts)).fingerprint ?? archiveKeyOf(secret).fingerprint;
  const text = recoveryKit(secret, fingerprint, { gitFolder: parts.repository.gitFolder() });
  return { text, fingerprint, fileName: `angles-recovery-kit-${fingerprint.slice(0, 9)}.txt` };
}

/** Who can type how the key ends has it before them. */
export async function confirmKit(parts: ServiceParts, ending: string): Promise<BackupKey> {
  const { secret } = parts.keys.ensure();
  if (!endingFits(secret, ending))
    throw new AppError('usage.bad_argument', 'This is not how the key ends.', {
      hint: 'Type the last characters of the key on your recovery kit: `angles key kit` shows it.',
    });
  const fingerprint = (await showKey(parts)).fingerprint ?? archiveKeyOf(secret).fingerprint;
  parts.memory.update({ kit: { fingerprint, atMs: parts.deps.nowMs() } });
  parts.deps.onState();
  return showKey(parts);
}

/**
 * The key of another machine becomes the one of this machine. Whoever gives it has it elsewhere, so that it counts as
 * confirmed. A key that has backups here is never put away.
 */
export async function importKey(parts: ServiceParts, given: string): Promise<BackupKey> {
  const { keys, repository, archives, deps, memory } = parts;
  return parts.exclusive.run('import of the key', async () => {
    const secret = parseSecret(given);
    if (secret.kind === 'passphrase')
      throw new AppError('backup.key_invalid', 'A passphrase is not kept in the data folder.', {
        hint: 'Set BACKUP_ENCRYPTION_KEY to it: the backups are wrapped with it from then on.',
      });
    const own = keys.current();
    if (own?.source === 'environment')
      throw new AppError('usage.bad_argument', 'The key comes from BACKUP_ENCRYPTION_KEY.', {
        hint: 'Set that to the other key, or remove it and import again.',
      });
    const isSame = own?.secret.kind === 'key' && own.secret.key.equals(secret.key);
    const hasBackups = repository.exists() || archives.kept.archives().length > 0;
    if (own !== null && !isSame && hasBackups)
      throw new AppError('usage.bad_argument', 'This machine has backups of another key already.', {
        hint: 'Wrap them with this one: `angles key rotate --key-file`. To read backups of another machine, give its key to `angles restore --key-file`.',
      });
    if (!isSame) {
      repository.close();
      replaceKeyFile(deps.dataFolder, secret.key);
    }
    memory.update({ kit: { fingerprint: fingerprintOf(secret.key), atMs: deps.nowMs() } });
    deps.onState();
    return showKey(parts);
  });
}

/** The repository is wrapped with another key; nothing is encrypted anew. The kit has to be confirmed again. */
export async function rotateKey(parts: ServiceParts, given: string | undefined): Promise<BackupKey> {
  const { keys, repository, deps } = parts;
  return parts.exclusive.run('change of the key', async () => {
    const { source } = keys.ensure();
    if (source === 'environment' && given === undefined)
      throw new AppError('usage.bad_argument', 'The key comes from BACKUP_ENCRYPTION_KEY, so it is not made here.', {
        hint: 'Give the next one with --key-file, and then set BACKUP_ENCRYPTION_KEY to it.',
      });
    const next = given === undefined ? makeKey() : parseSecret(given);
    if (source === 'generated' && next.kind === 'passphrase')
      throw new AppError('backup.key_invalid', 'A passphrase is not kept in the data folder.', {
        hint: 'Set BACKUP_ENCRYPTION_KEY to it: the backups are wrapped with it from then on.',
      });
    const writer = await repository.writer();
    await writer.rotateKey(next, () => {
      if (source === 'generated' && next.kind === 'key') replaceKeyFile(deps.dataFolder, next.key);
    });
    repository.close();
    deps.onState();
    return showKey(parts);
  });
}
