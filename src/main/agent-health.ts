/** Hands the figures of the health page what they need of everything else. */
import type { Log } from './log/log.ts';
import { createSampler, type Sampler } from './ops/sampler.ts';
import { createHealthSamples, type HealthSamples } from './store/health-samples.ts';
import type { Parts, Vault } from './vault.ts';

export type AgentHealth = {
  readonly samples: HealthSamples;
  readonly sampler: Sampler;
};

export type HealthParts = {
  readonly nowMs: () => number;
  readonly log: Log;
  readonly vault: Vault;
  readonly parts: Parts;
  /** Changed files that are not captured yet. */
  readonly waiting: () => number;
};

export function createHealth({ nowMs, log, vault, parts, waiting }: HealthParts): AgentHealth {
  const samples = createHealthSamples(vault.store);
  const logger = log.component('health');
  const sampler = createSampler({
    nowMs,
    monotonicMs: () => performance.now(),
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    memoryBytes: () => process.memoryUsage.rss(),
    queued: () =>
      waiting() +
      parts.outbox
        .summary()
        .filter((one) => one.configured)
        .reduce((sum, one) => sum + one.pending + one.leased, 0),
    save: samples.add,
    onProblem: (error) => logger.warn('Figures of the last minutes could not be written; they wait.', { error }),
  });
  return { samples, sampler };
}
