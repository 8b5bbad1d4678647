import { useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import { displayText } from '../../../shared/display.ts';
import { useApp } from '../../app-context.ts';
import { type ConflictAnswer, inPortions } from '../../data/conflict-view.ts';
import { useTell } from '../../parts/basics.tsx';
import { conflictText as text } from '../../strings-sync.ts';

/** What one call takes. */
const AT_ONCE = 1_000;

type Resolve = {
  readonly busy: boolean;
  readonly error: unknown;
  /** Decides and offers to undo it; answers whether all of it could be done. */
  readonly resolve: (ids: readonly string[], choice: ConflictAnswer, value?: unknown) => Promise<boolean>;
  readonly undo: (ids: readonly string[]) => Promise<void>;
};

/** Decides conflicts, says how it went, and takes it back when asked. */
export function useResolve(): Resolve {
  const { client } = useApp();
  const tell = useTell();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const undo = async (ids: readonly string[]): Promise<void> => {
    try {
      const answers: MethodOutput<'conflicts.undo'>[] = [];
      for (const portion of inPortions(ids, AT_ONCE)) {
        answers.push(await client.call('conflicts.undo', { ids: [...portion], origin: 'dashboard' }));
      }
      const [failed] = answers.flatMap((one) => one.failed);
      if (failed !== undefined) tell.problem(displayText(failed.message));
      else tell.ok(text.undone(answers.reduce((sum, one) => sum + one.undone.length, 0)));
    } catch (failure) {
      tell.fail(failure);
    }
  };

  const resolve: Resolve['resolve'] = async (ids, choice, value) => {
    setBusy(true);
    setError(null);
    const done: string[] = [];
    const failed: { message: string }[] = [];
    try {
      for (const portion of inPortions(ids, AT_ONCE)) {
        const answer = await client.call('conflicts.resolve', {
          ids: [...portion],
          choice,
          origin: 'dashboard',
          ...(choice === 'edited' ? { value } : {}),
        });
        done.push(...answer.resolved.map((one) => one.id));
        failed.push(...answer.failed);
      }
      const [first] = failed;
      if (first === undefined) tell.ok(text.done(done.length), { label: text.undo, run: () => void undo(done) });
      else tell.problem(text.some(done.length, failed.length, displayText(first.message)));
      return first === undefined;
    } catch (failure) {
      setError(failure);
      // What was decided before the failure stays decided, and can be taken back.
      if (done.length > 0) tell.ok(text.done(done.length), { label: text.undo, run: () => void undo(done) });
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, resolve, undo };
}
