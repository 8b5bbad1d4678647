/** The side of {@link scanInThreads} that lists. */
import { parentPort } from 'node:worker_threads';
import { openIndexReader } from '../store/index-reader.ts';
import { createIgnoreRules } from './ignore-rules.ts';
import { scanTree } from './scan.ts';
import { createScanShare } from './scan-share.ts';
import type { ScanMessage, ScanWorkerData } from './scan-threads.ts';

if (parentPort !== null) {
  const port = parentPort;
  // What to scan comes when somebody is ready for it: until then the thread has started.
  port.once('message', ({ dataFolder, request, ignore, share }: ScanWorkerData) => {
    const index = openIndexReader(dataFolder);
    const end = scanTree(request, {
      index,
      ignore: createIgnoreRules(ignore),
      share: share === null ? null : createScanShare(share),
      report: (findings) => port.postMessage({ kind: 'findings', findings } satisfies ScanMessage),
    });
    index.close();
    share?.port.close();
    port.postMessage({ kind: 'end', end } satisfies ScanMessage);
    port.close();
  });
}
