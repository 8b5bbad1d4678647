/** What a shell (the desktop app, the headless program, a test) supplies to the agent. */

export type Host = {
  /** Absolute path of the data folder; it need not exist yet. */
  readonly dataFolder: string;
  /** The environment the agent reads its external names from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Which shell this is, for logs and the status. */
  readonly shell: 'desktop' | 'headless' | 'command' | 'test';
  /** The vault holds sample data, to look around in; nothing in it is the person's. */
  readonly isSample?: boolean;
  /** Wall clock, milliseconds since 1970 UTC; it may jump. */
  readonly nowMs: () => number;
  /** Tells a person something they must act on. A shell without a way to show it does nothing. */
  readonly notify: (notice: Notice) => void;
  /** Where this shell keeps secrets safely; left out by a shell that cannot. */
  readonly secrets?: SecretStore;
  /** Calls back when the machine sleeps and wakes, or goes on or off battery; returns how to stop listening. */
  readonly onPower: (listener: (event: PowerEvent) => void) => () => void;
};

export type PowerEvent = 'suspend' | 'resume' | 'on-battery' | 'on-mains';

/** Throws `keychain.missing` when nothing can be kept safely, `keychain.locked` when a secret cannot be opened. */
export type SecretStore = {
  readonly get: (name: string) => Promise<string | null>;
  readonly set: (name: string, value: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  /** Calls back when it can keep or give what it could not before; returns how to stop listening. */
  readonly onOpened?: (listener: () => void) => () => void;
};

export type Notice = { readonly id: string; readonly title: string; readonly body: string };
