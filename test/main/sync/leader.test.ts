import { expect, test } from 'vitest';
import { createLeader, LEASE_TTL_MS, type Leader, type LeaseService } from '../../../src/main/sync/leader.ts';
import { AppError } from '../../../src/shared/errors.ts';

type Answer = Awaited<ReturnType<LeaseService['take']>> | 'down';

function world(isAlone: boolean) {
  const clock = { nowMs: 0 };
  let answer: Answer = 'down';
  const ask = (): Exclude<Answer, 'down'> => {
    if (answer === 'down') throw new AppError('remote.unreachable', 'down');
    return answer;
  };
  const leader: Leader = createLeader({
    name: 'notion',
    deviceId: 'here',
    monotonicMs: () => clock.nowMs,
    nowMs: () => clock.nowMs,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    onChange: () => undefined,
    isAlone: () => isAlone,
  });
  leader.setService({
    take: async () => ask(),
    renew: async () => 'fencing' in ask(),
    release: async () => undefined,
  });
  return {
    clock,
    leader,
    set: (next: Answer): void => {
      answer = next;
    },
  };
}

test('a device that shares with others stops in time when leases cannot be asked for', async () => {
  const { clock, leader, set } = world(false);
  await leader.check();
  expect(leader.isThisDevice()).toBe(false);
  set({ fencing: 1, untilMs: LEASE_TTL_MS });
  await leader.check();
  expect(leader.isThisDevice()).toBe(true);
  set('down');
  clock.nowMs += LEASE_TTL_MS - 4_000;
  await leader.check();
  expect(leader.isThisDevice()).toBe(false);
  expect(() => leader.assert()).toThrow('Another device');
});

test('a device that is alone goes on meanwhile, and makes room as soon as somebody else is heard of', async () => {
  const { clock, leader, set } = world(true);
  await leader.check();
  expect(leader.isThisDevice()).toBe(true);
  clock.nowMs += LEASE_TTL_MS - 4_000;
  expect(leader.isThisDevice()).toBe(false);
  await leader.check();
  expect(leader.isThisDevice()).toBe(true);
  set({ heldBy: 'there', untilMs: 0 });
  await leader.check();
  expect(leader.isThisDevice()).toBe(false);
  expect(leader.state()).toMatchObject({ kind: 'other_device', deviceId: 'there' });
});
