import type { AgentMethods, MethodName } from '../shared/contract.ts';
import { backupMethods } from '../shared/contract-backup.ts';
import { AppError } from '../shared/errors.ts';
import type { ApiParts } from './api-parts.ts';

/** Stands in until the backup service is merged: every method says that it is not there. */
export function createBackupMethods(_all: ApiParts): Pick<AgentMethods, keyof typeof backupMethods> {
  const absent = (method: MethodName) => async (): Promise<never> => {
    throw new AppError('internal', `${method} is not part of this build yet.`);
  };
  const names = Object.keys(backupMethods) as (keyof typeof backupMethods)[];
  return Object.fromEntries(names.map((name) => [name, absent(name)])) as unknown as Pick<
    AgentMethods,
    keyof typeof backupMethods
  >;
}
