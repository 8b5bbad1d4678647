/** Hostile names through the contract, as every face uses it, and trees that are deeper than paths may be long. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openAgent } from '../../src/main/agent.ts';
import { nameFromBytes } from '../../src/main/path-names.ts';
import { crashHost } from '../support/crash-child.ts';
import { below, HOSTILE_NAMES } from '../support/hostile-names.ts';
import { NODE } from '../support/strace.ts';
import { createWatchHarness } from '../support/watch-harness.ts';

let base = '';
afterEach(() => {
  // rm walks by descriptors: it can remove what is too deep for a path.
  execFileSync('rm', ['-rf', base]);
});

function newBase(): string {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'angles-names-')));
  mkdirSync(join(base, 'root'));
  return base;
}

describe('hostile names, asked for over the contract', () => {
  it('are listed, found, shown and restored to the exact bytes of name and content', async () => {
    const root = join(newBase(), 'root');
    mkdirSync(join(base, 'out'));
    const contentOf = (label: string) => Buffer.concat([Buffer.from(`${label}\n`), Buffer.from([0, 255, 13, 10])]);
    for (const { label, bytes } of HOSTILE_NAMES) writeFileSync(below(root, bytes), contentOf(label));
    const agent = await openAgent(crashHost(join(base, 'data')), 'offline');
    const { methods } = agent.api;
    await agent.start();
    await methods['roots.add']({ path: root });
    await methods['scan.run']({});
    const { files, total } = await methods['files.list']({ limit: 1_000 });
    const problems: string[] = [];
    for (const [index, { label, bytes }] of HOSTILE_NAMES.entries()) {
      const path = nameFromBytes(bytes);
      const wanted = contentOf(label);
      const entry = files.find((file) => file.path === path);
      const { snapshots, file } = await methods['files.history']({ path });
      const shown = await methods['files.show']({ path: `${root}/${path}` });
      const version = { snapshotId: file.snapshotId ?? '' };
      // In place scans first, to lose nothing: one in ten will do.
      const inPlace = index % 10 === 9;
      if (inPlace) unlinkSync(below(root, bytes));
      const place = inPlace ? { inPlace } : { to: `${base}/out/${path}` };
      const { sizeBytes } = await methods['files.restore']({ path, version, ...place });
      const facts = {
        entry: entry?.state,
        snapshots: snapshots.length,
        shown: Buffer.from(shown.content, shown.encoding === 'text' ? 'utf8' : 'base64').equals(wanted),
        sizeBytes,
        restored: readFileSync(below(inPlace ? root : join(base, 'out'), bytes)).equals(wanted),
      };
      const good = { entry: 'present', snapshots: 1, shown: true, sizeBytes: wanted.length, restored: true };
      if (JSON.stringify(facts) !== JSON.stringify(good)) problems.push(`${label}: ${JSON.stringify(facts)}`);
    }
    await agent.stop();
    expect([problems, total]).toEqual([[], HOSTILE_NAMES.length]);
  });
});

describe('a tree that is deeper than a path may be long', () => {
  it('is captured as far as the system can name it; what lies deeper is said, not passed over', async () => {
    const root = join(newBase(), 'root');
    const script = `
      const { mkdirSync, writeFileSync } = require('node:fs');
      process.chdir(process.argv[1]);
      for (let depth = 0; depth < 24; depth += 1) {
        writeFileSync('in.md', 'depth ' + depth);
        mkdirSync('d'.repeat(199));
        process.chdir('d'.repeat(199));
      }`;
    const h = createWatchHarness({ root, dataFolder: join(base, 'data') });
    await h.start();
    // Made while it is watched: events meet what is too deep as well as scans do.
    execFileSync(NODE, ['-e', script, root]);
    // PATH_MAX is 4,096 with the final NUL (limits.h).
    const reachable = Math.floor((4_095 - root.length - '/in.md'.length) / 200) + 1;
    await h.until(
      () => h.present().length === reachable,
      () => h.present().length,
    );
    await h.scan();
    const depths = h.present().map((path) => path.split('/').length - 1);
    const said = h.log.filter(({ message }) => message.startsWith('Some folders cannot be read'));
    const skipped = h.files.list({ rootId: h.rootId, state: ['skipped'] }, 'path', 100, null).files;
    writeFileSync(join(root, 'in.md'), 'edited');
    await h.until(
      () => h.versions('in.md').length === 2,
      () => h.versions('in.md'),
    );
    const { state } = h.condition();
    await h.stop();
    expect([depths.sort((a, b) => a - b), said.length + skipped.length > 0, state]).toEqual([
      Array.from({ length: reachable }, (_, depth) => depth),
      true,
      'watching',
    ]);
  });
});
