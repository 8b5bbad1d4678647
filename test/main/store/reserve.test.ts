import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createReserve, RESERVE_FILE } from '../../../src/main/store/reserve.ts';
import { newFolder } from './test-vault.ts';

test('the reserve takes real space, gives it free once, and takes it again', () => {
  const folder = newFolder();
  const reserve = createReserve(folder, 300_000);
  expect(reserve.release()).toBe(false);
  expect(reserve.restore()).toBe(true);
  const { size, blocks } = statSync(join(folder, RESERVE_FILE));
  expect({ size, isReal: blocks * 512 >= size }).toEqual({ size: 300_000, isReal: true });
  expect([reserve.release(), reserve.release(), reserve.restore(), reserve.restore()]).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

test('a reserve that was cut short, or is of another size, is made whole', () => {
  const folder = newFolder();
  writeFileSync(join(folder, RESERVE_FILE), 'half');
  expect(createReserve(folder, 10_000).restore()).toBe(true);
  expect(statSync(join(folder, RESERVE_FILE)).size).toBe(10_000);
});

test('without space, or without a folder, it says no and does not throw', () => {
  expect(createReserve(join(newFolder(), 'missing')).restore()).toBe(false);
  const folder = newFolder();
  mkdirSync(join(folder, RESERVE_FILE));
  const reserve = createReserve(folder);
  expect([reserve.restore(), reserve.release()]).toEqual([false, false]);
});
