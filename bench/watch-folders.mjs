import { readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

const started = performance.now();
const queue = [process.argv[2]];
for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
  watch(folder, () => undefined);
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) queue.push(join(folder, entry.name));
}
console.log(JSON.stringify({ readyMs: performance.now() - started, rssMb: process.memoryUsage().rss / 1_048_576 }));
process.exit();
