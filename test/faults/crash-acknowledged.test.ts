import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkVault, type Problem } from '../support/crash-check.ts';
import { type LedgerLine, sha256Of, toLedger } from '../support/crash-ledger.ts';
import { createSandbox, REMOTES } from '../support/crash-run.ts';
import { save } from '../support/crash-scenario.ts';
import { angles, type DaemonPlace, startDaemon } from '../support/daemon.ts';

const ROUNDS = process.env.FAULTS === 'all' ? 1_000 : 8;

function newPlace(): DaemonPlace {
  const { base, root, dataFolder, remove } = createSandbox();
  onTestFinished(remove);
  return { dataFolder, root, home: base };
}

/** Saves a file and lets `angles scan` capture it; then what the command acknowledged with exit 0. */
async function scanSaved(place: DaemonPlace, round: number): Promise<LedgerLine[]> {
  const path = `note-${round}.md`;
  const content = Buffer.from(`saved in round ${round}`);
  const sha256 = sha256Of(content);
  // A new time: the file takes the way of a save that is just happening.
  save(place.root, path, content, null);
  expect(await angles(place, 'scan')).toMatchObject({ code: 0 });
  return [
    { kind: 'writes', path, sha256 },
    { kind: 'captured', step: `round ${round}`, files: { [path]: sha256 } },
  ];
}

async function addDecision(place: DaemonPlace, round: number): Promise<LedgerLine[]> {
  const fields = { title: `Decision ${round}`, decision: `Made in round ${round}.` };
  const args = ['decisions', 'add', fields.title, '--text', fields.decision, '--json'];
  const { code, stdout, stderr } = await angles(place, ...args);
  expect([code, stderr]).toEqual([0, '']);
  const { record } = JSON.parse(stdout) as { record: { id: string } };
  return [{ kind: 'recorded', step: `round ${round}`, table: 'decision_vault', id: record.id, fields }];
}

function expectAllThere(place: DaemonPlace, lines: readonly LedgerLine[]): void {
  const problems: Problem[] = checkVault(place.dataFolder, toLedger(lines), REMOTES);
  expect(problems).toEqual([]);
}

test(`what a command acknowledged is durable when the agent is killed right after, ${ROUNDS} of ${ROUNDS}`, {
  timeout: 120_000 + ROUNDS * 10_000,
}, async () => {
  const place = newPlace();
  const lines: LedgerLine[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const daemon = await startDaemon(place);
    lines.push(...(round % 2 === 0 ? await scanSaved(place, round) : await addDecision(place, round)));
    await daemon.kill();
    expectAllThere(place, lines);
  }
});

test('what a command without an agent acknowledged is durable when it ends', async () => {
  const place = newPlace();
  expect(await angles(place, 'roots', 'add', place.root)).toMatchObject({ code: 0 });
  const lines: LedgerLine[] = [];
  for (let round = 0; round < 3; round += 1) {
    lines.push(...(await scanSaved(place, round)), ...(await addDecision(place, round)));
    expectAllThere(place, lines);
  }
  expect((await angles(place, 'show', join(place.root, 'note-2.md'))).stdout).toBe('saved in round 2');
});
