/** What a shell (the desktop app, the headless program, a test) supplies to the agent. */

export type Host = {
  /** Absolute path of the data folder; it need not exist yet. */
  readonly dataFolder: string;
  /** The environment the agent reads its external names from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Which shell this is, for logs and the status. */
  readonly shell: 'desktop' | 'headless' | 'command' | 'test';
  /** Wall clock, milliseconds since 1970 UTC; it may jump. */
  readonly nowMs: () => number;
  /** Tells a person something they must act on. A shell without a way to show it does nothing. */
  readonly notify: (notice: Notice) => void;
  /** Calls back when the machine sleeps and wakes; returns how to stop listening. */
  readonly onPower: (listener: (event: 'suspend' | 'resume') => void) => () => void;
};

export type Notice = { readonly id: string; readonly title: string; readonly body: string };
