import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { resolveWorker, workerUrl } from '../../src/main/worker-url.ts';

test('unbuilt, a worker is its source file', () => {
  expect(workerUrl('index-worker').href).toMatch(/\/src\/main\/store\/search\/index-worker\.ts$/);
  expect(existsSync(fileURLToPath(workerUrl('index-worker')))).toBe(true);
});

test('built, a worker is its own entry, wherever the calling code was bundled to', () => {
  const worker = 'file:///opt/angles%20app/out/main/workers/scan-worker.js';
  for (const caller of ['main.js', 'chunks/agent-1a2b.js', 'workers/hash-worker.js', 'main/deep.js']) {
    expect(resolveWorker(`file:///opt/angles%20app/out/main/${caller}`, 'scan-worker').href).toBe(worker);
  }
});

test('a bundle in any other place is refused by name', () => {
  expect(() => resolveWorker('file:///opt/elsewhere/agent.js', 'hash-worker')).toThrow(/out\/main.*hash-worker/);
});
