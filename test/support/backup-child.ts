/** A process that changes files of a vault and backs them up until it is killed. Says what it was promised, line by line. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createRepository } from '../../src/main/backup/open-repository.ts';
import { createRepositoryWriter } from '../../src/main/backup/repository-writer.ts';
import { createActivityStore } from '../../src/main/store/activities.ts';
import { createCaptures } from '../../src/main/store/captures.ts';
import { openStore } from '../../src/main/store/database.ts';
import { createOutbox } from '../../src/main/store/outbox.ts';
import { sha256Of } from './crash-ledger.ts';

const [dataFolder = '', rootId = '1', round = '0'] = process.argv.slice(2);
const keyHex = process.env.ANGLES_TEST_KEY ?? '';
const store = openStore({ dataFolder, nowMs: Date.now });
const outbox = createOutbox(store);
const captures = createCaptures(store, { outbox, activities: createActivityStore(store, outbox) });
const secret = { kind: 'key', key: Buffer.from(keyHex, 'hex') } as const;
const repository = createRepository({
  gitFolder: join(dataFolder, 'backups', 'local.git'),
  secret,
  deviceId: store.deviceId,
});
const writer = createRepositoryWriter(repository, {
  dataFolder,
  agentVersion: '0.0.0',
  settings: () => ({}),
  nowMs: Date.now,
});
for (let turn = 0; ; turn += 1) {
  const written: string[] = [];
  for (let each = 0; each < 5; each += 1) {
    const content = Buffer.from(`round ${round} turn ${turn} file ${each} ${'x'.repeat(turn * 100)}`);
    const name = `${(turn * 5 + each) % 23}.md`;
    const stat = { sizeBytes: content.length, mtimeUs: turn + 1, ctimeUs: turn + 1, inode: 1, mode: 0o100644 };
    const sha256 = Buffer.from(sha256Of(content), 'hex');
    captures.apply(Number(rootId), [
      {
        kind: 'content',
        dir: `d${turn % 3}`,
        name,
        stat,
        content: { sha256, sizeBytes: content.length, encoding: 'raw', data: content, storedBytes: content.length },
        renamedFrom: null,
        stillOpen: false,
      },
    ]);
    written.push(sha256.toString('hex'));
  }
  const { summary } = await writer.backup({
    reason: turn % 4 === 0 ? 'manual' : 'change',
    tag: turn % 5 === 4 ? `r${round}t${turn}` : null,
  });
  if (turn % 6 === 5) writer.repack();
  writeSync(1, `${JSON.stringify({ commit: summary.commit, written })}\n`);
}
