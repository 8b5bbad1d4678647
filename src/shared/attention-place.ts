/** Where the matter of an attention is looked at and mended: a page of the window. Pure. */

export type AttentionPlace =
  | 'overview'
  | 'conflicts'
  | 'sync'
  | 'backups'
  | 'schedule'
  | 'health'
  | 'logs'
  | 'settings';

/** By the beginning of its code; the first that fits counts. */
const PLACES: readonly (readonly [start: string, place: AttentionPlace])[] = [
  ['sync.conflict', 'conflicts'],
  ['sync.', 'sync'],
  ['remote.', 'sync'],
  ['backup.', 'backups'],
  ['restore.', 'backups'],
  ['job.', 'schedule'],
  ['config.', 'settings'],
  ['keychain.', 'settings'],
  ['root.none', 'settings'],
  ['data.', 'health'],
  ['content.', 'health'],
  ['log.', 'health'],
  ['internal', 'logs'],
];

/** `overview` is where it is told, for what has no page of its own. */
export const attentionPlace = (code: string): AttentionPlace =>
  PLACES.find(([start]) => code.startsWith(start))?.[1] ?? 'overview';
