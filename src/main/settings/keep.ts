import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { SERVICE_ENVIRONMENT, type ServiceName } from '../../shared/settings.ts';
import type { SecretStore } from '../host.ts';
import { setInDotenv } from './dotenv-edit.ts';
import type { FoundEnvironment } from './environment.ts';
import { readSmallFile, replaceFile } from './files.ts';

export type Wanted = Readonly<Partial<Record<ServiceName, string | null | undefined>>>;
export type KeptPlace = { readonly name: ServiceName; readonly in: 'keychain' | '.env' };

export type Keeper = {
  /** Secrets that the shell keeps, by name: those of the last `load`, and what was set since. */
  readonly kept: () => ReadonlyMap<string, string>;
  /** Reads what the shell keeps. Never throws: what cannot be opened is told in `problems`. */
  readonly load: () => Promise<void>;
  readonly problems: () => readonly { readonly name: string; readonly error: AppError }[];
  /**
   * Sets outside names, or removes those that are null: all of them or none. A secret goes to the shell's store where
   * that is safe, else to `.env`, like everything that is no secret; it is never in both.
   * Throws `config.overridden`, `config.unwritable`, `data.full`, `keychain.locked`.
   */
  readonly set: (wanted: Wanted) => Promise<KeptPlace[]>;
  /** Moves secrets that lie in `.env` to the shell's store, where that is safe by now. Throws what `set` throws. */
  readonly moveIn: () => Promise<void>;
};

export type KeeperParts = {
  readonly dotenvFile: string;
  /** What a shell without a store leaves out. */
  readonly secrets: SecretStore | undefined;
  readonly found: () => FoundEnvironment;
};

export function createKeeper({ dotenvFile, secrets, found }: KeeperParts): Keeper {
  const kept = new Map<string, string>();
  let problems: { readonly name: string; readonly error: AppError }[] = [];

  const load = async (): Promise<void> => {
    if (secrets === undefined) return;
    problems = [];
    for (const { name, secret } of SERVICE_ENVIRONMENT) {
      if (!secret) continue;
      try {
        const value = await secrets.get(name);
        if (value === null) kept.delete(name);
        else kept.set(name, value);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        problems.push({ name, error });
      }
    }
  };

  /** True when it is in the shell's store now. */
  const keepInStore = async (name: string, value: string): Promise<boolean> => {
    if (secrets === undefined) return false;
    try {
      await secrets.set(name, value);
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'keychain.missing') return false;
      throw error;
    }
  };

  const set = async (wanted: Wanted): Promise<KeptPlace[]> => {
    const entries = SERVICE_ENVIRONMENT.flatMap((known) => {
      const value = wanted[known.name];
      return value === undefined ? [] : [{ ...known, value }];
    });
    for (const { name } of entries) assertFree(name, found());
    const before = new Map(kept);
    const places: KeptPlace[] = [];
    let text = readSmallFile(dotenvFile) ?? '';
    try {
      for (const { name, aliases, secret, value } of entries) {
        const inStore = secret && value !== null && (await keepInStore(name, value));
        if (inStore) kept.set(name, value);
        text = setInDotenv(text, name, inStore ? null : value, aliases);
        if (value !== null) places.push({ name, in: inStore ? 'keychain' : '.env' });
      }
      if (text !== (readSmallFile(dotenvFile) ?? '')) replaceFile(dotenvFile, text);
    } catch (error) {
      await putBack(before);
      throw error;
    }
    // Only now, so that a value that could not be replaced is still there.
    for (const { name } of entries) if (places.every((one) => one.name !== name || one.in === '.env')) await drop(name);
    return places;
  };

  const drop = async (name: string): Promise<void> => {
    if (!kept.delete(name)) return;
    await secrets?.remove(name);
  };

  const putBack = async (before: ReadonlyMap<string, string>): Promise<void> => {
    for (const [name, value] of kept) {
      const earlier = before.get(name);
      if (earlier === value) continue;
      if (earlier === undefined) await drop(name);
      else {
        await secrets?.set(name, earlier);
        kept.set(name, earlier);
      }
    }
  };

  const moveIn = async (): Promise<void> => {
    const plain = SERVICE_ENVIRONMENT.flatMap(({ name, secret }) => {
      const known = found().get(name);
      return secret && known?.source === '.env' ? [[name, known.value] as const] : [];
    });
    if (plain.length > 0) await set(Object.fromEntries(plain));
  };

  return { kept: () => kept, load, problems: () => problems, set, moveIn };
}

function assertFree(name: ServiceName, found: FoundEnvironment): void {
  const known = found.get(name);
  if (known?.source !== 'environment') return;
  throw new AppError(
    'config.overridden',
    `${displayPath(known.foundAs)} is set in the environment of the agent, which wins over what is set here.`,
  );
}
