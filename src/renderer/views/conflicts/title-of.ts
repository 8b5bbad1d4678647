import type { Conflict } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import { conflictText as text } from '../../strings-sync.ts';

/** The title of the record that a conflict is about, or that it is gone. */
export const titleOf = (conflict: Pick<Conflict, 'recordTitle'>): string =>
  conflict.recordTitle === '' ? text.noTitle : displayText(conflict.recordTitle);
