/**
 * The one error type of the program and the catalogue of everything that is expected to go wrong.
 * Anything that is not an AppError is a bug: it is logged with its stack and the agent stays alive.
 */

type CatalogueEntry = {
  /** What happened, in words of the user. */
  readonly title: string;
  /** What it means for the user's data. */
  readonly meaning: string;
  /** What to do now. */
  readonly fix: string;
  /** Process exit code of a command that ends with this error (the table is in README.md). */
  readonly exitCode: number;
};

const entry = (title: string, meaning: string, fix: string, exitCode = 1): CatalogueEntry => ({
  title,
  meaning,
  fix,
  exitCode,
});

const NOTHING_CHANGED = 'Nothing was changed.';

/** Every expected failure, by code. The codes are stable: scripts and documentation refer to them. */
export const ERROR_CATALOGUE = {
  'usage.unknown_command': entry('There is no such command.', NOTHING_CHANGED, 'Run `angles --help` for the list.', 64),
  'usage.bad_argument': entry(
    'An argument is not valid.',
    NOTHING_CHANGED,
    'Run the command with `--help` for its form.',
    64,
  ),
  'not_found.file': entry(
    'The vault knows no such file.',
    NOTHING_CHANGED,
    'Run `angles files` to list what is captured.',
  ),
  'not_found.snapshot': entry(
    'There is no such version.',
    NOTHING_CHANGED,
    'Run `angles history PATH` to list its versions.',
  ),
  'not_found.record': entry('There is no such record.', NOTHING_CHANGED, 'List the records to find its id.'),
  'not_found.root': entry(
    'This folder is not watched.',
    NOTHING_CHANGED,
    'Run `angles roots` to list the watched folders.',
  ),
  'ambiguous.id': entry(
    'More than one record has an id like this.',
    NOTHING_CHANGED,
    'Give more characters of the id.',
  ),
  'ambiguous.path': entry(
    'More than one watched folder has a file of this name.',
    NOTHING_CHANGED,
    'Give the absolute path.',
  ),
  'config.syntax': entry(
    'The settings file is not valid JSON.',
    'The agent did not start; no data was touched.',
    'Correct the place named above.',
    64,
  ),
  'config.invalid': entry(
    'A setting has a value that cannot be used.',
    'The agent keeps its earlier settings; no data was touched.',
    'Correct the setting named above, or remove it to use the default.',
    64,
  ),
  'config.unknown_key': entry(
    'The settings file has a key that does not exist.',
    'It is refused so that a spelling mistake never switches something off silently.',
    'Rename or remove the key.',
    64,
  ),
  'config.overridden': entry(
    'This is set in the environment of the agent.',
    'Nothing was changed: what the environment says wins.',
    'Change it where the agent is started, or remove it there to set it here.',
  ),
  'config.unreadable': entry(
    'The settings file cannot be read.',
    'Nothing was changed; its settings are not in force.',
    'Check the owner and the mode of the file.',
  ),
  'config.unwritable': entry(
    'The settings file cannot be written.',
    'The earlier settings stay in force.',
    'Check the owner and the mode of the data folder.',
  ),
  'data.unwritable': entry(
    'The data folder cannot be written.',
    'Nothing can be captured until it can.',
    'Check owner and mode of the folder, or set ANGLES_HOME to another one.',
    2,
  ),
  'data.held': entry(
    'Another agent holds this data folder.',
    'It goes on working; this start changed nothing.',
    'Use the running agent, or stop it first with `angles stop`.',
    8,
  ),
  'data.from_future': entry(
    'This vault was written by a newer version of Angles.',
    'It was not opened, so nothing in it can be harmed.',
    'Install the newer version again.',
    2,
  ),
  'data.foreign': entry(
    'The vault file is not a vault of Angles.',
    'It was not touched.',
    'Set ANGLES_HOME to another folder, or move that file away.',
    2,
  ),
  'data.corrupt': entry(
    'The vault file is damaged.',
    'The damaged file is kept aside; everything readable was carried into a new vault and the watched folders are read again.',
    'Read the recovery report named above.',
    2,
  ),
  'data.migration_failed': entry(
    'The vault could not be brought to this version.',
    'The migration was rolled back; the vault is as it was.',
    'Send the report of `angles doctor --json`.',
    2,
  ),
  'data.full': entry(
    'The disk is full.',
    'Nothing that was captured is lost; new saves wait and are captured when there is space.',
    'Free some space on the disk of the data folder.',
  ),
  'data.io_error': entry(
    'The disk of the data folder failed.',
    'Nothing that was acknowledged is lost; new saves wait and are tried again.',
    'Check the disk of the data folder; `angles doctor` tests the vault.',
    2,
  ),
  'data.sqlite_too_old': entry(
    'The SQLite in use has a known defect that can damage a vault.',
    'The vault was not opened.',
    'Install the dependencies again with `npm ci`.',
    2,
  ),
  'root.missing': entry(
    'The folder does not exist.',
    'What was captured from it before is safe.',
    'Create the folder, connect its disk, or remove it from the watched folders.',
  ),
  'root.not_a_directory': entry('This is a file, not a folder.', NOTHING_CHANGED, 'Give the folder that holds it.'),
  'root.unreadable': entry(
    'The folder cannot be read.',
    'Nothing in it is captured until it can.',
    'Give the user that runs the agent the right to read it.',
  ),
  'root.nested': entry(
    'The folder lies inside, or around, one that is watched already.',
    NOTHING_CHANGED,
    'Watch the outer one only, and exclude parts with .anglesignore.',
  ),
  'root.duplicate': entry('This folder is watched already.', NOTHING_CHANGED, 'Nothing needs to be done.'),
  'root.data_folder': entry(
    'The folder and the data folder lie inside each other.',
    'Watching it would capture the vault into itself without end.',
    'Choose another folder, or move the data folder with ANGLES_HOME.',
  ),
  'root.held': entry(
    'Many files of a watched folder are gone at once.',
    'Their versions are all kept; the deletions are not recorded until you decide.',
    'Run `angles roots accept PATH` if you deleted them, or bring them back.',
    6,
  ),
  'watch.limited': entry(
    'The system does not allow to watch more folders.',
    'Nothing is lost: the folders are scanned regularly instead, so that a save is seen later.',
    'Raise the limit: `sudo sysctl fs.inotify.max_user_watches=524288`.',
  ),
  'file.too_large': entry(
    'The file is above the size limit.',
    'It is listed, but not captured.',
    'Raise watch.max_file_mb, or exclude it with .anglesignore.',
  ),
  'file.unreadable': entry(
    'The file cannot be read.',
    'Its earlier versions are safe; the current one is not captured.',
    'Give the user that runs the agent the right to read it.',
  ),
  'file.busy': entry(
    'The file is still being written.',
    'It is captured when its writer is done.',
    'Nothing needs to be done.',
  ),
  'file.special': entry('This is a pipe, a socket or a device.', 'It is never opened.', 'Nothing needs to be done.'),
  'file.symlink': entry(
    'This is a symbolic link.',
    'Links are not followed; a target inside a watched folder is captured at its own place.',
    'Nothing needs to be done.',
  ),
  'file.excluded': entry(
    'The file is excluded.',
    'Its earlier versions are safe; it is not captured any more.',
    'Remove the rule from .gitignore, .anglesignore or the settings to capture it again.',
  ),
  'file.io_error': entry(
    'The disk failed while the file was read.',
    'Its earlier versions are safe; the current one is not captured.',
    'Check the disk. It is tried again at the next scan.',
  ),
  'file.exists': entry(
    'There is a file at the target already.',
    'It was not touched.',
    'Choose another target with `--to`.',
  ),
  'file.unwritable': entry(
    'The file cannot be written.',
    NOTHING_CHANGED,
    'Check owner and mode of its folder, or choose another target with `--to`.',
  ),
  'content.missing': entry(
    'The content of this version is not in the vault.',
    'Other versions are not affected.',
    'Run `angles doctor` for the list of what is missing.',
    7,
  ),
  'content.damaged': entry(
    'The stored content does not match its checksum.',
    'It was not given out, so that damaged bytes never pass for yours.',
    'Run `angles doctor`; restore the version from a backup.',
    7,
  ),
  'record.invalid': entry(
    'A field of the record has a value that cannot be used.',
    NOTHING_CHANGED,
    'Correct the field named above.',
  ),
  'record.changed': entry(
    'The record was changed in the meantime.',
    'Nothing was overwritten.',
    'Read it again, then repeat the edit.',
    6,
  ),
  'record.not_current': entry(
    'The record is not current any more.',
    NOTHING_CHANGED,
    'Use the record that took its place, or bring it back first.',
  ),
  'remote.unreachable': entry(
    'The service cannot be reached.',
    'Nothing is lost: changes wait in the outbox and are sent by themselves.',
    'Check the network and the address; it is tried again by itself.',
    3,
  ),
  'remote.rate_limited': entry(
    'The service asks to slow down.',
    'Nothing is lost: sending goes on when the service allows it.',
    'Nothing needs to be done.',
    3,
  ),
  'remote.unavailable': entry(
    'The service has trouble of its own.',
    'Nothing is lost: changes wait in the outbox and are sent by themselves.',
    'Nothing needs to be done; look at the status page of the service if it stays so.',
    3,
  ),
  'remote.bad_answer': entry(
    'The answer is not one of this service.',
    'Nothing is lost; it was not believed.',
    'Check the address: a proxy or a sign-in page of the network may have answered.',
    3,
  ),
  'remote.unauthorized': entry(
    'The service does not accept the key.',
    'Nothing is lost: changes wait in the outbox until the key is replaced.',
    'Give a valid key; sending goes on without a restart.',
    3,
  ),
  'remote.forbidden': entry(
    'The key lacks a permission.',
    'Nothing is lost: what needs the permission waits in the outbox.',
    'Give the key the permission named above, or use another key.',
    3,
  ),
  'remote.not_shared': entry(
    'The service does not show this database to the key.',
    'Nothing is lost: changes wait in the outbox.',
    'Share the database with the integration, or correct its id.',
    3,
  ),
  'remote.schema': entry(
    'A table, column or property is missing or of another type.',
    'Sync of this table pauses; nothing was dropped on either side.',
    'Run `angles sync --test` and let it create what is missing, or undo the change over there.',
    3,
  ),
  'remote.wrong_project': entry(
    'The key belongs to another project.',
    'Nothing was sent.',
    'Use the key and the address of one project.',
    3,
  ),
  'remote.quota': entry(
    'The account has no room for more.',
    'Nothing is lost: new records wait in the outbox.',
    'Free some room over there or change the plan.',
    3,
  ),
  'remote.rejected': entry(
    'The service refuses this record.',
    'It is set aside and kept; all others go on.',
    'Look at it with `angles queue show`, mend it, then `angles queue retry`.',
  ),
  'remote.too_large': entry(
    'The record is larger than the service takes.',
    'It is set aside and kept; all others go on.',
    'Shorten the record, then `angles queue retry`.',
  ),
  'remote.held': entry(
    'The record contains secrets and is held back.',
    'It stays on this machine; nothing of it was sent.',
    'Remove the secrets, or set privacy.on_secret to redact.',
  ),
  'remote.replaced': entry(
    'The service holds another database than before, or an older state of it.',
    'Nothing was deleted on either side; sync waits for your decision.',
    'Look at `angles sync --dry-run`, then decide with `angles sync --accept`.',
    6,
  ),
  'sync.held': entry(
    'Many records would be deleted or overwritten at once.',
    'Nothing of it was done; both sides are as they were.',
    'Look at `angles sync --dry-run`, then decide with `angles sync --accept` or `--refuse`.',
    6,
  ),
  'sync.conflict': entry(
    'Some fields were changed on both sides.',
    'The newer value is in force, the other one is kept.',
    'Decide with `angles conflicts`.',
    6,
  ),
  'sync.off': entry(
    'Sync with this service is off.',
    'Everything works on this machine alone.',
    'Set its keys: `angles config check` names them.',
  ),
  'sync.safe_mode': entry(
    'The agent ended unexpectedly several times in a row.',
    'Saves are captured and the outbox is kept; sending is paused.',
    'Look at `angles logs --level error`; `angles sync` starts sending again.',
  ),
  'not_found.conflict': entry('There is no such conflict.', NOTHING_CHANGED, 'Run `angles conflicts list`.'),
  'not_found.entry': entry('There is no such entry in the queue.', NOTHING_CHANGED, 'Run `angles queue list`.'),
  'migration.failed': entry(
    'The tables of the service could not be brought to this version.',
    'The migration was rolled back; the tables are as they were.',
    'Correct the cause named above and run `angles migrate` again.',
    2,
  ),
  'backup.key_missing': entry(
    'There is no key for this backup.',
    NOTHING_CHANGED,
    'Give the key of your recovery kit with --key-file, or set BACKUP_ENCRYPTION_KEY.',
    7,
  ),
  'backup.key_wrong': entry(
    'The key does not fit this backup.',
    'Nothing was changed; the backup is as it was.',
    'Give the key whose fingerprint is named above: it is on your recovery kit.',
    7,
  ),
  'backup.key_invalid': entry(
    'The backup key has a form that cannot be used.',
    'No backup was written with it.',
    'Use a generated key, 64 hexadecimal digits, or a passphrase of at least 12 characters.',
    64,
  ),
  'backup.kit_unconfirmed': entry(
    'The recovery kit was not confirmed yet.',
    'Backups are kept on this machine; nothing was sent elsewhere.',
    'Save the kit with `angles key kit`, then confirm it.',
    6,
  ),
  'backup.damaged': entry(
    'The backup is damaged or was tampered with.',
    'Nothing of it was written to your files.',
    'Use another backup: `angles backup list`.',
    7,
  ),
  'backup.from_future': entry(
    'The backup was written by a newer version of Angles.',
    NOTHING_CHANGED,
    'Install the newer version.',
    2,
  ),
  'backup.foreign': entry('This is not a backup of Angles.', NOTHING_CHANGED, 'Give another file or folder.', 2),
  'backup.hostile': entry(
    'The archive has an entry that would be written outside of its target, or that lies about itself.',
    'Nothing of it was written.',
    'Do not use this archive; where does it come from?',
    7,
  ),
  'backup.busy': entry(
    'Another backup or restore is running.',
    'It goes on; this one changed nothing.',
    'Wait until it has ended.',
    8,
  ),
  'backup.unreadable': entry(
    'Something could not be read for the backup.',
    'The backup is marked as incomplete; earlier backups are safe.',
    'Look at what is named above.',
  ),
  'backup.unproven': entry(
    'No backup was proven by a restore for more than a fortnight.',
    'The backups are there; that they can be restored is not proven any more.',
    'Run `angles backup drill`, and look at what it says.',
  ),
  'backup.auth': entry(
    'The git server does not accept the token.',
    'The backup is complete on this machine; only the push is missing.',
    'Give a token that may write to the repository; it is tried again by itself.',
    4,
  ),
  'backup.no_repository': entry(
    'The repository does not exist, or the token may not see it.',
    'The backup is complete on this machine; only the push is missing.',
    'Create an empty private repository, or correct GITHUB_REPO.',
    4,
  ),
  'backup.push_refused': entry(
    'The git server refused the push.',
    'The backup is complete on this machine; only the push is missing.',
    'Look at the reason above: a protected branch, a hook, or a size limit.',
  ),
  'backup.remote_moved': entry(
    'Somebody else changed or emptied the branch of this machine.',
    'The backup is complete on this machine; nothing over there was overwritten.',
    'Run `angles backup --new-branch` to go on beside it.',
    6,
  ),
  'backup.unreachable': entry(
    'The destination of the backup cannot be reached.',
    'The backup is complete on this machine; the copy is made when it can be.',
    'Check the network; it is tried again by itself.',
    3,
  ),
  'backup.refused': entry(
    'The check before the backup found something that must not leave this machine.',
    'No backup was written to that destination.',
    'Look at the report, or write an encrypted backup.',
    6,
  ),
  'not_found.backup': entry('There is no such backup.', NOTHING_CHANGED, 'Run `angles backup list`.'),
  'restore.plan_changed': entry(
    'The files changed since the plan was made.',
    'Nothing was written.',
    'Look at the new plan and confirm it again.',
    6,
  ),
  'restore.redacted': entry(
    'This backup holds redacted copies.',
    'Nothing was overwritten: the originals hold more than the copies.',
    'Restore to another folder, or add --allow-redacted.',
    6,
  ),
  'restore.target': entry(
    'The target of the restore cannot be written.',
    'Nothing was written.',
    'Choose another target with --to.',
  ),
  'restore.interrupted': entry(
    'An earlier restore was interrupted.',
    'Everything it would have overwritten is kept.',
    'Run `angles restore resume` or `angles restore undo`.',
    6,
  ),
  'restore.nothing_to_undo': entry(
    'There is no restore that can be undone.',
    NOTHING_CHANGED,
    'Nothing needs to be done.',
  ),
  'restore.schema': entry(
    'The backup has tables of an older shape.',
    'Nothing was written.',
    'Add --auto-migrate, or set restore.auto_migrate.',
    2,
  ),
  'job.overdue': entry(
    'Something that runs by itself did not run.',
    'What was captured is durable; what should have been done waits.',
    'Look at `angles schedule` for what is late, and at `angles doctor` for why.',
  ),
  'agent.not_running': entry(
    'No agent is running for this data folder.',
    'Saves are not captured while it is stopped; the next start finds them.',
    'Start it with `angles start`.',
  ),
  'agent.not_answering': entry(
    'The agent holds the data folder but does not answer.',
    'It may still be starting.',
    'Try again; if it stays so, stop the process named above.',
    8,
  ),
  'keychain.missing': entry(
    'This desktop has no safe place for secrets.',
    'The secret was not stored anywhere.',
    'Set a passphrase in the settings of the window, or install and unlock a keyring (GNOME Keyring or KWallet).',
  ),
  'keychain.locked': entry(
    'A stored secret cannot be opened.',
    'It is still there, encrypted; what needs it waits.',
    'Unlock the keyring of this account, or enter the secret again.',
  ),
  'keychain.wrong_passphrase': entry(
    'The passphrase is wrong.',
    'The keys stay encrypted; nothing was changed.',
    'Try again. One that is forgotten cannot be recovered: start over in the settings and paste the keys again.',
  ),
  'window.no_bridge': entry(
    'This window cannot reach the agent.',
    'The agent runs and captures; only this window is not usable.',
    'Install Angles again; until then use `angles open` for the page in a browser.',
  ),
  'window.link_refused': entry(
    'This address is not opened.',
    NOTHING_CHANGED,
    'Copy the address and open it yourself if you trust it.',
  ),
  'server.port_in_use': entry(
    'The port is in use.',
    'No data is affected.',
    'Set dashboard.port to another number, or 0 for any free one.',
  ),
  'server.forbidden': entry(
    'The request does not come from this machine or page.',
    NOTHING_CHANGED,
    'Open the dashboard with the link of `angles open`.',
  ),
  'server.unauthorized': entry(
    'The request carries no valid key.',
    NOTHING_CHANGED,
    'Open the dashboard with the link of `angles open`.',
  ),
  'server.bad_request': entry(
    'The request is not of the expected form.',
    NOTHING_CHANGED,
    'Reload the page: it may be of another version.',
    64,
  ),
  'server.unknown_method': entry(
    'The agent knows no such call.',
    NOTHING_CHANGED,
    'Program and agent may be of different versions: restart the agent.',
    64,
  ),
  'build.missing': entry('The program was not built.', NOTHING_CHANGED, 'Run `npm run build`.'),
  'node.too_old': entry(
    'This Node is too old for the program.',
    NOTHING_CHANGED,
    'Use `npm start`, which brings its own, or Node 22.22 or newer.',
  ),
  interrupted: entry('Interrupted.', 'Everything that was acknowledged is durable.', 'Run it again to go on.', 130),
  internal: entry(
    'Something unexpected happened inside the agent.',
    'Everything that was acknowledged is durable.',
    'See `angles logs --level error`; please report it.',
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export type AppErrorOptions = {
  /** Overrides the catalogue's fix with one that names the case at hand. */
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
};

/** An expected failure. `message` names the case at hand; title, meaning and fix come from the catalogue. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.hint = options.hint ?? ERROR_CATALOGUE[code].fix;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** How an error travels over a carrier. */
export type WireError = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly title: string;
  readonly meaning: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
};

/** Turns anything thrown into its wire form. A bug becomes `internal` and keeps its own text out of the answer. */
export function toWireError(error: unknown): WireError {
  if (error instanceof AppError) {
    const { title, meaning } = ERROR_CATALOGUE[error.code];
    return {
      code: error.code,
      message: error.message,
      title,
      meaning,
      hint: error.hint,
      retryable: error.retryable,
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    };
  }
  const { title, meaning, fix } = ERROR_CATALOGUE.internal;
  return { code: 'internal', message: title, title, meaning, hint: fix, retryable: false };
}

/** The reverse of {@link toWireError}, for the calling side of a carrier. */
export function fromWireError(wire: WireError): AppError {
  return new AppError(wire.code, wire.message, {
    hint: wire.hint,
    retryable: wire.retryable,
    ...(wire.retryAfterMs === undefined ? {} : { retryAfterMs: wire.retryAfterMs }),
  });
}

export function exitCodeOf(error: unknown): number {
  return error instanceof AppError ? ERROR_CATALOGUE[error.code].exitCode : 1;
}

/** Ends an exhaustive switch: a case that was forgotten does not compile. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${String(value)}`);
}
