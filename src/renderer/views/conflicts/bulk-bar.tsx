import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Conflict } from '../../../shared/contract-sync.ts';
import { answersForAll, type ConflictAnswer } from '../../data/conflict-view.ts';
import { Button, ErrorCard } from '../../parts/basics.tsx';
import { ConfirmDialog } from '../../parts/dialog.tsx';
import { conflictText as text } from '../../strings-sync.ts';
import { useResolve } from './use-resolve.ts';

type BulkProps = {
  readonly picked: readonly Conflict[];
  readonly allChosen: boolean;
  readonly onChooseAll: () => void;
  readonly onChooseNone: () => void;
};

const LABELS = { mine: text.answers.mine, theirs: text.answers.theirsAll, both: text.answers.both } as const;
type BulkAnswer = Exclude<ConflictAnswer, 'edited'>;

/** One answer for everything that is chosen, where it makes sense for all of it. */
export function BulkBar({ picked, allChosen, onChooseAll, onChooseNone }: BulkProps): VNode {
  const { busy, error, resolve } = useResolve();
  const [asking, setAsking] = useState<BulkAnswer | null>(null);
  const possible = answersForAll(picked);
  return (
    <>
      <fieldset class="bulk-bar">
        <legend class="visually-hidden">{text.bulk}</legend>
        <Button kind="quiet" onClick={allChosen ? onChooseNone : onChooseAll}>
          {allChosen ? text.chooseNone : text.chooseAll}
        </Button>
        <p class="grow muted" role="status">
          {text.chosen(picked.length)}
        </p>
        <div class="row tight">
          {(['mine', 'theirs', 'both'] as const).map((answer) => (
            <Button key={answer} busy={busy} disabled={!possible.includes(answer)} onClick={() => setAsking(answer)}>
              {LABELS[answer]}
            </Button>
          ))}
        </div>
      </fieldset>
      {error === null ? null : <ErrorCard error={error} />}
      {asking === null ? null : (
        <ConfirmDialog
          title={text.bulkAsk(LABELS[asking], picked.length)}
          text={text.bulkText}
          confirm={LABELS[asking]}
          onClose={() => setAsking(null)}
          onConfirm={() => {
            resolve(
              picked.map((one) => one.id),
              asking,
            ).then((all) => {
              if (all) onChooseNone();
            });
          }}
        />
      )}
    </>
  );
}
