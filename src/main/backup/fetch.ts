/** Brings backups from a git server into a bare repository here: for a restore on a new machine. */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { writeAll } from '../durable.ts';
import { callService, escapeWords, FLUSH, line, listRemoteRefs, type Remote, readLines } from './git-http.ts';
import { openGitObjects } from './git-objects.ts';
import { initRepository, isRefName, readRefs, updateRef } from './git-repository.ts';
import { indexReceivedPack } from './index-received.ts';
import { inRepository, publishPack, TEMPORARY_PREFIX } from './pack-writer.ts';

export type FetchOptions = {
  readonly remote: Remote;
  /** Made when it is not there. Nothing in it is lost: its own branches move forward, or stay. */
  readonly gitFolder: string;
  /** Of these branches; all of `device/` when left out. */
  readonly branches?: readonly string[];
  readonly onProgress?: (bytesReceived: number) => void;
};

export type FetchResult = {
  /** Branches and what they point at now. */
  readonly branches: ReadonlyMap<string, string>;
  readonly objectsReceived: number;
  readonly bytesReceived: number;
};

/**
 * Safe to repeat: what is here already is not sent again. Errors: `backup.auth`, `backup.no_repository`,
 * `not_found.backup`, `backup.unreachable` (retryable), `backup.damaged`, `data.full`.
 */
export async function fetchBackups(options: FetchOptions): Promise<FetchResult> {
  const { remote, gitFolder } = options;
  const there = await listRemoteRefs(remote, 'git-upload-pack');
  const wanted = [...there.refs].filter(([name]) => isWanted(name, options.branches));
  const [first] = wanted.filter(([name]) => name.startsWith('refs/heads/'));
  if (first === undefined) throw new AppError('not_found.backup', 'The git server has no backup in this repository.');
  if (!existsSync(join(gitFolder, 'HEAD'))) initRepository(gitFolder, first[0].slice('refs/heads/'.length));
  const objects = openGitObjects(gitFolder);
  try {
    const missing = [...new Set(wanted.map(([, oid]) => oid))].filter((oid) => !objects.has(Buffer.from(oid, 'hex')));
    let received = { objects: 0, bytes: 0 };
    if (missing.length > 0) {
      const haves = [...readRefs(gitFolder).values()].filter((oid) => objects.has(Buffer.from(oid, 'hex')));
      received = await receive(options, objects.packFolder, missing, haves, (oid) => objects.find(oid));
      objects.refresh();
    }
    const local = readRefs(gitFolder);
    for (const [name, oid] of wanted) {
      if (!objects.has(Buffer.from(oid, 'hex')))
        throw new AppError('backup.damaged', 'The git server did not send everything.');
      if (local.get(name) !== oid) updateRef(gitFolder, name, oid, local.get(name) ?? null);
    }
    const branches = wanted.flatMap(([name, oid]): [string, string][] =>
      name.startsWith('refs/heads/') ? [[name.slice('refs/heads/'.length), oid]] : [],
    );
    return { branches: new Map(branches), objectsReceived: received.objects, bytesReceived: received.bytes };
  } finally {
    objects.close();
  }
}

function isWanted(name: string, branches: readonly string[] | undefined): boolean {
  if (!isRefName(name)) return false;
  if (name.startsWith('refs/tags/')) return branches === undefined;
  return branches === undefined
    ? name.startsWith('refs/heads/device/')
    : branches.some((branch) => name === `refs/heads/${branch}`);
}

async function receive(
  { remote, onProgress }: FetchOptions,
  packFolder: string,
  wants: readonly string[],
  haves: readonly string[],
  base: Parameters<typeof indexReceivedPack>[1],
): Promise<{ objects: number; bytes: number }> {
  const temporary = join(packFolder, `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}`);
  const descriptor = inRepository(() => openSync(temporary, 'wx', 0o600));
  let isOpen = true;
  try {
    let bytes = 0;
    const words: string[] = [];
    const call = callService(remote, 'git-upload-pack', requestBody(wants, haves));
    for await (const each of readLines(call)) {
      if (each === null || each[0] === undefined) continue;
      // 'NAK' and 'ACK ...' come before the pack, without a band.
      if (each[0] === 1) {
        inRepository(() => writeAll(descriptor, each.subarray(1)));
        bytes += each.length - 1;
        onProgress?.(bytes);
      } else if (each[0] === 3) words.push(each.toString('utf8', 1));
      else if (each.toString('latin1', 0, 4) === 'ERR ') words.push(each.toString('utf8', 4));
    }
    if (words.length > 0) {
      throw new AppError('backup.unreachable', `The git server says: ${escapeWords(words.join(' '))}`, {
        retryable: true,
      });
    }
    inRepository(() => fsyncSync(descriptor));
    closeSync(descriptor);
    isOpen = false;
    const { index, checksum, objects } = indexReceivedPack(temporary, base);
    publishPack(packFolder, temporary, index, checksum);
    return { objects, bytes };
  } finally {
    if (isOpen) closeSync(descriptor);
    rmSync(temporary, { force: true });
  }
}

async function* requestBody(wants: readonly string[], haves: readonly string[]): AsyncGenerator<Buffer> {
  const asked = wants.map((oid, index) =>
    line(`want ${oid}${index === 0 ? ' side-band-64k ofs-delta no-progress agent=angles' : ''}\n`),
  );
  yield Buffer.concat([...asked, FLUSH, ...haves.map((oid) => line(`have ${oid}\n`)), line('done\n')]);
}
