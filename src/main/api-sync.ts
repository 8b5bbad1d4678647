import type { AgentMethods } from '../shared/contract.ts';
import type { ApiParts } from './api-parts.ts';
import type { SyncMethods } from './sync/engine-parts.ts';

/** The engine answers for itself; here is only what needs more than it. */
export function createSyncMethods({ sync }: ApiParts): Pick<AgentMethods, keyof SyncMethods> {
  return sync.methods;
}
