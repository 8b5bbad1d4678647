/** Scans a folder as whatever user runs this, and prints what was captured: root ignores permission bits. */
import { createWatchHarness } from './watch-harness.ts';

const [root = '', dataFolder = ''] = process.argv.slice(2);
const harness = createWatchHarness({ root, dataFolder, isWatching: false });
await harness.start();
await harness.scan();
await harness.watch.settled(5_000);
const skipped = harness.files.list({ rootId: harness.rootId, state: ['skipped'] }, 'path', 100, null).files;
const result = {
  present: harness.present(),
  skipped: skipped.map(({ path, reason }) => [path, reason]),
  unreadableFolders: harness.log.some((each) => each.message.includes('closed-folder')),
};
await harness.stop();
process.stdout.write(JSON.stringify(result));
