/** Settings as texts of a form, and back. The agent validates; here only what a number field can know is checked. */

export type SettingKind = 'switch' | 'number' | 'choice' | 'text' | 'json';
export type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

/** Keys with a closed set of values. Everything else follows from the default's type. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  'notifications.method': ['slack', 'email', 'desktop', 'none'],
  'privacy.on_secret': ['redact', 'hold'],
  'dashboard.theme': ['system', 'light', 'dark'],
  'logs.level': ['debug', 'info', 'warn', 'error'],
};

export const choicesOf = (key: string): readonly string[] => CHOICES[key] ?? [];

export function kindOf(key: string, byDefault: unknown): SettingKind {
  if (CHOICES[key] !== undefined) return 'choice';
  if (typeof byDefault === 'boolean') return 'switch';
  if (typeof byDefault === 'number') return 'number';
  return typeof byDefault === 'string' ? 'text' : 'json';
}

export const valueText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The value that a text stands for, or not ok when it cannot be one of this kind. */
export function parseValue(kind: SettingKind, text: string): Parsed {
  if (kind === 'number') {
    const value = Number(text.trim());
    return text.trim() === '' || !Number.isFinite(value) ? { ok: false } : { ok: true, value };
  }
  if (kind === 'switch') return { ok: true, value: text === 'true' };
  if (kind === 'json') {
    try {
      return { ok: true, value: JSON.parse(text) as unknown };
    } catch {
      return { ok: false };
    }
  }
  return { ok: true, value: text };
}

export type Section<T> = { readonly name: string; readonly values: readonly T[] };

/** Settings by the first part of their key, in the order they come; `roots` has its own place. */
export function sectionsOf<T extends { readonly key: string }>(values: readonly T[]): Section<T>[] {
  const sections = new Map<string, T[]>();
  for (const value of values) {
    const [name = ''] = value.key.split('.');
    if (name === 'roots') continue;
    sections.set(name, [...(sections.get(name) ?? []), value]);
  }
  return [...sections].map(([name, list]) => ({ name, values: list }));
}

/** `quiet_ms` as `Quiet ms`: a readable name beside the key itself. */
export function settingName(key: string): string {
  const last = key.slice(key.lastIndexOf('.') + 1).replaceAll('_', ' ');
  return last.charAt(0).toUpperCase() + last.slice(1);
}
