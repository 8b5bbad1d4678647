/**
 * One step of backups in a process that a test strikes. Arguments: step, data folder, time. Exit code 10: the disk is
 * full; 11: anything else that is expected.
 */
import { writeSync } from 'node:fs';
import { AppError } from '../../src/shared/errors.ts';
import { runStep, type Step } from './backup-step.ts';

const [step, dataFolder = '', time = '0'] = process.argv.slice(2);
try {
  await runStep(step as Step, dataFolder, Number(time));
} catch (cause) {
  const isExpected = cause instanceof AppError;
  process.exitCode = isExpected ? (cause.code === 'data.full' ? 10 : 11) : 1;
  try {
    writeSync(2, `${isExpected ? cause.code : ''} ${cause instanceof Error ? cause.stack : String(cause)}\n`);
  } catch {
    // The disk is full for this, too.
  }
}
