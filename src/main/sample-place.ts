/** Where a look at sample data lives: one folder among the temporary files, which goes away with it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVIRONMENT } from '../shared/settings.ts';
import { isAlive } from './is-alive.ts';

const PREFIX = 'angles-sample-';

export type SamplePlace = {
  readonly folder: string;
  readonly dataFolder: string;
  /** The environment without any name of an outside service: sample data goes nowhere. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Safe to repeat. */
  readonly remove: () => void;
};

/** Makes it, and clears away what looks left behind that were killed. */
export function openSamplePlace(environment: Readonly<Record<string, string | undefined>>): SamplePlace {
  removeLeftovers();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  writeFileSync(join(folder, 'pid'), String(process.pid));
  const dataFolder = join(folder, 'data');
  mkdirSync(dataFolder, { mode: 0o700 });
  const outside = new Set<string>(ENVIRONMENT.flatMap(({ name, aliases }) => [name, ...aliases]));
  return {
    folder,
    dataFolder,
    environment: Object.fromEntries(Object.entries(environment).filter(([name]) => !outside.has(name))),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    try {
      if (!isAlive(Number(readFileSync(join(folder, 'pid'), 'utf8')))) rmSync(folder, { recursive: true, force: true });
    } catch {
      // It belongs to somebody else, or has just begun.
    }
  }
}
