/** What a session of a remote has to know after a restart, besides what its state holds: tables that pause, and consent. */
import { z } from 'zod';
import { ERROR_CATALOGUE, type ErrorCode } from '../../shared/errors.ts';
import type { Remote } from '../../shared/model.ts';
import type { Meta } from '../store/meta.ts';
import type { SyncTable } from './connector.ts';
import type { PausedTable } from './push.ts';

/** `untilMs` is of the wall clock: it has to mean something after a restart. */
export type Pause = PausedTable & { readonly untilMs: number; readonly times: number };

export type SessionMemory = {
  readonly pauses: () => ReadonlyMap<SyncTable, Pause>;
  readonly setPauses: (pauses: ReadonlyMap<SyncTable, Pause>) => void;
  /** Retirements that a person agreed to send, and that were not sent yet. */
  readonly allowance: () => number;
  readonly setAllowance: (count: number) => void;
};

const pause = z.object({
  table: z.enum(['decision_vault', 'memories', 'activities', 'file_snapshots']),
  code: z.string().refine((code): code is ErrorCode => Object.hasOwn(ERROR_CATALOGUE, code)),
  message: z.string(),
  hint: z.string(),
  untilMs: z.number(),
  times: z.number(),
});
const stored = z.object({ pauses: z.array(pause), allowance: z.number().min(0) });
type Stored = z.infer<typeof stored>;

const NOTHING: Stored = { pauses: [], allowance: 0 };

/** What another version wrote and this one cannot read is forgotten: then a table is tried, and a person asked again. */
export function createSessionMemory(meta: Meta, remote: Remote): SessionMemory {
  const key = `sync.session.${remote}`;
  let known: Stored | null = null;
  const read = (): Stored => {
    if (known !== null) return known;
    const parsed = stored.safeParse(JSON.parse(meta.get(key) ?? 'null'));
    known = parsed.success ? parsed.data : NOTHING;
    return known;
  };
  const save = (change: Partial<Stored>): void => {
    const before = read();
    known = { ...before, ...change };
    if (JSON.stringify(known) !== JSON.stringify(before)) meta.set(key, JSON.stringify(known));
  };
  return {
    pauses: () => new Map(read().pauses.map(({ table, ...rest }) => [table, rest])),
    setPauses: (pauses) =>
      save({
        pauses: [...pauses].map(([table, { code, message, hint, untilMs, times }]) => ({
          table,
          code,
          message,
          hint,
          untilMs,
          times,
        })),
      }),
    allowance: () => read().allowance,
    setAllowance: (allowance) => save({ allowance: Math.max(0, allowance) }),
  };
}
