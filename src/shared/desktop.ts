/** What the desktop window can ask of its shell besides the contract of the agent, and hear from it. */
import { z } from 'zod';

const nothing = z.object({});

/** Where secrets can be kept. `weak`: a store without a real key (a fixed password), which anyone on this account can open. */
export const keychainState = z.object({
  state: z.enum(['strong', 'weak', 'unavailable']),
  /** The name of the store as the system gives it. */
  backend: z.string(),
  /** Secrets under a passphrase of the person, for a store that is not strong. `locked`: it was not given since the start. */
  passphrase: z.enum(['none', 'locked', 'open']),
});
export type KeychainState = z.infer<typeof keychainState>;

export const desktopMethods = {
  /** Facts of the desktop that the pages show. */
  'desktop.info': {
    in: nothing,
    out: z.object({
      platform: z.string(),
      /** False when the system refused a tray icon. */
      hasTray: z.boolean(),
      keychain: keychainState,
      /** Whether a start at login is registered; null where the system does not say. */
      startsAtLogin: z.boolean().nullable(),
    }),
  },
  /** The page listens now: what was meant for it while it loaded. */
  'desktop.ready': {
    in: nothing,
    out: z.object({ waiting: z.array(z.object({ event: z.string(), payload: z.unknown() })) }),
  },
  /** Asks the person for a folder; null when they changed their mind. */
  'desktop.pickFolder': { in: nothing, out: z.object({ path: z.string().nullable() }) },
  /** Opens another window, of a program of its own, with sample data. */
  'desktop.openDemo': { in: nothing, out: nothing },
  /** Keeps secrets under a passphrase from now on, or changes that. Throws `usage.bad_argument`, `keychain.locked`. */
  'desktop.setPassphrase': { in: z.object({ passphrase: z.string().max(1_000) }), out: nothing },
  /** Throws `keychain.wrong_passphrase`, `keychain.missing`. */
  'desktop.unlock': { in: z.object({ passphrase: z.string().max(1_000) }), out: nothing },
  /** Forgets the passphrase with every secret under it. */
  'desktop.forgetPassphrase': { in: nothing, out: nothing },
  /** Opens a page of a known service in the browser. Throws `window.link_refused` for any other address. */
  'desktop.openLink': { in: z.object({ url: z.string().max(2_000) }), out: nothing },
} as const satisfies Record<string, { in: z.ZodType; out: z.ZodType }>;

export type DesktopMethodName = keyof typeof desktopMethods;
export type DesktopInput<M extends DesktopMethodName> = z.input<(typeof desktopMethods)[M]['in']>;
export type DesktopOutput<M extends DesktopMethodName> = z.output<(typeof desktopMethods)[M]['out']>;
/** One handler per method. Throws AppError for what is expected. */
export type DesktopMethods = {
  readonly [M in DesktopMethodName]: (input: z.output<(typeof desktopMethods)[M]['in']>) => Promise<DesktopOutput<M>>;
};

export type DesktopEvents = {
  /** The tray, a notice or a link wants another place of the page to be shown. */
  readonly 'desktop.go': { readonly hash: string };
  /** Something that happened to the window itself. */
  readonly 'desktop.notice': { readonly tone: 'ok' | 'error'; readonly text: string };
};
export type DesktopEventName = keyof DesktopEvents;
