/**
 * Secrets that must not get out, and the search for them in everything that did. The search shares no code with the
 * product: what both overlooked would never be seen.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { leakFinder } from './canary-search.ts';
import { unpacked } from './unpacked.ts';

export type CanaryPlace =
  | 'environment'
  | 'config'
  | 'address'
  | 'git remote'
  | 'file'
  | 'record'
  | 'error body'
  | 'stack trace';

export type Canary = {
  /** Unique, without any part of the secret. */
  readonly name: string;
  readonly place: CanaryPlace;
  readonly secret: string;
  /** The secret in its context: a line of a file, an address, a part of a JSON. */
  readonly text: string;
};

/** What is to be planted where; see `plantCanaries`. */
export type PlantedCanaries = {
  /** Variables for the agent's environment; those of outside services are among them. */
  readonly environment: Readonly<Record<string, string>>;
  /** A text that somebody pasted into `config.json` or `.env` of the data folder. */
  readonly config: string;
  readonly addresses: readonly string[];
  readonly gitRemotes: readonly string[];
  /** Paths of files that were written below the folder; each holds one, or all of them. */
  readonly files: readonly string[];
  readonly records: readonly { readonly title: string; readonly decision: string }[];
  /** What a remote answers to a request it refuses. */
  readonly errorBody: string;
  /** The message of an exception. */
  readonly stackMessage: string;
};

export type Leak = {
  readonly canary: string;
  /** How it was written: `plain`, `base64`, `hex`, `half`, ... */
  readonly form: string;
  /** The file, with what was unpacked from it; empty for a text or bytes. */
  readonly where: string;
  readonly offset: number;
};

const BASE62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const DIGITS = '0123456789';
const HEX = '0123456789abcdef';
const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

type Draw = (alphabet: string, length: number) => string;

