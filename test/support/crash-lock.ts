/** Takes the lock of a data folder, says so, and holds it until it is killed. */
import { writeSync } from 'node:fs';
import { acquireLock } from '../../src/main/store/lock.ts';

const [dataFolder = ''] = process.argv.slice(2);
acquireLock(dataFolder, 0);
writeSync(1, 'held\n');
setInterval(() => undefined, 60_000);
