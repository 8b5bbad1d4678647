/** Texts of the services that can be added, wherever their cards stand. */
import type { KnownField, ServiceId } from './data/services.ts';

type FieldText = { readonly label: string; readonly note?: string; readonly placeholder?: string };
type ServiceText = {
  readonly name: string;
  readonly what: string;
  /** Three steps: where the key comes from, what it must be allowed, what happens then. */
  readonly steps: readonly [string, string, string];
};

const services: Readonly<Record<ServiceId, ServiceText>> = {
  supabase: {
    name: 'Supabase',
    what: 'The same decisions, memories and file versions in your own database, on all your machines.',
    steps: [
      'Open your project, or make one. Copy its URL and its publishable key.',
      'Paste them here, with the e-mail and password of the user that owns the data (Authentication, Add user).',
      'Save and test. Missing tables can be made from here when the address of the database is set.',
    ],
  },
  notion: {
    name: 'Notion',
    what: 'Decisions and memories as pages that your team reads and edits.',
    steps: [
      'Make an internal integration and copy its secret.',
      'Open the database in Notion, and share it with the integration (••• menu, Connections). Copy its link.',
      'Paste both here. Save and test: missing properties can be made from here.',
    ],
  },
  github: {
    name: 'GitHub',
    what: 'Encrypted backups in a private repository, away from this machine.',
    steps: [
      'Make a fine-grained token. Give it read and write access to the contents of one repository.',
      'Paste the token, and the repository as owner/name.',
      'Save and test. A repository that is missing can be made from here, if the token may do that.',
    ],
  },
};

const fields: Readonly<Record<string, FieldText>> = {
  SUPABASE_URL: { label: 'Project URL', placeholder: 'https://abcdefgh.supabase.co' },
  SUPABASE_KEY: { label: 'Publishable key' },
  SUPABASE_EMAIL: { label: 'E-mail of the user', note: 'With a publishable key the data belongs to this user.' },
  SUPABASE_PASSWORD: { label: 'Password of the user' },
  SUPABASE_DB_URL: {
    label: 'Address of the database',
    note: 'Optional. Lets Angles make the tables itself (Connect, Session pooler).',
  },
  NOTION_API_KEY: { label: 'Secret of the integration' },
  NOTION_DATABASE_ID: { label: 'Link or id of the database' },
  GITHUB_TOKEN: { label: 'Token' },
  GITHUB_REPO: { label: 'Repository', placeholder: 'you/angles-backup' },
};

export const servicesText = {
  title: 'Services',
  place: {
    titles: {
      none: 'This desktop has no safe place for keys',
      locked: 'The keys of your services are locked',
      open: 'Keys are encrypted with your passphrase',
    },
    texts: {
      none: (backend: string) =>
        `It has no keyring that is guarded by a password of yours (${backend}). Keys that you paste are kept in .env in the data folder, readable for your account only. With a passphrase they are kept encrypted.`,
      locked: () => 'They are encrypted with your passphrase. Until it is given, nothing is sent; saves are captured.',
      open: () => 'It is asked for once after each start of Angles.',
    },
    passphrase: 'Passphrase',
    again: 'The same again',
    short: (least: number) => `At least ${least} characters.`,
    differs: 'This is not the same.',
    note: 'Nobody can recover it, nor can Angles: when it is forgotten, the keys have to be pasted again.',
    encrypt: 'Encrypt the keys',
    encrypting: 'Encrypting',
    done: 'Keys are encrypted with your passphrase from now on.',
    change: 'Change the passphrase',
    unlock: 'Unlock',
    unlocking: 'Unlocking',
    unlocked: 'The keys are unlocked until Angles quits.',
    forgotten: 'I have forgotten it',
    forgetTitle: 'Start over without these keys?',
    forgetText: 'The encrypted keys are removed for good. Paste them again from Supabase, Notion and GitHub.',
    forget: 'Remove the encrypted keys',
  },
  lead: 'Everything works on this machine, with no account. What you add here can be removed again.',
  services,
  fields,
  states: { set: 'Set up', later: 'Later', off: 'Switched off' },
  setUp: (name: string) => `Set up ${name}`,
  change: (name: string) => `Change the keys of ${name}`,
  setUpShort: 'Set up',
  changeShort: 'Change',
  close: 'Close',
  steps: 'Three steps',
  openPage: 'Open the page in the browser',
  copyAddress: 'Copy the address of the page',
  isSet: (source: NonNullable<KnownField['source']>) =>
    ({ environment: 'set by the environment', '.env': 'set in .env', keychain: 'set, kept encrypted' })[source],
  fixed: 'The environment of the agent sets it: change it where the agent is started.',
  replace: 'Replace',
  keep: 'Keep it as it is',
  missing: 'This is still needed.',
  save: 'Save and test',
  saving: 'Saving',
  test: 'Test connection',
  testing: 'Testing',
  saved: (place: 'keychain' | '.env' | 'both') =>
    place === '.env'
      ? 'Kept in .env in the data folder, readable for you only.'
      : place === 'keychain'
        ? 'Kept encrypted on this desktop.'
        : 'The secrets are kept encrypted on this desktop, the rest in .env.',
  secretNote:
    'Secrets are kept encrypted in the desktop app where it can, else in .env in the data folder, readable for you only. They are not shown again.',
  remove: 'Remove',
  removeAsk: (name: string) => `Remove the keys of ${name}?`,
  removeText:
    'Nothing over there is changed, and nothing here is lost. What is in the environment of the agent stays set.',
  removed: (name: string) => `The keys of ${name} are removed.`,
  switchedOff: (key: string) => `Its keys are set, but ${key} is off.`,
  switchOn: 'Switch it on',
  tested: {
    title: (name: string) => `Connection to ${name}`,
    verdicts: { ok: 'Passed', failed: 'Failed', warning: 'Look at this', skipped: 'Not reached' },
    sums: { ok: 'Every step passed.', warning: 'It works; look at one thing.', failed: 'One step failed.' },
    notConfigured: 'There is nothing to test: its keys are not set.',
    prepare: 'Create what is missing',
  },
  prepare: {
    title: (name: string) => `Create what is missing in ${name}?`,
    text: 'Exactly this is done over there. Nothing that exists is changed or removed.',
    nothing: 'Nothing is missing: there is nothing to create.',
    apply: 'Create it',
    applying: 'Creating',
    done: (name: string) => `Created. ${name} is ready.`,
  },
} as const;
