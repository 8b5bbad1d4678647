import { createHash } from 'node:crypto';
import { AppError } from '../../../shared/errors.ts';
import { causeOf } from './answer-error.ts';
import { asAppError, type SupabaseConnection } from './client.ts';
import { unreachable } from './network-error.ts';
import { timeFromWire } from './wire-time.ts';
import { withAbort } from './with-abort.ts';

export const BACKUPS_BUCKET = 'memory_backups';

export type StoredObject = {
  /** Its name below the caller's own folder, with `/` between the parts. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly updatedAtMs: number | null;
};

/**
 * A bucket, as backups use it. Names are relative to a folder of the signed-in user (`service` with a secret key), so
 * that several users of a project cannot meet. Failures are AppErrors with codes `remote.*`.
 */
export type SupabaseStorage = {
  /**
   * Stores an object and reads it back; resolves when what lies there is byte for byte what was given. Replaces an
   * object of the same name. Throws `remote.too_large` beyond the limit of the bucket, `remote.bad_answer` when other
   * bytes came back.
   * @param name characters of an S3 key: letters, digits, and `/!-.*'()&$@=;:+,?_` and space
   */
  readonly upload: (
    name: string,
    content: Uint8Array<ArrayBuffer> | Blob,
    signal: AbortSignal,
  ) => Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  /** The bytes, piece by piece as they arrive. Throws `not_found.backup` when there is no such object. */
  readonly download: (name: string, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
  /** Everything below a prefix (a folder name, or '' for all), sorted by name; throws rather than giving a part. */
  readonly list: (prefix: string, signal: AbortSignal) => Promise<readonly StoredObject[]>;
  /** Removes objects; gives the names that were there and are gone now. */
  readonly remove: (names: readonly string[], signal: AbortSignal) => Promise<readonly string[]>;
};

const PAGE = 100;
const REMOVE_AT_ONCE = 100;

type StorageOptions = {
  readonly connection: SupabaseConnection;
  readonly bucket: string;
  /** Entries of one listing request; 100 unless given. */
  readonly pageSize?: number;
};

export function createSupabaseStorage({ connection, bucket, pageSize = PAGE }: StorageOptions): SupabaseStorage {
  const place = async (name: string, signal: AbortSignal): Promise<string> =>
    `${await connection.folder(signal)}/${name}`;
  const files = async () => (await connection.client()).storage.from(bucket);

  const download: SupabaseStorage['download'] = async (name, signal) => {
    signal.throwIfAborted();
    const path = await place(name, signal);
    const answer = await (await files()).download(path, {}, { signal }).asStream();
    if (answer.error === null) return pieces(answer.data, connection.config.url, signal);
    const failure = storageFailure(answer.error, bucket, signal);
    if (causeOf(failure)?.status === 404)
      throw new AppError('not_found.backup', `The bucket ${bucket} has no ${name}.`, { cause: failure });
    throw failure;
  };
  return {
    download,
    upload: async (name, content, signal) => {
      signal.throwIfAborted();
      const path = await place(name, signal);
      const options = { upsert: true, contentType: 'application/octet-stream' };
      const { error } = await withAbort((await files()).upload(path, content, options), signal);
      if (error !== null) throw storageFailure(error, bucket, signal);
      const sent = await digest(content instanceof Blob ? content.stream() : [content]);
      const stored = await digest(await download(name, signal));
      if (sent.sha256 === stored.sha256) return sent;
      throw new AppError('remote.bad_answer', `${name} was read back with other bytes than were sent.`, {
        retryable: true,
      });
    },
    list: async (prefix, signal) => {
      const folder = await place(prefix, signal);
      const own = `${await connection.folder(signal)}/`;
      const found = await listBelow(folder.replace(/\/+$/, ''));
      return found
        .map((each) => ({ ...each, name: each.name.slice(own.length) }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));

      async function listBelow(path: string): Promise<StoredObject[]> {
        const objects: StoredObject[] = [];
        for (let offset = 0; ; offset += pageSize) {
          signal.throwIfAborted();
          const sortBy = { column: 'name', order: 'asc' };
          const { data, error } = await (await files()).list(path, { limit: pageSize, offset, sortBy }, { signal });
          if (error !== null) throw storageFailure(error, bucket, signal);
          for (const entry of data) {
            const name = `${path}/${entry.name}`;
            // A folder has no id.
            if (entry.id === null) objects.push(...(await listBelow(name)));
            else
              objects.push({
                name,
                sizeBytes: Number(entry.metadata?.size ?? 0),
                updatedAtMs: timeFromWire(entry.updated_at ?? ''),
              });
          }
          if (data.length < pageSize) return objects;
        }
      }
    },
    remove: async (names, signal) => {
      const own = `${await connection.folder(signal)}/`;
      const removed: string[] = [];
      for (let start = 0; start < names.length; start += REMOVE_AT_ONCE) {
        signal.throwIfAborted();
        const paths = names.slice(start, start + REMOVE_AT_ONCE).map((name) => `${own}${name}`);
        const { data, error } = await withAbort((await files()).remove(paths), signal);
        if (error !== null) throw storageFailure(error, bucket, signal);
        removed.push(...data.map(({ name }) => name.slice(own.length)));
      }
      return removed;
    },
  };
}

/** A failure of Storage as ours: a policy that denies is a missing permission, a missing bucket a missing table. */
export function storageFailure(error: unknown, bucket: string, signal: AbortSignal): unknown {
  const failure = asAppError(error, signal);
  const cause = causeOf(failure);
  if (!(failure instanceof AppError) || cause === null) return failure;
  if (cause.status === 403)
    return new AppError('remote.forbidden', `The bucket ${bucket} refuses this: ${failure.message}`, { cause });
  return failure;
}

/** A connection that ends within an object is a failure of its own, never a short object. */
async function* pieces(
  stream: AsyncIterable<Uint8Array>,
  url: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw signal.aborted ? signal.reason : unreachable(error, new URL(url).host);
  }
}

async function digest(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