function drawOf(seed: string): Draw {
  let count = 0;
  return (alphabet, length) => {
    count += 1;
    const bytes = createHash('shake256', { outputLength: length }).update(`${seed} ${count}`).digest();
    return Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('');
  };
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

const MAKERS: readonly ((draw: Draw) => string)[] = [
  (draw) => `sb_${'secret'}_${draw(BASE62, 22)}_${draw(BASE62, 7)}9`,
  (draw) => `ntn${'_'}${draw(DIGITS, 11)}${draw(BASE62, 35)}`,
  (draw) => `sk${'-proj-'}${draw(BASE62, 47)}7`,
  (draw) => `ghp${'_'}${draw(BASE62, 35)}4`,
  (draw) => `github${'_pat_'}11${draw(BASE62, 20)}_${draw(BASE62, 59)}`,
  (draw) => `AKIA${draw(CAPITALS, 15)}5`,
  (draw) => `xoxb${'-'}${draw(DIGITS, 12)}-${draw(DIGITS, 12)}-${draw(BASE62, 24)}`,
  (draw) =>
    [
      base64url('{"alg":"HS256","typ":"JWT"}'),
      base64url(`{"ref":"${draw(HEX, 20)}","iss":"supabase","role":"service_role"}`),
      draw(BASE62, 43),
    ].join('.'),
  (draw) => `glpat${'-'}${draw(BASE62, 19)}2`,
  (draw) => `AIza${draw(BASE62, 34)}8`,
];

/** The variables of outside services that hold a secret, each with one of its kind. */
const VARIABLES: readonly [name: string, make: (draw: Draw) => string][] = [
  ['SUPABASE_KEY', (draw) => `sb_${'secret'}_${draw(BASE62, 22)}_${draw(BASE62, 7)}6`],
  ['SUPABASE_PASSWORD', (draw) => `${draw(BASE62, 17)}8q`],
  ['SUPABASE_DB_URL', (draw) => `${draw(BASE62, 22)}3k`],
  ['NOTION_API_KEY', (draw) => `ntn${'_'}${draw(DIGITS, 11)}${draw(BASE62, 35)}`],
  ['GITHUB_TOKEN', (draw) => `ghp${'_'}${draw(BASE62, 35)}1`],
  ['OPENAI_API_KEY', (draw) => `sk${'-proj-'}${draw(BASE62, 47)}5`],
  ['SLACK_WEBHOOK_URL', (draw) => `T${draw(CAPITALS, 8)}/B${draw(CAPITALS, 8)}/${draw(BASE62, 24)}`],
  ['SMTP_PASSWORD', (draw) => `${draw(BASE62, 9)}!&"ü ${draw(BASE62, 8)}7`],
  ['BACKUP_ENCRYPTION_KEY', (draw) => Buffer.from(draw(HEX, 64), 'hex').toString('base64')],
];

function variableText(name: string, secret: string): string {
  if (name === 'SUPABASE_DB_URL') return `postgresql://postgres:${secret}@db.example.test:5432/postgres`;
  if (name === 'SLACK_WEBHOOK_URL') return `https://${'hooks'}.slack.com/services/${secret}`;
  return secret;
}

type Place = { readonly place: CanaryPlace; readonly count: number; readonly text: (secret: string) => string };

const PLACES: readonly Place[] = [
  { place: 'config', count: 4, text: (secret) => `SOME_SERVICE_TOKEN=${secret}` },
  { place: 'address', count: 4, text: (secret) => `https://ada:${secret}@api.example.test/v1?page=2` },
  {
    place: 'git remote',
    count: 3,
    text: (secret) => `https://x-access-token:${secret}@git.example.test/ada/notes.git`,
  },
  { place: 'file', count: 8, text: (secret) => `export const settings = { token: "${secret}", region: "eu" };` },
  { place: 'record', count: 6, text: (secret) => `We decided to rotate ${secret} every quarter.` },
  { place: 'error body', count: 3, text: (secret) => `invalid credentials: ${secret}` },
  { place: 'stack trace', count: 3, text: (secret) => `request with ${secret} failed` },
];

/** 40 secrets of many kinds, each at one place; the same ones for the same seed. */
export function makeCanaries(seed: string): readonly Canary[] {
  const draw = drawOf(seed);
  const variables = VARIABLES.map(([name, make]): Canary => {
    const secret = make(draw);
    return { name: `environment ${name}`, place: 'environment', secret, text: variableText(name, secret) };
  });
  const others = PLACES.flatMap(({ place, count, text }, position) =>
    Array.from({ length: count }, (_, number): Canary => {
      const make = MAKERS[(position * 3 + number) % MAKERS.length] as (draw: Draw) => string;
      const secret = make(draw);
      return { name: `${place} ${number + 1}`, place, secret, text: text(secret) };
    }),
  );
  return [...variables, ...others];
}

/** Writes those of files below `folder`, and says what to plant elsewhere. */
export function plantCanaries(canaries: readonly Canary[], folder: string): PlantedCanaries {
  const at = (place: CanaryPlace): readonly Canary[] => canaries.filter((canary) => canary.place === place);
  const inFiles = at('file').map(({ text }) => text);
  const files = [
    ...inFiles.map((text, number) => ({
      path: join(folder, `notes-${number + 1}`, 'settings.ts'),
      text: `// ${number}\n${text}\n`,
    })),
    { path: join(folder, 'all of them.md'), text: `# All\r\n\r\n${inFiles.join('\r\n\r\n')}\r\n` },
  ];
  for (const { path, text } of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const errors = at('error body');
  return {
    environment: Object.fromEntries(
      at('environment').map(({ name, text }) => [name.slice('environment '.length), text]),
    ),
    config: at('config')
      .map(({ text }) => `${text}\n`)
      .join(''),
    addresses: at('address').map(({ text }) => text),
    gitRemotes: at('git remote').map(({ text }) => text),
    files: files.map(({ path }) => path),
    records: at('record').map(({ text }, number) => ({ title: `Rotation ${number + 1}`, decision: text })),
    errorBody: JSON.stringify({ code: 'invalid', message: errors[0]?.text, details: errors.map(({ text }) => text) }),
    stackMessage: at('stack trace')
      .map(({ text }) => text)
      .join('; '),
  };
}

/**
 * Every canary that a text, bytes or the files below a folder show, however they are written (see `canary-search.ts`),
 * also within gzip, zlib, zstd, zip and packs of git. `folder` reads names of files as well. An empty list is good only
 * if something was searched: a folder without files throws.
 */
export function findLeaks(
  where: string | Uint8Array | { readonly folder: string },
  canaries: readonly Canary[],
): readonly Leak[] {
  const find = leakFinder(canaries);
  if (typeof where === 'string') return find(Buffer.from(where), '');
  if (where instanceof Uint8Array) return inBytes(Buffer.from(where), '', find);
  const entries = readdirSync(where.folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  if (files.length === 0) throw new Error(`nothing to search below ${where.folder}`);
  return files.flatMap((path) => {
    const name = path.slice(where.folder.length + 1);
    return [...find(Buffer.from(name), `name of ${name}`), ...inBytes(readFileSync(path), name, find)];
  });
}

function inBytes(
  bytes: Buffer,
  where: string,
  find: (bytes: Buffer, where: string) => readonly Leak[],
): readonly Leak[] {
  return [{ name: where, bytes }, ...unpacked(bytes, where)].flatMap((one) => find(one.bytes, one.name));
}
