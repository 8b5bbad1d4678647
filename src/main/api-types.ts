import type { AgentEvent, AgentMethods } from '../shared/contract.ts';

/** What a carrier needs of the agent: the handlers of the contract and its events. Importing this loads nothing. */
export type AgentApi = {
  readonly methods: AgentMethods;
  /** Calls `listener` with every event until the returned function is called. */
  readonly subscribe: (listener: (event: AgentEvent) => void) => () => void;
};
