/**
 * Git's smart protocol over HTTP (gitprotocol-http(5), gitprotocol-pack(5)), as much of it as a backup needs. The token
 * travels in a header only; addresses with a password in them, plain HTTP and redirects to other hosts are refused.
 */
import { AppError } from '../../shared/errors.ts';

export type Remote = {
  /** As {@link remoteUrl} gives it. */
  readonly url: string;
  readonly token: string | null;
  /** Nothing moves for so long: the server is taken as gone. */
  readonly stallMs: number;
  readonly signal?: AbortSignal;
};

export type RemoteRefs = { readonly refs: ReadonlyMap<string, string>; readonly capabilities: ReadonlySet<string> };

/**
 * The address of a repository from what people write: `owner/name`, `git@host:owner/name.git`, or an https address.
 * Throws `config.invalid` for anything else; the value itself is never in the message.
 */
export function remoteUrl(text: string): string {
  const trimmed = text.trim();
  const short = /^([A-Za-z0-9][\w.-]*)\/([\w.-]+?)(?:\.git)?$/.exec(trimmed);
  if (short !== null) return `https://github.com/${short[1]}/${short[2]}.git`;
  const ssh = /^(?:ssh:\/\/)?git@([A-Za-z0-9.-]+)[:/]([\w./-]+?)(?:\.git)?$/.exec(trimmed);
  if (ssh !== null) return `https://${ssh[1]}/${ssh[2]}.git`;
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch {
    throw invalid('it is neither owner/name nor an https address');
  }
  if (url.username !== '' || url.password !== '') throw invalid('it has a password in it: put that into GITHUB_TOKEN');
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback))
    throw invalid('it is not an https address');
  if (url.search !== '' || url.hash !== '') throw invalid('it has a ? or a # in it');
  return url.href.replace(/\/+$/, '');
}

function invalid(why: string): AppError {
  return new AppError('config.invalid', `The address of the git repository cannot be used: ${why}.`);
}

/** Asks the server what it has. Throws as every call to a server here does: see {@link request}. */
export async function listRemoteRefs(
  remote: Remote,
  service: 'git-receive-pack' | 'git-upload-pack',
): Promise<RemoteRefs> {
  const response = await request(remote, `${remote.url}/info/refs?service=${service}`, { method: 'GET' });
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith(`application/x-${service}-advertisement`)) {
    throw new AppError('backup.no_repository', 'There is no git repository at this address.');
  }
  const lines = parseLines(await readAll(response, remote));
  const refs = new Map<string, string>();
  let capabilities = new Set<string>();
  for (const line of lines) {
    if (line === null || line.toString('latin1').startsWith('# service=')) continue;
    const text = line.toString('utf8').replace(/\n$/, '');
    const end = text.indexOf('\0');
    if (end >= 0) capabilities = new Set(text.slice(end + 1).split(' '));
    const [oid = '', name = ''] = (end >= 0 ? text.slice(0, end) : text).split(' ');
    if (/^[0-9a-f]{40}$/.test(oid) && name.startsWith('refs/') && !name.endsWith('^{}')) refs.set(name, oid);
  }
  return { refs, capabilities };
}

/** Sends a request of a service, and gives what the server answers piece by piece. */
export async function* callService(
  remote: Remote,
  service: 'git-receive-pack' | 'git-upload-pack',
  body: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const response = await request(remote, `${remote.url}/${service}`, {
    method: 'POST',
    headers: {
      'content-type': `application/x-${service}-request`,
      accept: `application/x-${service}-result`,
    },
    body,
  });
  yield* readPieces(response, remote);
}

type Call = {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Buffer>;
};
type Watched = Response & { readonly [WATCH]?: Watch };
const WATCH: unique symbol = Symbol('watch');
type Watch = { readonly touch: () => void; readonly end: () => void };

/**
 * One request. Throws `backup.auth`, `backup.no_repository`, `backup.push_refused`, `backup.unreachable` (retryable),
 * and the signal's own reason.
 */
