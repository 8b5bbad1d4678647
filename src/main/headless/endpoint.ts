import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Where a running agent is found and the key to it: `agent.json` in the data folder, readable by its owner only. */
export type Endpoint = {
  readonly pid: number;
  readonly url: string;
  readonly token: string;
  readonly version: string;
  readonly startedAtMs: number;
};

export function endpointFile(dataFolder: string): string {
  return join(dataFolder, 'agent.json');
}

/** Publishes the endpoint: a reader sees the old file or the whole new one. The caller holds the data folder's lock. */
export function writeEndpoint(dataFolder: string, endpoint: Endpoint): void {
  const file = endpointFile(dataFolder);
  const temporary = `${file}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(endpoint, null, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}

export function removeEndpoint(dataFolder: string): void {
  rmSync(endpointFile(dataFolder), { force: true });
}

/** What the data folder says about its agent; null when there is no such file or it is not of this form. A hint only. */
export function readEndpoint(dataFolder: string): Endpoint | null {
  let value: Partial<Record<keyof Endpoint, unknown>> | null;
  try {
    value = JSON.parse(readFileSync(endpointFile(dataFolder), 'utf8'));
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { pid, url, token, version, startedAtMs } = value;
  if (!Number.isInteger(pid) || typeof pid !== 'number' || pid <= 0) return null;
  if (typeof url !== 'string' || !/^http:\/\/127\.0\.0\.1:\d{1,5}\/$/.test(url)) return null;
  if (typeof token !== 'string' || !/^[\w-]{43}$/.test(token)) return null;
  if (typeof version !== 'string' || typeof startedAtMs !== 'number') return null;
  return { pid, url, token, version, startedAtMs };
}
