import type { Check } from '../../../shared/model.ts';
import {
  checkAgent,
  checkClock,
  checkContents,
  checkLog,
  checkOffParts,
  checkSearch,
  checkSettings,
  checkVault,
} from './checks-agent.ts';
import { checkBackupAge, checkDestinations, checkProof, checkRecoveryKit } from './checks-backup.ts';
import { checkRoots } from './checks-roots.ts';
import { checkConflicts, checkHolds, checkSync } from './checks-sync.ts';
import { checkDataFolder, checkDisk, checkModes, checkNode, checkWatchLimits } from './checks-system.ts';
import type { DoctorFacts } from './facts.ts';

const CHECKS: readonly ((facts: DoctorFacts) => Check[])[] = [
  checkAgent,
  checkRoots,
  checkVault,
  checkContents,
  checkBackupAge,
  checkRecoveryKit,
  checkProof,
  checkDestinations,
  checkDataFolder,
  checkDisk,
  checkModes,
  checkWatchLimits,
  checkSearch,
  checkClock,
  checkSync,
  checkHolds,
  checkConflicts,
  checkLog,
  checkNode,
  checkSettings,
  checkOffParts,
];

/**
 * The verdict about everything, in a fixed order. Every `warn` and `error` has a fix that a person can carry out,
 * and none of them is to run these checks again. `off` is a part that is not in use, no fault. Pure.
 */
export function runChecks(facts: DoctorFacts): Check[] {
  return CHECKS.flatMap((check) => check(facts));
}