async function request(remote: Remote, address: string, call: Call, redirects = 0): Promise<Watched> {
  const control = new AbortController();
  const watch = startWatch(remote, control);
  let response: Response;
  try {
    const init = {
      method: call.method,
      redirect: 'manual',
      signal: control.signal,
      headers: {
        'user-agent': 'git/2 (Angles)',
        ...call.headers,
        ...(remote.token === null ? {} : { authorization: basic(remote.token) }),
      },
      ...(call.body === undefined ? {} : { body: toStream(call.body, watch), duplex: 'half' }),
    };
    response = await fetch(address, init as RequestInit);
  } catch (cause) {
    watch.end();
    remote.signal?.throwIfAborted();
    throw unreachable(control.signal.aborted ? 'the server stopped answering' : reasonOf(cause), cause);
  }
  watch.touch();
  if (response.status >= 200 && response.status < 300) return Object.assign(response, { [WATCH]: watch });
  watch.end();
  const location = response.headers.get('location');
  await response.body?.cancel().catch(() => undefined);
  if (response.status >= 300 && response.status < 400 && location !== null) {
    const next = new URL(location, address);
    if (next.origin === new URL(address).origin && call.method === 'GET' && redirects < 3) {
      return request(remote, next.href, call, redirects + 1);
    }
    throw new AppError('backup.push_refused', `The server sends us to ${next.origin}; the token is not taken there.`);
  }
  throw statusError(response);
}

function statusError(response: Response): AppError {
  const { status } = response;
  if (status === 401 || status === 403) {
    return new AppError(
      'backup.auth',
      `The git server answered ${status}: the token is missing, wrong, or may not do this.`,
    );
  }
  if (status === 404) return new AppError('backup.no_repository', 'The git server knows no such repository.');
  if (status === 413) return new AppError('backup.push_refused', 'The git server refuses as much data at once.');
  const seconds = Number(response.headers.get('retry-after'));
  return new AppError('backup.unreachable', `The git server answered ${status}.`, {
    retryable: true,
    ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: Math.min(seconds, 3_600) * 1_000 } : {}),
  });
}

function startWatch(remote: Remote, control: AbortController): Watch {
  let timer = setTimeout(() => control.abort(), remote.stallMs);
  const onAbort = (): void => control.abort();
  remote.signal?.addEventListener('abort', onAbort, { once: true });
  if (remote.signal?.aborted === true) control.abort();
  return {
    touch: () => {
      clearTimeout(timer);
      timer = setTimeout(() => control.abort(), remote.stallMs);
    },
    end: () => {
      clearTimeout(timer);
      remote.signal?.removeEventListener('abort', onAbort);
    },
  };
}

function toStream(body: AsyncIterable<Buffer>, watch: Watch): ReadableStream<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      watch.touch();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

async function* readPieces(response: Watched, remote: Remote): AsyncGenerator<Buffer> {
  const watch = response[WATCH];
  try {
    if (response.body === null) return;
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      watch?.touch();
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    remote.signal?.throwIfAborted();
    throw unreachable('the connection broke off', cause);
  } finally {
    watch?.end();
  }
}

async function readAll(response: Watched, remote: Remote): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of readPieces(response, remote)) {
    pieces.push(piece);
    length += piece.length;
    if (length > LARGEST_LIST_BYTES) throw unreachable('the list of branches has no end');
  }
  return Buffer.concat(pieces);
}

const LARGEST_LIST_BYTES = 32 * 1_048_576;

function basic(token: string): string {
  return `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
}

function unreachable(why: string, cause?: unknown): AppError {
  return new AppError('backup.unreachable', `The git server cannot be reached: ${why}.`, {
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error ? cause.cause : undefined;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  return code === '' ? 'no connection' : code;
}

/** One line of the protocol: its length in four digits, and the text. */
export function line(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}
export const FLUSH = Buffer.from('0000');

/** Lines of a whole answer; null for a flush. */
function parseLines(bytes: Buffer): (Buffer | null)[] {
  const lines: (Buffer | null)[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = Number.parseInt(bytes.toString('latin1', at, at + 4), 16);
    if (!(length === 0 || length >= 4) || at + length > bytes.length)
      throw unreachable('it answers something else than git');
    lines.push(length === 0 ? null : bytes.subarray(at + 4, at + length));
    at += Math.max(length, 4);
  }
  return lines;
}

/** Lines of an answer as they come; null for a flush. Throws when it ends in the middle of one. */
export async function* readLines(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer | null> {
  let rest = Buffer.alloc(0);
  for await (const piece of pieces) {
    rest = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    let at = 0;
    while (rest.length - at >= 4) {
      const length = Number.parseInt(rest.toString('latin1', at, at + 4), 16);
      if (!(length === 0 || (length >= 4 && length <= 65_524))) throw unreachable('it answers something else than git');
      if (length > rest.length - at) break;
      yield length === 0 ? null : rest.subarray(at + 4, at + length);
      at += Math.max(length, 4);
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw unreachable('the answer is cut off');
}

/** Words of a server for a person: no control characters, not endless. */
export function escapeWords(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 500);
}
