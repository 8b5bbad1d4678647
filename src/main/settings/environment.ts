import { nearestOf } from '../../shared/near.ts';
import { ENVIRONMENT, type EnvironmentKey } from '../../shared/settings.ts';
import type { EnvironmentValues } from './data-folder.ts';

export type Found = {
  readonly value: string;
  /** The name that won: the name itself or an alias. */
  readonly foundAs: string;
  readonly source: 'environment' | '.env' | 'keychain';
};
export type FoundEnvironment = ReadonlyMap<EnvironmentKey, Found>;
export type Warning = { readonly message: string; readonly fix: string };

/**
 * Decides where each name of the outside gets its value: the process environment before `.env` before what the shell
 * keeps, and in each of them the name before its aliases. Empty and blank values count as not set; spaces around a value are dropped.
 */
export function resolveEnvironment(
  process: EnvironmentValues,
  dotenv: ReadonlyMap<string, string>,
  kept: ReadonlyMap<string, string> = new Map(),
): FoundEnvironment {
  const found = new Map<EnvironmentKey, Found>();
  for (const { name, aliases } of ENVIRONMENT) {
    const [winner] = candidates(process, dotenv, kept, [name, ...aliases]);
    if (winner !== undefined) found.set(name, winner);
  }
  return found;
}

function candidates(
  process: EnvironmentValues,
  dotenv: ReadonlyMap<string, string>,
  kept: ReadonlyMap<string, string>,
  names: readonly string[],
): Found[] {
  const from = (source: Found['source'], read: (name: string) => string | undefined): Found[] =>
    names.flatMap((foundAs) => {
      const value = read(foundAs)?.trim() ?? '';
      return value === '' ? [] : [{ value, foundAs, source }];
    });
  return [
    ...from('environment', (name) => process[name]),
    ...from('.env', (name) => dotenv.get(name)),
    ...from('keychain', (name) => kept.get(name)),
  ];
}

/** What is odd about the values, without ever telling one. */
export function environmentWarnings(
  process: EnvironmentValues,
  dotenv: ReadonlyMap<string, string>,
  kept: ReadonlyMap<string, string> = new Map(),
): Warning[] {
  const found = resolveEnvironment(process, dotenv, kept);
  return [
    ...differingValues(process, dotenv, kept),
    ...unknownNames(found, dotenv),
    ...serviceKey(found),
    ...plainAddresses(found),
  ];
}

function differingValues(
  process: EnvironmentValues,
  dotenv: ReadonlyMap<string, string>,
  kept: ReadonlyMap<string, string>,
): Warning[] {
  return ENVIRONMENT.flatMap(({ name, aliases }) => {
    const [winner, ...others] = candidates(process, dotenv, kept, [name, ...aliases]);
    const loser = others.find((other) => other.value !== winner?.value);
    if (winner === undefined || loser === undefined) return [];
    const place = (found: Found): string =>
      `${found.foundAs} in ${found.source === '.env' ? '.env' : `the ${found.source}`}`;
    return [
      {
        message: `${place(loser)} is ignored: ${place(winner)} has another value and wins.`,
        fix: `Remove ${place(loser)}.`,
      },
    ];
  });
}

/** Names in `.env` that differ from an unset one of ours by a slip of the finger. */
function unknownNames(found: FoundEnvironment, dotenv: ReadonlyMap<string, string>): Warning[] {
  const known: readonly string[] = ENVIRONMENT.flatMap(({ name, aliases }) => [name, ...aliases]);
  const unset = ENVIRONMENT.filter(({ name }) => !found.has(name)).map(({ name }): string => name);
  return [...dotenv.keys()].flatMap((name) => {
    const meant = known.includes(name) ? null : nearestOf(name, unset);
    if (meant === null) return [];
    return [
      {
        message: `${name} in .env is no name that Angles reads.`,
        fix: `Rename it to ${meant}, if that is what it is.`,
      },
    ];
  });
}

function serviceKey(found: FoundEnvironment): Warning[] {
  const key = found.get('SUPABASE_KEY');
  if (key === undefined || !isServiceKey(key.value)) return [];
  return [
    {
      message: `${key.foundAs} is a service key: it passes every row level security rule of the Supabase project.`,
      fix: 'Use the publishable (anon) key of a signed-in user, or make sure that nobody else can read this machine’s environment.',
    },
  ];
}

/** A Supabase key that bypasses row level security: `sb_secret_...` or a JWT whose role is `service_role`. */
export function isServiceKey(key: string): boolean {
  if (key.startsWith('sb_secret_')) return true;
  const payload = /^eyJ[\w-]+\.([\w-]+)\.[\w-]*$/.exec(key)?.[1];
  if (payload === undefined) return false;
  return /"role"\s*:\s*"service_role"/.test(Buffer.from(payload, 'base64url').toString('utf8'));
}

const ADDRESSES = ['SUPABASE_URL', 'OPENAI_BASE_URL', 'SLACK_WEBHOOK_URL'] as const satisfies readonly EnvironmentKey[];

function plainAddresses(found: FoundEnvironment): Warning[] {
  return ADDRESSES.flatMap((name) => {
    const value = found.get(name);
    if (value === undefined || isSafeAddress(value.value)) return [];
    return [
      {
        message: `${value.foundAs} is not an https address.`,
        fix: `Set ${value.foundAs} to an address that starts with https://.`,
      },
    ];
  });
}

/** https, or plain http to this very machine. */
function isSafeAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  return (
    url.protocol === 'https:' ||
    (url.protocol === 'http:' && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname))
  );
}
