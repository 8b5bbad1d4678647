import { expect, test } from 'vitest';
import { createExclusive } from '../../../src/main/backup/exclusive.ts';

test('a person waits for what began by itself, and is refused by another person', async () => {
  const exclusive = createExclusive();
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const automatic = exclusive.run('backup', () => first.promise.then(() => void order.push('automatic')), {
    isAutomatic: true,
  });
  const asked = exclusive.run('restore', () => second.promise.then(() => void order.push('asked')));
  const late = exclusive.run('drill', async () => undefined);
  await expect(exclusive.run('backup', async () => undefined, { isAutomatic: true })).rejects.toMatchObject({
    code: 'backup.busy',
  });
  first.resolve();
  await automatic;
  await expect(late).rejects.toMatchObject({ code: 'backup.busy', message: 'A restore is running.' });
  expect(exclusive.running()).toBe('restore');
  second.resolve();
  await asked;
  expect([order, exclusive.running()]).toEqual([['automatic', 'asked'], null]);
});

test('what failed lets the next one begin', async () => {
  const exclusive = createExclusive();
  const automatic = exclusive.run('backup', () => Promise.reject(new Error('no')), { isAutomatic: true });
  const asked = exclusive.run('restore', async () => 'done');
  await expect(automatic).rejects.toThrow('no');
  expect(await asked).toBe('done');
});
