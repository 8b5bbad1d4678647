/** How the agent is doing, what runs when, and services that are set up. */
import type { AgentMethods } from '../shared/contract.ts';
import type { opsMethods } from '../shared/contract-ops.ts';
import { SERVICE_ENVIRONMENT } from '../shared/settings.ts';
import { describeSchedule } from './agent-schedule.ts';
import type { ApiParts } from './api-parts.ts';
import { BACKUPS_KEPT_MS, KEPT_MS } from './store/health-samples.ts';

type OpsMethods = Pick<AgentMethods, keyof typeof opsMethods>;

const DEFAULT_POINTS = 240;
const MINUTE_MS = 60_000;
const MOST_BACKUPS = 500;

export function createOpsMethods(all: ApiParts): OpsMethods {
  const { host, health, settings, log, backup } = all;
  return {
    'health.series': async ({ spanMs, points = DEFAULT_POINTS }) => {
      health.sampler.flush();
      const nowMs = host.nowMs();
      const span = Math.min(spanMs, KEPT_MS);
      // Whole minutes: each of them has one sample at most.
      const bucketMs = Math.max(1, Math.ceil(span / points / MINUTE_MS)) * MINUTE_MS;
      return {
        bucketMs,
        sinceMs: nowMs - span,
        untilMs: nowMs,
        keptMs: KEPT_MS,
        points: [...health.samples.points(nowMs - span, bucketMs)],
        backups: [...health.samples.backups(nowMs - BACKUPS_KEPT_MS, MOST_BACKUPS)],
      };
    },
    'schedule.list': async () => ({ nowMs: host.nowMs(), entries: await scheduleOf(all) }),
    'environment.set': async ({ values }) => {
      // Before anything else could write a line about it.
      for (const { name, secret } of SERVICE_ENVIRONMENT) if (secret) log.addSecret(values[name] ?? '');
      return { kept: await settings.keep(values) };
    },
    'backups.test': async () => (await backup.git()).test(),
    'backups.prepare': async ({ apply }) => (await backup.git()).prepare(apply),
  };
}

async function scheduleOf(all: ApiParts): Promise<ReturnType<typeof describeSchedule>> {
  const { settings, watch, parts, sync, mode, state, backup, host } = all;
  const { watch: watching, sync: syncing } = settings.current();
  const scans = parts.roots.list().flatMap(({ lastScanAtMs }) => lastScanAtMs ?? []);
  return describeSchedule({
    nowMs: host.nowMs(),
    isRunning: mode === 'running',
    startedAtMs: state.startedAtMs,
    backup: (await backup.service()).schedule(),
    scan: {
      roots: state.plan.watched.length,
      everyMs: watching.rescan_minutes * MINUTE_MS,
      // The folder that was read longest ago.
      lastAtMs: scans.length === 0 ? null : Math.min(...scans),
      nextAtMs: watch.nextScanAtMs(),
    },
    reconcileMs: syncing.reconcile_minutes * MINUTE_MS,
    remotes: sync.status().remotes,
  });
}
