/** The services that can be added, what each needs, and how a form of it is read. Pure. */
import type { MethodInput, MethodOutput } from '../../shared/contract.ts';

export type ServiceId = 'supabase' | 'notion' | 'github';
type EnvironmentName = keyof MethodInput<'environment.set'>['values'] & string;

export type ServiceField = {
  readonly name: EnvironmentName;
  readonly isSecret: boolean;
  /** Without it the service is off. */
  readonly isNeeded: boolean;
};
export type Service = {
  readonly id: ServiceId;
  /** Where its key comes from. */
  readonly page: string;
  readonly fields: readonly ServiceField[];
};

const field = (name: EnvironmentName, isSecret: boolean, isNeeded = true): ServiceField => ({
  name,
  isSecret,
  isNeeded,
});

export const SERVICES: readonly Service[] = [
  {
    id: 'supabase',
    page: 'https://supabase.com/dashboard/project/_/settings/api-keys',
    fields: [
      field('SUPABASE_URL', false),
      field('SUPABASE_KEY', true),
      field('SUPABASE_EMAIL', false, false),
      field('SUPABASE_PASSWORD', true, false),
      field('SUPABASE_DB_URL', true, false),
    ],
  },
  {
    id: 'notion',
    page: 'https://www.notion.so/my-integrations',
    fields: [field('NOTION_API_KEY', true), field('NOTION_DATABASE_ID', false)],
  },
  {
    id: 'github',
    page: 'https://github.com/settings/personal-access-tokens',
    fields: [field('GITHUB_REPO', false), field('GITHUB_TOKEN', true)],
  },
];

type Environment = MethodOutput<'settings.show'>['environment'];
export type KnownField = ServiceField & {
  readonly source: Environment[number]['source'];
  /** null for a secret, and while it is not set. */
  readonly value: string | null;
};

/** The fields of a service with what is known of each. */
export function knownFields({ fields }: Service, environment: Environment): readonly KnownField[] {
  return fields.map((one) => {
    const found = environment.find(({ name }) => name === one.name);
    return { ...one, source: found?.source ?? null, value: found?.value ?? null };
  });
}

/** Everything that it needs is set. */
export const isSetUp = (fields: readonly KnownField[]): boolean =>
  fields.every((one) => !one.isNeeded || one.source !== null);

export type Draft = Readonly<Partial<Record<EnvironmentName, string>>>;

/** What a form would set: only what was typed. */
export function valuesOf(draft: Draft): MethodInput<'environment.set'>['values'] {
  return Object.fromEntries(
    Object.entries(draft)
      .map(([name, value]) => [name, readValue(name, value ?? '')])
      .filter(([, value]) => value !== ''),
  );
}

/** A link to a database of Notion holds its id; the rest of it is a view. */
function readValue(name: string, pasted: string): string {
  const value = tidy(pasted);
  if (name !== 'NOTION_DATABASE_ID' || !/^https?:/.test(value)) return value;
  return /([0-9a-f]{32})(?:[?#/]|$)/.exec(value.replaceAll('-', ''))?.[1] ?? value;
}

/** A pasted line: the spaces around it, quotes of a `.env` and a leading `NAME=` are no part of a value. */
export function tidy(pasted: string): string {
  const line = pasted.trim().replace(/^(?:export\s+)?[A-Z][A-Z0-9_]*\s*=\s*/, '');
  const quoted = /^(["'])(.*)\1$/.exec(line);
  return (quoted?.[2] ?? line).trim();
}

/** The fields that are still missing when the draft is saved. */
export function missingIn(fields: readonly KnownField[], draft: Draft): readonly EnvironmentName[] {
  const values = valuesOf(draft);
  return fields
    .filter((one) => one.isNeeded && one.source === null && values[one.name] === undefined)
    .map(({ name }) => name);
}

export type Steps = MethodOutput<'backups.test'>['steps'];

/** How a test ended, in one word. */
export function verdictOf(steps: Steps): 'ok' | 'warning' | 'failed' {
  if (steps.some((one) => one.verdict === 'failed')) return 'failed';
  return steps.some((one) => one.verdict === 'warning') ? 'warning' : 'ok';
}
