/** Brings the backups of this device to a git server, and proves by its own answer that they are there. */
import { AppError } from '../../shared/errors.ts';
import {
  callService,
  escapeWords,
  FLUSH,
  line,
  listRemoteRefs,
  type Remote,
  type RemoteRefs,
  readLines,
} from './git-http.ts';
import { type GitObjects, openGitObjects } from './git-objects.ts';
import { isRefName, readRefs } from './git-repository.ts';
import { commitsAfter, objectsOf, packOf } from './push-objects.ts';

export type PushOptions = {
  readonly remote: Remote;
  readonly gitFolder: string;
  /** Like `device/<id>`. */
  readonly branch: string;
  /** What the last push of this branch left there; null before the first. */
  readonly lastPushed: string | null;
  readonly onProgress?: (progress: PushProgress) => void;
};

export type PushProgress = {
  readonly objectsSent: number;
  readonly objectsAll: number;
  readonly bytesSent: number;
};

export type PushResult = {
  /** What the server says the branch points at, read back. */
  readonly commit: string;
  readonly commitsSent: number;
  readonly objectsSent: number;
  readonly bytesSent: number;
  /** Tags that mean another backup over there: they were left alone. */
  readonly tagsTaken: readonly string[];
};

const NOTHING = '0'.repeat(40);

/**
 * Pushes what the server lacks; safe to repeat, never forces. Errors: `backup.auth`, `backup.no_repository`,
 * `backup.push_refused` (with the server's words), `backup.remote_moved`, `backup.unreachable` (retryable).
 */
export async function push(options: PushOptions): Promise<PushResult> {
  // Its own view: a backup that joins packs meanwhile takes none of them from under the push.
  const objects = openGitObjects(options.gitFolder);
  try {
    return await pushFrom(objects, options);
  } finally {
    objects.close();
  }
}

async function pushFrom(objects: GitObjects, options: PushOptions): Promise<PushResult> {
  const { remote, gitFolder } = options;
  const ref = `refs/heads/${options.branch}`;
  if (!isRefName(ref)) throw new AppError('usage.bad_argument', `${escapeWords(options.branch)} cannot be a branch.`);
  const local = readRefs(gitFolder);
  const tip = local.get(ref);
  if (tip === undefined) throw new AppError('not_found.backup', 'There is no backup that could be pushed.');
  const there = await listRemoteRefs(remote, 'git-receive-pack');
  const before = there.refs.get(ref) ?? null;
  if (before === null && options.lastPushed !== null) throw moved('it is gone, and was there after the last push');
  const commits = commitsAfter(objects, before, tip);
  if (commits === null) throw moved('it has commits that this machine did not make, or lost some');
  const tags = missingTags(objects, local, there, tip);
  const oids = commits.length === 0 ? [] : objectsOf(objects, commits);
  let bytesSent = 0;
  if (commits.length > 0 || tags.send.length > 0) {
    const updates = [
      ...(commits.length > 0 ? [{ ref, from: before ?? NOTHING, to: tip }] : []),
      ...tags.send.map(([name, oid]) => ({ ref: name, from: NOTHING, to: oid })),
    ];
    const body = requestBody(objects, updates, oids, there, (objectsSent, bytes) => {
      bytesSent = bytes;
      options.onProgress?.({ objectsSent, objectsAll: oids.length, bytesSent: bytes });
    });
    await readReport(readLines(callService(remote, 'git-receive-pack', body)), there);
  }
  const after = (await listRemoteRefs(remote, 'git-upload-pack')).refs.get(ref);
  if (after !== tip) throw moved('after the push it does not point at the backup');
  return { commit: after, commitsSent: commits.length, objectsSent: oids.length, bytesSent, tagsTaken: tags.taken };
}

function moved(what: string): AppError {
  return new AppError(
    'backup.remote_moved',
    `The branch of this machine on the git server is not as it was left: ${what}.`,
  );
}

/** Tags of backups on this branch that the server does not have; those that it has for another one are left alone. */
function missingTags(
  objects: GitObjects,
  local: ReadonlyMap<string, string>,
  there: RemoteRefs,
  tip: string,
): { readonly send: readonly [string, string][]; readonly taken: readonly string[] } {
  const send: [string, string][] = [];
  const taken: string[] = [];
  const tags = [...local].filter(([name]) => name.startsWith('refs/tags/'));
  const own = new Set(tags.length === 0 ? [] : (commitsAfter(objects, null, tip) ?? []));
  for (const [name, oid] of tags) {
    if (!own.has(oid)) continue;
    const other = there.refs.get(name);
    if (other === undefined) send.push([name, oid]);
    else if (other !== oid) taken.push(name.slice('refs/tags/'.length));
  }
  return { send, taken };
}

async function* requestBody(
  objects: GitObjects,
  updates: readonly { readonly ref: string; readonly from: string; readonly to: string }[],
  oids: readonly string[],
  there: RemoteRefs,
  onSent: (objectsSent: number, bytesSent: number) => void,
): AsyncGenerator<Buffer> {
  const wanted = ['report-status', 'side-band-64k', 'atomic'].filter((each) => there.capabilities.has(each));
  const lines = updates.map(({ ref, from, to }, index) =>
    line(`${from} ${to} ${ref}${index === 0 ? `\0 ${wanted.join(' ')} agent=angles` : ''}`),
  );
  yield Buffer.concat([...lines, FLUSH]);
  yield* packOf(objects, oids, onSent);
}

/** Throws what the server has against the push. */
async function readReport(lines: AsyncIterable<Buffer | null>, there: RemoteRefs): Promise<void> {
  const words: string[] = [];
  const pieces: Buffer[] = [];
  for await (const each of lines) {
    if (each === null) continue;
    if (!there.capabilities.has('side-band-64k')) {
      pieces.push(line(each.toString('utf8')));
      continue;
    }
    const text = each.subarray(1);
    if (each[0] === 1) pieces.push(Buffer.from(text));
    else words.push(text.toString('utf8'));
  }
  const said = escapeWords(words.join(''));
  const report = Buffer.concat(pieces).toString('utf8');
  const refused = [...report.matchAll(/ng (\S+) ([^\n]*)/g)].map((match) => `${match[1]}: ${match[2]}`).join('; ');
  const unpack = /unpack ([^\n]*)/.exec(report)?.[1] ?? 'no answer';
  if (unpack === 'ok' && refused === '') return;
  if (/non-fast-forward|fetch first|stale info|already exists|cannot lock ref|failed to update ref/.test(refused)) {
    throw moved(escapeWords(refused));
  }
  const why = [refused === '' ? `unpack: ${unpack}` : refused, said].filter((each) => each !== '').join(' - ');
  throw new AppError('backup.push_refused', `The git server refused the push: ${escapeWords(why)}`);
}
