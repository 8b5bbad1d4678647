import type { AgentBackup } from './agent-backup.ts';
import type { AgentHealth } from './agent-health.ts';
import type { RootPlan } from './agent-roots.ts';
import type { AgentMode } from './api-types.ts';
import type { EventHub } from './event-hub.ts';
import type { Host } from './host.ts';
import type { LogFlush } from './log/flush.ts';
import type { Log } from './log/log.ts';
import type { Pause } from './pause.ts';
import type { SettingsSource } from './settings/settings.ts';
import type { SyncEngine } from './sync/engine-parts.ts';
import type { Parts, Vault } from './vault.ts';
import type { WatchService } from './watch/watch-service.ts';

/** What changes while the agent runs and belongs to no part. */
export type AgentState = {
  plan: RootPlan;
  startedAtMs: number | null;
  /** When the machine last woke; null when it did not sleep since the start. */
  wokeAtMs: number | null;
  createdFirstRoot: string | null;
  dashboardUrl: string | null;
  makeLink: (() => string) | null;
  safeSinceMs: number | null;
  /** What the test of the vault file found; null when nothing. */
  damage: string | null;
};

/** Everything a handler may need. */
export type ApiParts = {
  readonly host: Host;
  readonly mode: AgentMode;
  readonly settings: SettingsSource;
  readonly log: Log;
  readonly logFlush: LogFlush;
  readonly hub: EventHub;
  readonly vault: Vault;
  readonly parts: Parts;
  readonly watch: WatchService;
  readonly sync: SyncEngine;
  readonly pause: Pause;
  readonly backup: AgentBackup;
  readonly health: AgentHealth;
  readonly state: AgentState;
  readonly applyRoots: () => Promise<void>;
  readonly requestStop: () => void;
};
