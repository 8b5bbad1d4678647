/** What a person decided about something that was held. */
import type { SyncHold } from '../../shared/contract-sync.ts';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import type { LossAnswer } from './intake.ts';
import type { SessionFacts } from './session-facts.ts';
import type { SessionParts, SessionState } from './session-parts.ts';
import type { SessionRounds } from './session-rounds.ts';

const MERGED_TABLES = ['decision_vault', 'memories'] as const;

export type Decide = (hold: SyncHold, decision: 'accept' | 'refuse') => Promise<void>;

export function createDecide(
  parts: SessionParts,
  state: SessionState,
  { kept, setHold }: SessionFacts,
  runOnce: SessionRounds['runOnce'],
): Decide {
  const { remote, stores, shell } = parts;
  const { states, outbox } = stores;
  return decide;

  async function decide(hold: SyncHold, decision: 'accept' | 'refuse'): Promise<void> {
    switch (hold.kind) {
      case 'replaced':
        if (decision === 'accept') linkAnew();
        return;
      case 'pull': {
        const answer: LossAnswer =
          decision === 'refuse'
            ? { kind: 'refuse' }
            : { kind: 'accept', deletes: hold.deletes, overwrites: hold.overwrites };
        const { problem } = await runOnce({ isAsked: true, pull: 'first', push: true, reconcile: true, answer });
        // It is one of ours: the report made it of an AppError.
        if (problem !== null) throw new AppError(problem.code as ErrorCode, problem.message, { hint: problem.fix });
        return;
      }
      case 'push':
        if (decision === 'accept') {
          kept.setAllowance(hold.deletes);
          outbox.unparkCode(remote, 'sync.held');
        } else {
          bringBack();
        }
        setHold('push', null);
    }
  }

  /** Nothing of the old links is believed; everything is compared by content and id, and sent where it is missing. */
  function linkAnew(): void {
    stores.write((tx) => {
      stores.links.clear(tx, remote);
      outbox.restartBacklog(tx, remote);
      states.update(remote, { identity: null, pullCursor: null, holdJson: null, failures: 0, errorJson: null });
    });
    state.isIdentified = false;
    state.pullDueAtMs = 0;
    while (outbox.fillBacklog(2_000));
  }

  /** The retirements are not sent: the records live on here, too. */
  function bringBack(): void {
    const keys = outbox.list({ remote, state: 'parked', limit: 100_000, offset: 0 }).entries;
    const held = keys.filter((entry) => entry.errorCode === 'sync.held');
    stores.write((tx) => {
      stores.records.apply(
        tx,
        held.flatMap(({ table, recordId }) =>
          table === 'decision_vault' || table === 'memories'
            ? [
                {
                  table,
                  id: recordId,
                  fields: { deletedAtMs: null },
                  origin: 'cli',
                  editedAtMs: null,
                  confirmed: [],
                  remotes: { record: outbox.remotesFor(table), activity: outbox.remotesFor('activities') },
                },
              ]
            : [],
        ),
      );
    });
    for (const table of MERGED_TABLES) shell.onRecords(table);
  }
}
