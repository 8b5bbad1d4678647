import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSampler, type SamplerParts } from '../../../src/main/ops/sampler.ts';
import type { HealthSample } from '../../../src/main/store/health-samples.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function make(more: Partial<SamplerParts> = {}) {
  const saved: HealthSample[][] = [];
  const machine = { nowMs: 1_000_000, monotonicMs: 0, cpuMs: 50 };
  const problems: unknown[] = [];
  const sampler = createSampler({
    nowMs: () => machine.nowMs,
    monotonicMs: () => machine.monotonicMs,
    cpuMs: () => machine.cpuMs,
    memoryBytes: () => 70e6,
    queued: () => 4,
    save: (samples) => saved.push([...samples]),
    onProblem: (cause) => problems.push(cause),
    ...more,
  });
  const pass = (ms: number, cpuMs = 0): void => {
    machine.nowMs += ms;
    machine.monotonicMs += ms;
    machine.cpuMs += cpuMs;
    vi.advanceTimersByTime(ms);
  };
  return { sampler, saved, machine, problems, pass };
}

test('a minute is one sample, and five of them are written together', () => {
  const { sampler, saved, pass } = make();
  sampler.start();
  sampler.noteSent([200, 900, -5]);
  for (let minute = 0; minute < 5; minute += 1) {
    expect(saved).toEqual([]);
    pass(60_000, 30);
  }
  expect(saved).toHaveLength(1);
  expect(saved[0]).toHaveLength(5);
  expect(saved[0]?.[0]).toEqual({
    atMs: 1_060_000,
    spanMs: 60_000,
    cpuMs: 30,
    memoryBytes: 70e6,
    queued: 4,
    sent: 3,
    latencySumMs: 1_100,
    latencyMaxMs: 900,
  });
  expect(saved[0]?.[1]).toMatchObject({ sent: 0, latencySumMs: 0, latencyMaxMs: 0 });
  sampler.stop();
});

test('a stop writes the rest, and what asks for figures gets those of the last minutes', () => {
  const { sampler, saved, pass } = make();
  sampler.start();
  pass(60_000);
  sampler.flush();
  sampler.flush();
  expect(saved.map((one) => one.length)).toEqual([1]);
  pass(20_000, 5);
  sampler.stop();
  sampler.stop();
  expect(saved.at(-1)).toMatchObject([{ spanMs: 20_000, cpuMs: 5 }]);
  pass(600_000);
  expect(saved).toHaveLength(2);
});

test('while nothing can be written the newest hour is kept, the trouble is told once, and it goes on by itself', () => {
  let isFull = true;
  const kept: number[] = [];
  const { sampler, problems, pass } = make({
    save: (samples) => {
      if (isFull) throw new Error('full');
      kept.push(samples.length);
    },
  });
  sampler.start();
  for (let minute = 0; minute < 90; minute += 1) pass(60_000);
  expect(problems).toHaveLength(1);
  isFull = false;
  pass(60_000);
  expect(kept).toEqual([60]);
  sampler.stop();
});

test('a machine that slept has a gap, not a minute of hours', () => {
  const { sampler, saved, machine, pass } = make();
  sampler.start();
  machine.nowMs += 9 * 3_600_000;
  pass(60_000, 10);
  sampler.flush();
  expect(saved[0]).toMatchObject([{ spanMs: 60_000, atMs: 1_000_000 + 9 * 3_600_000 + 60_000 }]);
  sampler.stop();
});
