import type { Store } from './database.ts';

/** Small facts about the vault itself, by name. */
export type Meta = {
  readonly get: (key: string) => string | null;
  readonly set: (key: string, value: string) => void;
};

export function createMeta(store: Store): Meta {
  const read = store.db.prepare<[string], { value: string }>('SELECT value FROM meta WHERE key = ?');
  const save = store.db.prepare<[string, string]>(
    'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  return {
    get: (key) => read.get(key)?.value ?? null,
    set: (key, value) => {
      store.write(() => save.run(key, value));
    },
  };
}
