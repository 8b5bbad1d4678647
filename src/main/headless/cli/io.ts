/** What a command sees of its process: tests supply their own. */
export type Io = {
  readonly stdout: Output;
  readonly stderr: Output;
  /** All of the standard input. */
  readonly readStdin: () => Promise<string>;
  /** One line typed by a person, after a question on stderr; null at the end of input. */
  readonly askLine: (question: string) => Promise<string | null>;
  /** The same for a secret: what is typed is not shown. */
  readonly askHidden: (question: string) => Promise<string | null>;
  readonly stdinIsTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly homedir: string;
  readonly nowMs: () => number;
  /** The zone that times are read and shown in: an IANA name, or `local` for the one of this process. */
  readonly timeZone: string;
  /** Calls back at SIGINT, SIGTERM and SIGHUP until the returned function is called. */
  readonly onSignal: (listener: (name: string) => void) => () => void;
  /** Calls back with errors that nothing caught, which then do not end the process. */
  readonly onBug: (listener: (error: unknown) => void) => () => void;
  /** Ends the process at once. */
  readonly exitNow: (code: number) => void;
  /** Opens an address in the person's browser; false when there is none to open. */
  readonly openBrowser: (url: string) => boolean;
  /** Lets a person edit a text in their editor; null when they have none. */
  readonly editText: (text: string) => Promise<string | null>;
};

export type Output = {
  readonly write: (chunk: string | Uint8Array) => void;
  readonly isTTY: boolean;
  /** Width of the terminal; meaningless when it is not one. */
  readonly columns: number;
};
