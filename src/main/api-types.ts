import type { AgentEvent, AgentMethods } from '../shared/contract.ts';
import type { Settings } from '../shared/settings.ts';
import type { Host } from './host.ts';

/** What a carrier needs of the agent: the handlers of the contract and its events. Importing this loads nothing. */
export type AgentApi = {
  readonly methods: AgentMethods;
  /** Calls `listener` with every event until the returned function is called. */
  readonly subscribe: (listener: (event: AgentEvent) => void) => () => void;
};

/** `running` watches; `offline` opens the vault for one command, without watching. Both hold the data folder's lock. */
export type AgentMode = 'running' | 'offline';

type ShellLogger = {
  readonly warn: (message: string, data?: Record<string, unknown>) => void;
  readonly error: (message: string, data?: Record<string, unknown>) => void;
};

/** What a shell needs of the agent besides its api: `src/main/agent.ts` makes one. */
export type ShellAgent = {
  readonly api: AgentApi;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly settings: () => Settings;
  readonly log: { readonly component: (name: string) => ShellLogger };
  readonly setDashboardUrl: (url: string | null) => void;
  /** A face asked the agent to stop; the shell does it. */
  readonly onStopRequested: (listener: () => void) => void;
  /** How `agent.link` makes a link. */
  readonly setLinkMaker: (makeLink: () => string) => void;
  readonly describeStart: () => { readonly createdFirstRoot: string | null };
};

/** Throws `data.held` when another process holds the data folder, `data.*` and `config.*` when it cannot be used. */
export type OpenAgent = (host: Host, mode: AgentMode) => Promise<ShellAgent>;
