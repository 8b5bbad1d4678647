/** Settings and health of the fake agent. */
import type { AgentEvent, AgentMethods, MethodOutput } from '../../src/shared/contract.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { Check } from '../../src/shared/model.ts';
import { ENVIRONMENT, settingsSchema } from '../../src/shared/settings.ts';
import { FAKE_ROOTS } from './fake-data.ts';

export const FAKE_CHECKS: Check[] = [
  { id: 'vault', title: 'Vault', verdict: 'ok', reason: 'quick_check found no fault.', fix: null },
  { id: 'disk', title: 'Free space', verdict: 'ok', reason: '84 GB are free.', fix: null },
  {
    id: 'inotify',
    title: 'Watches',
    verdict: 'warn',
    reason: '60,000 of 65,536 watches are in use.',
    fix: 'sudo sysctl fs.inotify.max_user_watches=524288',
  },
  {
    id: 'roots',
    title: 'Watched folders',
    verdict: 'error',
    reason: '1 folder waits for a decision.',
    fix: 'angles roots accept /home/mira/assistant-exports',
  },
  { id: 'supabase', title: 'Supabase', verdict: 'off', reason: 'SUPABASE_URL is not set.', fix: null },
];

const defaults = settingsSchema.parse({});
function flatten(value: object, prefix = ''): { key: string; value: unknown }[] {
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? flatten(inner, key)
      : [{ key, value: inner }];
  });
}

type SettingsMethods = Pick<AgentMethods, 'settings.show' | 'settings.set'>;

/** Knows every key with its default, refuses others; values are taken as they come. */
export function createSettingsMethods(emit: (event: AgentEvent) => void): {
  readonly methods: SettingsMethods;
  /** An outside name was set or removed. */
  readonly keep: (name: string, value: string | null, place: 'keychain' | '.env') => void;
  readonly isKept: (name: string) => boolean;
} {
  const kept = new Map<string, { readonly value: string; readonly place: 'keychain' | '.env' }>();
  const given = new Map<string, unknown>([
    ['roots', FAKE_ROOTS.map((path) => ({ path }))],
    ['logs.level', 'debug'],
  ]);
  const show = (): MethodOutput<'settings.show'> => ({
    file: '/home/mira/.local/share/angles/config.json',
    values: flatten(defaults).map(({ key, value }) => ({
      key,
      value: given.has(key) ? given.get(key) : value,
      default: value,
      source: given.has(key) ? 'file' : 'default',
    })),
    environment: ENVIRONMENT.map(({ name, secret, enables }) => ({
      name,
      foundAs: name === 'OPENAI_MODEL' || kept.has(name) ? name : null,
      source: name === 'OPENAI_MODEL' ? 'environment' : (kept.get(name)?.place ?? null),
      value: name === 'OPENAI_MODEL' ? 'gpt-4o' : secret ? null : (kept.get(name)?.value ?? null),
      secret,
      enables,
    })),
    off: [
      { part: 'Supabase', missing: ['SUPABASE_URL', 'SUPABASE_KEY'], consequence: 'Records stay on this machine.' },
      {
        part: 'Notion',
        missing: ['NOTION_API_KEY', 'NOTION_DATABASE_ID'],
        consequence: 'Nothing is written to Notion.',
      },
    ],
    warnings: [{ message: '.env can be read by others.', fix: 'chmod 600 /home/mira/.local/share/angles/.env' }],
  });
  const methods: SettingsMethods = {
    'settings.show': async () => show(),
    'settings.set': async ({ key, value }) => {
      if (!flatten(defaults).some((known) => known.key === key)) {
        throw new AppError('config.unknown_key', `${key} is not a setting.`);
      }
      if (key === 'dashboard.port' && value !== null && typeof value !== 'number') {
        throw new AppError('config.invalid', 'dashboard.port must be a number.');
      }
      if (value === null) given.delete(key);
      else given.set(key, value);
      emit({ event: 'settings', payload: {} });
      return { restartNeeded: key === 'dashboard.port' };
    },
  };
  return {
    methods,
    keep: (name, value, place) => {
      if (value === null) kept.delete(name);
      else kept.set(name, { value, place });
    },
    isKept: (name) => kept.has(name),
  };
}
