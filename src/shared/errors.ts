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
