import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AgentStatus } from '../../src/shared/contract.ts';
import { ERROR_CATALOGUE } from '../../src/shared/errors.ts';
import { checkDisk, checkVault } from '../support/crash-check.ts';
import { type LedgerLine, sha256Of, toLedger } from '../support/crash-ledger.ts';
import { createSandbox, REMOTES } from '../support/crash-run.ts';
import { noise, save } from '../support/crash-scenario.ts';
import { angles, type Daemon, type DaemonPlace, startDaemon } from '../support/daemon.ts';
import { needs } from '../support/needs.ts';

const FILES = 24;
const FILE_BYTES = 500_000;

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', ...args], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
}

/** A data folder on a disk of its own that is too small for what is saved. */
function newPlace(size: string): DaemonPlace {
  const { base, root, dataFolder, remove } = createSandbox();
  mkdirSync(dataFolder);
  mount('-o', `size=${size},mode=700`, 'angles-test', dataFolder);
  onTestFinished(() => {
    spawnSync('umount', ['-l', dataFolder]);
    remove();
  });
  return { dataFolder, root, home: base };
}

function saveNotes(place: DaemonPlace, from: number, to: number): LedgerLine[] {
  return Array.from({ length: to - from }, (_, index): LedgerLine => {
    const path = `note-${from + index}.bin`;
    const content = noise(path, FILE_BYTES);
    save(place.root, path, content, null);
    return { kind: 'writes', path, sha256: sha256Of(content) };
  });
}

async function until(daemon: Daemon, holds: (status: AgentStatus) => boolean): Promise<AgentStatus> {
  const { client } = await daemon.connect();
  try {
    for (let polls = 0; ; polls += 1) {
      const status = await client.call('agent.status', {});
      if (holds(status)) return status;
      if (polls > 400) throw new Error(`did not happen: ${JSON.stringify(status)}`);
      await delay(50);
    }
  } finally {
    client.close();
  }
}

describe('A disk that is really full', needs('mount', 'strace'), () => {
  test('is said by the agent, refused by commands, and everything is captured when there is space again', async () => {
    const place = newPlace('9m');
    const writes = saveNotes(place, 0, 2);
    const daemon = await startDaemon(place);
    onTestFinished(daemon.kill);
    writes.push(...saveNotes(place, 2, FILES));
    const status = await until(daemon, ({ attention }) => attention.some(({ code }) => code === 'data.full'));
    expect(status.safety).toMatchObject({ verdict: 'attention' });
    expect(status.safety.summary).toContain(ERROR_CATALOGUE['data.full'].title);
    const scan = await angles(place, 'scan');
    expect([scan.code, scan.stderr]).toEqual([
      ERROR_CATALOGUE['data.full'].exitCode,
      expect.stringContaining(ERROR_CATALOGUE['data.full'].title),
    ]);

    mount('-o', 'remount,size=64m,mode=700', 'angles-test', place.dataFolder);
    await until(daemon, ({ safety }) => safety.verdict === 'safe');
    expect(await daemon.stop()).toBe(0);
    const problems = [
      ...checkVault(place.dataFolder, toLedger(writes), REMOTES),
      ...checkDisk(place.dataFolder, place.root),
    ];
    expect(problems).toEqual([]);
  }, 120_000);

  test('does not keep an agent from starting, nor from saying it', async () => {
    const place = newPlace('9m');
    const writes = saveNotes(place, 0, FILES);
    const first = await startDaemon(place);
    await until(first, ({ attention }) => attention.some(({ code }) => code === 'data.full'));
    await first.kill();
    const second = await startDaemon(place);
    onTestFinished(second.kill);
    await until(second, ({ attention }) => attention.some(({ code }) => code === 'data.full'));
    mount('-o', 'remount,size=64m,mode=700', 'angles-test', place.dataFolder);
    await until(second, ({ safety }) => safety.verdict === 'safe');
    expect(await second.stop()).toBe(0);
    expect(checkVault(place.dataFolder, toLedger(writes), REMOTES)).toEqual([]);
    expect(checkDisk(place.dataFolder, place.root)).toEqual([]);
    expect((await angles(place, 'show', join(place.root, 'note-0.bin'), '--json')).code).toBe(0);
  }, 120_000);
});
