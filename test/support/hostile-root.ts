/** Asks, as whatever user runs this, whether a folder can be watched; prints the code of the answer. Arguments: folder, data folder. */
import { checkRootPath } from '../../src/main/watch/root-path.ts';
import { AppError } from '../../src/shared/errors.ts';

const [path = '', dataFolder = ''] = process.argv.slice(2);
try {
  process.stdout.write(`ok ${checkRootPath(path, [], dataFolder)}`);
} catch (cause) {
  process.stdout.write(cause instanceof AppError ? cause.code : String(cause));
}
