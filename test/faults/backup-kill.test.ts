import { execFileSync, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openRepository } from '../../src/main/backup/open-repository.ts';
import { createTestVault, TEST_SECRET } from '../support/backup-vault.ts';

const KILLS = Number(process.env.ANGLES_TEST_KILLS ?? 8);
const child = join(import.meta.dirname, '..', 'support', 'backup-child.ts');
const keyHex = TEST_SECRET.kind === 'key' ? TEST_SECRET.key.toString('hex') : '';

it(`a backup that is killed ${KILLS} times on one repository never loses an earlier one`, async () => {
  const vault = createTestVault();
  vault.store.close();
  const promised: { readonly commit: string; readonly written: readonly string[] }[] = [];
  try {
    for (let round = 0; round < KILLS; round += 1) {
      const wantedTurns = 1 + (round % 7);
      await runUntilKilled(vault.dataFolder, round, promised, wantedTurns, Math.random() * 60);
      if (promised.length === 0) continue;
      execFileSync('git', ['--git-dir', vault.gitFolder, 'fsck', '--strict', '--full'], { stdio: 'pipe' });
      const reader = openRepository({ gitFolder: vault.gitFolder, secret: TEST_SECRET });
      const commits = reader.listBackups();
      const latest = commits[0];
      expect(commits.map(({ commit }) => commit)).toEqual(expect.arrayContaining(promised.map(({ commit }) => commit)));
      await reader.verify(latest?.commit ?? '');
      for (const { commit, written } of promised.slice(-3)) {
        const hashes = new Set([...reader.entries(commit)].map(({ sha256 }) => sha256));
        expect(written.filter((sha256) => !hashes.has(sha256))).toEqual([]);
      }
      reader.close();
    }
    expect(promised.length).toBeGreaterThan(KILLS);
    await runUntilKilled(vault.dataFolder, KILLS, promised, 1, 0);
    const left = readdirSync(join(vault.gitFolder, 'objects', 'pack')).filter((name) => name.startsWith('tmp_'));
    expect(left.length).toBeLessThanOrEqual(2);
  } finally {
    vault.close();
  }
});

/** Kills the child some moments after it said so many times that a backup was done. */
function runUntilKilled(
  dataFolder: string,
  round: number,
  promised: { readonly commit: string; readonly written: readonly string[] }[],
  wantedTurns: number,
  afterMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [child, dataFolder, '1', String(round)], {
      env: { ...process.env, ANGLES_TEST_KEY: keyHex },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    let errors = '';
    let turns = 0;
    running.stderr.on('data', (piece: Buffer) => {
      errors += piece.toString();
    });
    running.stdout.on('data', (piece: Buffer) => {
      text += piece.toString();
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) promised.push(JSON.parse(line));
      turns += lines.length;
      if (turns >= wantedTurns) setTimeout(() => running.kill('SIGKILL'), afterMs);
    });
    running.on('exit', (code, by) =>
      by === 'SIGKILL' ? resolve() : reject(new Error(`ended with ${code}: ${errors}`)),
    );
  });
}
