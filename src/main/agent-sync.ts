/** Hands sync what it needs of everything else. */
import { hash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Remote } from '../shared/model.ts';
import { ENVIRONMENT } from '../shared/settings.ts';
import { CONNECTOR_NAMES, CONNECTORS, connectorSettings } from './connectors.ts';
import type { EventHub } from './event-hub.ts';
import { writeFileDurably } from './files/write-file.ts';
import type { Host } from './host.ts';
import type { Log } from './log/log.ts';
import { createRedactor } from './privacy/redactor.ts';
import type { SettingsSource } from './settings/settings.ts';
import type { CrashGuard } from './sync/crash-guard.ts';
import type { SyncEngine } from './sync/engine-parts.ts';
import type { SyncShell } from './sync/parts.ts';
import { createSyncEngine } from './sync/sync-engine.ts';
import { createSyncStores } from './sync/sync-stores.ts';
import type { Parts, Vault } from './vault.ts';

export type SyncParts = {
  readonly host: Host;
  readonly settings: SettingsSource;
  readonly log: Log;
  readonly hub: EventHub;
  readonly vault: Vault;
  readonly parts: Parts;
  readonly guard: CrashGuard;
  readonly onSent: NonNullable<SyncShell['onSent']>;
  readonly pausedUntilMs: () => number | null;
};

export function createSync(all: SyncParts): SyncEngine {
  const { host, settings, vault, parts, guard } = all;
  const stores = createSyncStores(vault.store, parts);
  return createSyncEngine({
    stores,
    shell: createShell(all, () => stores.conflicts.countOpen()),
    guard,
    configured: () => settings.configuredRemotes().map((remote) => ({ remote, key: keyOf(host, settings, remote) })),
    connect: (remote, assertMayWrite) =>
      CONNECTORS[remote]({
        value: settings.environment,
        variable: (name) => host.environment[name],
        settings: settings.current(),
        deviceId: vault.store.deviceId,
        nowMs: host.nowMs,
        keepSetting: settings.set,
        assertMayWrite,
      }),
    reporting: () => {
      const { sync, scheduler } = settings.current();
      return {
        logLevel: sync.send_logs,
        runPages: sync.notion_run_pages,
        dayPages: sync.notion_day_pages,
        timeZone: scheduler.timezone,
      };
    },
    device: { name: hostname(), version: host.version },
    monotonicMs: () => performance.now(),
    exportFolder: join(host.dataFolder, 'exports'),
    writeFile: (path, bytes) => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileDurably(path, bytes, { overwrite: false, mode: 0o600 });
    },
  });
}

function createShell(all: SyncParts, countConflicts: () => number): SyncShell {
  const { host, settings, log, hub, parts, onSent } = all;
  const secrets = (): string[] =>
    ENVIRONMENT.flatMap(({ name, secret }) => (secret ? (settings.environment(name) ?? []) : []));
  const redactor = createRedactor({ secrets });
  let isTelling = false;
  return {
    settings: () => {
      const { sync, privacy } = settings.current();
      return {
        limits: { over: sync.hold_changes_over, share: sync.hold_changes_share },
        batchSize: sync.batch_size,
        reconcileMs: sync.reconcile_minutes * 60_000,
        onSecret: privacy.on_secret,
      };
    },
    pausedUntilMs: all.pausedUntilMs,
    nowMs: host.nowMs,
    random: Math.random,
    log: log.component('sync'),
    redact: redactor.redact,
    redactThoroughly: redactor.redactThoroughly,
    onRecords: (table) => {
      parts.search.wake();
      hub.emit({ event: 'records', payload: { table } });
    },
    onState: () => {
      hub.statusChanged();
      if (isTelling) return;
      isTelling = true;
      // Many batches a second are one event: faces read again anyway.
      setTimeout(() => {
        isTelling = false;
        hub.emit({ event: 'sync', payload: { remote: null } });
      }, EVENT_MS).unref();
    },
    onConflicts: () => {
      hub.emit({ event: 'conflicts', payload: { open: countConflicts() } });
      hub.statusChanged();
    },
    onSent,
  };
}

const EVENT_MS = 250;

/** Changes when anything changes that a connector is made from; tells nothing about it. */
function keyOf(host: Host, settings: SettingsSource, remote: Remote): string {
  const known = ENVIRONMENT.map(({ name }) => name);
  const values = CONNECTOR_NAMES[remote].map((name) => {
    const own = known.find((one) => one === name);
    return own === undefined ? host.environment[name] : settings.environment(own);
  });
  return hash('sha256', JSON.stringify([values, connectorSettings(remote, settings.current())]));
}
