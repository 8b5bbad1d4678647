import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import { readSmallFile, replaceFile } from '../settings/files.ts';

const FILE = 'passphrase.json';
export const SHORTEST_PASSPHRASE = 12;
/** RFC 7914; 64 MB and about a quarter of a second. A file may ask for sixteen times as much, not more. */
const COST = { n: 65_536, r: 8, p: 1 };
const MOST_N = 1_048_576;
const MEMORY_BYTES = 2_147_483_648;

const base64 = z.base64();
const header = z.object({
  version: z.literal(1),
  salt: base64,
  n: z
    .int()
    .min(2)
    .max(MOST_N)
    .refine((n) => (n & (n - 1)) === 0),
  r: z.int().min(1).max(8),
  p: z.int().min(1).max(4),
  /** Which secrets are in it; no secret itself. */
  names: z.array(z.string()),
});
const sealed = header.extend({ iv: base64, tag: base64, data: base64 });
type Header = z.infer<typeof header>;
type Sealed = z.infer<typeof sealed>;
type Cost = Pick<Header, 'salt' | 'n' | 'r' | 'p'>;
type Open = { readonly cost: Cost; readonly key: Buffer; readonly values: ReadonlyMap<string, string> };

/**
 * Secrets under a passphrase of the person, for desktops without a key store: `passphrase.json` (0600) in the data
 * folder, AES-256-GCM with a key by scrypt; the header with the names is authenticated. After each start it is locked
 * until the passphrase is given; neither that nor the key is ever written.
 */
export type PassphraseSafe = {
  readonly state: () => 'none' | 'locked' | 'open';
  /** Makes it, or gives an open one another passphrase. Throws `usage.bad_argument` for a short one, `keychain.locked`. */
  readonly create: (passphrase: string) => Promise<void>;
  /** Safe to repeat. Throws `keychain.wrong_passphrase`, `keychain.missing`, and `keychain.locked` for a damaged file. */
  readonly unlock: (passphrase: string) => Promise<void>;
  /** Removes it with everything in it: for a passphrase that is forgotten. */
  readonly reset: () => void;
  /** Whether a secret is in it, also while it is locked. */
  readonly has: (name: string) => boolean;
  /** The other three throw `keychain.locked` unless it is open. */
  readonly get: (name: string) => string | null;
  readonly set: (name: string, value: string) => void;
  readonly remove: (name: string) => void;
};

export function createPassphraseSafe(dataFolder: string, cost: Omit<Cost, 'salt'> = COST): PassphraseSafe {
  const file = join(dataFolder, FILE);
  let open: Open | null = null;

  const read = (): Sealed | null => {
    const text = readSmallFile(file);
    if (text === null) return null;
    try {
      return sealed.parse(JSON.parse(text));
    } catch (cause) {
      throw new AppError('keychain.locked', `${FILE} in the data folder is damaged.`, {
        cause,
        hint: 'Move the file away and enter the keys again.',
      });
    }
  };
  const state: PassphraseSafe['state'] = () =>
    open !== null ? 'open' : readSmallFile(file) === null ? 'none' : 'locked';
  const opened = (): Open => {
    if (open !== null) return open;
    throw new AppError('keychain.locked', 'It is encrypted with your passphrase.', {
      hint: 'Enter the passphrase in the settings of the Angles window.',
    });
  };
  const write = (next: Open): void => {
    replaceFile(file, `${JSON.stringify(seal(next), null, 2)}\n`);
    open = next;
  };
  return {
    state,
    create: async (passphrase) => {
      if (passphrase.length < SHORTEST_PASSPHRASE)
        throw new AppError('usage.bad_argument', `A passphrase has ${SHORTEST_PASSPHRASE} characters or more.`);
      const values = state() === 'none' ? new Map<string, string>() : opened().values;
      const fresh = { ...cost, salt: randomBytes(16).toString('base64') };
      write({ cost: fresh, key: await deriveKey(passphrase, fresh), values });
    },
    unlock: async (passphrase) => {
      const found = read();
      if (found === null) throw new AppError('keychain.missing', 'No passphrase was set on this data folder.');
      const { salt, n, r, p } = found;
      const key = await deriveKey(passphrase, { salt, n, r, p });
      open = { cost: { salt, n, r, p }, key, values: unseal(found, key) };
    },
    reset: () => {
      rmSync(file, { force: true });
      open = null;
    },
    has: (name) => open?.values.has(name) ?? read()?.names.includes(name) ?? false,
    get: (name) => opened().values.get(name) ?? null,
    set: (name, value) => {
      const now = opened();
      write({ ...now, values: new Map([...now.values, [name, value]]) });
    },
    remove: (name) => {
      const now = opened();
      write({ ...now, values: new Map([...now.values].filter(([other]) => other !== name)) });
    },
  };
}

function deriveKey(passphrase: string, { salt, n, r, p }: Cost): Promise<Buffer> {
  // The same letters may be typed in two ways (composed or not), on two keyboards.
  const secret = passphrase.normalize('NFKC');
  return new Promise((resolve, reject) =>
    scrypt(secret, Buffer.from(salt, 'base64'), 32, { N: n, r, p, maxmem: MEMORY_BYTES }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  );
}

const authenticated = ({ version, salt, n, r, p, names }: Header): Buffer =>
  Buffer.from(JSON.stringify([version, salt, n, r, p, names]));

function seal({ cost, key, values }: Open): Sealed {
  const head: Header = { version: 1, ...cost, names: [...values.keys()] };
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(authenticated(head));
  const data = Buffer.concat([cipher.update(JSON.stringify([...values])), cipher.final()]);
  return {
    ...head,
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    data: data.toString('base64'),
  };
}

const entries = z.array(z.tuple([z.string(), z.string()]));

function unseal(found: Sealed, key: Buffer): Map<string, string> {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(found.iv, 'base64'), { authTagLength: 16 })
      .setAAD(authenticated(found))
      .setAuthTag(Buffer.from(found.tag, 'base64'));
    const text = Buffer.concat([decipher.update(Buffer.from(found.data, 'base64')), decipher.final()]).toString('utf8');
    return new Map(entries.parse(JSON.parse(text)));
  } catch (cause) {
    throw new AppError('keychain.wrong_passphrase', 'The passphrase does not open the keys.', { cause });
  }
}
