/**
 * Stands in for Supabase Storage. Rows of storage.buckets and storage.objects are real and read under the caller's role,
 * so policies count; only the bytes lie in a table instead of S3.
 *
 * Documented behaviour that it keeps (https://supabase.com/docs/guides/storage/debugging/error-codes,
 * https://supabase.com/docs/guides/storage/uploads/file-limits, https://supabase.com/docs/guides/storage/security/access-control):
 * - Errors are HTTP 400 with {statusCode, error, message}: NoSuchBucket and NoSuchKey `404`, an existing object without
 *   x-upsert `409` Duplicate, a policy that denies `403`; too large: 413 with `statusCode: "413"`.
 * - Names: the characters of an S3 key, as the service checks them (`InvalidKey`); no empty part.
 * - The limit of a file is the bucket's, else the project's (50 MB on the free plan).
 * - Upload needs INSERT; x-upsert also SELECT and UPDATE; remove needs SELECT and DELETE and answers what it removed.
 * - list gives one level: objects, and folders as rows whose id is null; 100 by default; offset and limit.
 * Not kept: resumable and signed uploads, image transformations, the list API v2, caching.
 */
import type postgres from 'postgres';
import { type Answer, type Caller, json } from './gateway.ts';

const VALID_KEY = /^(\w|\/|!|-|\.|\*|'|\(|\)| |&|\$|@|=|;|:|\+|,|\?)*$/;

export type StorageSettings = { fileSizeLimitBytes: number };
type Request = { method: string; url: URL; headers: Readonly<Record<string, unknown>>; body: Buffer };

export async function answerStorage(
  sql: postgres.Sql,
  settings: StorageSettings,
  caller: Caller,
  request: Request,
): Promise<Answer> {
  try {
    return (await sql.begin(async (tx) => {
      await tx.unsafe(`SET LOCAL ROLE ${roleOf(caller)}`);
      const claims = JSON.stringify({ role: caller.role, ...(caller.userId === null ? {} : { sub: caller.userId }) });
      await tx`SELECT set_config('request.jwt.claims', ${claims}, true)`;
      return route(tx, settings, caller, request);
    })) as Answer;
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    const { code, message } = error as { code?: string; message: string };
    if (code === '42501') return failed('403', 'Unauthorized', 'new row violates row-level security policy');
    throw new Error(message);
  }
}

class Refusal extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super('refused');
    this.answer = answer;
  }
}

const failed = (statusCode: string, error: string, message: string, status = 400): Answer =>
  json(status, { statusCode, error, message });

const roleOf = ({ role }: Caller): string => (['anon', 'authenticated', 'service_role'].includes(role) ? role : 'anon');

async function route(
  tx: postgres.TransactionSql,
  settings: StorageSettings,
  caller: Caller,
  request: Request,
): Promise<Answer> {
  const parts = request.url.pathname.replace('/storage/v1/', '').split('/').map(decodeURIComponent);
  if (parts[0] === 'bucket') return bucket(tx, request, parts[1]);
  if (parts[0] !== 'object') return failed('404', 'not_found', 'Route not found', 404);
  if (parts[1] === 'list') return list(tx, parts[2] ?? '', JSON.parse(request.body.toString()));
  if (parts[1] === 'info') return info(tx, parts[2] ?? '', parts.slice(3).join('/'));
  const bucketId = parts[1] ?? '';
  if (request.method === 'DELETE' && parts.length === 2)
    return remove(tx, bucketId, (JSON.parse(request.body.toString()) as { prefixes: string[] }).prefixes);
  const name = parts.slice(parts[1] === 'authenticated' ? 3 : 2).join('/');
  if (request.method === 'GET') return download(tx, bucketId, name);
  if (request.method === 'POST' || request.method === 'PUT')
    return upload(tx, settings, caller, bucketId, name, request);
  return failed('404', 'not_found', 'Route not found', 404);
}

async function bucket(tx: postgres.TransactionSql, request: Request, id: string | undefined): Promise<Answer> {
  if (request.method === 'GET' && id === undefined) return json(200, await tx`SELECT * FROM storage.buckets`);
  if (request.method === 'GET') {
    const [found] = await tx`SELECT * FROM storage.buckets WHERE id = ${id ?? ''}`;
    return found === undefined ? failed('404', 'Bucket not found', 'Bucket not found') : json(200, found);
  }
  const wanted = JSON.parse(request.body.toString()) as { id: string; public?: boolean; file_size_limit?: number };
  const [existing] = await tx`SELECT 1 FROM storage.buckets WHERE id = ${wanted.id}`;
  if (existing !== undefined) return failed('409', 'Duplicate', 'The resource already exists');
  await tx`INSERT INTO storage.buckets (id, name, public, file_size_limit)
           VALUES (${wanted.id}, ${wanted.id}, ${wanted.public ?? false}, ${wanted.file_size_limit ?? null})`;
  return json(200, { name: wanted.id });
}

/** Buckets are looked up past the policies, as the service does; what is in them is not. */
async function limitOf(tx: postgres.TransactionSql, id: string): Promise<number | null> {
  const role = await tx`SELECT current_user AS name`;
  await tx`RESET ROLE`;
  const [found] = await tx`SELECT file_size_limit FROM storage.buckets WHERE id = ${id}`;
  await tx.unsafe(`SET LOCAL ROLE ${String(role[0]?.name)}`);
  if (found === undefined) throw new Refusal(failed('404', 'Bucket not found', 'Bucket not found'));
  return found.file_size_limit === null ? null : Number(found.file_size_limit);
}

async function upload(
  tx: postgres.TransactionSql,
  settings: StorageSettings,
  caller: Caller,
  bucketId: string,
  name: string,
  request: Request,
): Promise<Answer> {
  if (name === '' || name.split('/').includes('') || !VALID_KEY.test(name))
    return failed('400', 'InvalidKey', `Invalid key: ${name}`);
  const limit = (await limitOf(tx, bucketId)) ?? settings.fileSizeLimitBytes;
  const bytes = bodyOf(request);
  if (bytes.length > Math.min(limit, settings.fileSizeLimitBytes))
    return failed('413', 'Payload too large', 'The object exceeded the maximum allowed size', 413);
  const isUpsert = request.headers['x-upsert'] === 'true' || request.method === 'PUT';
  const metadata = { size: bytes.length, mimetype: String(request.headers['content-type'] ?? ''), eTag: null };
  const rows = isUpsert
    ? await tx`INSERT INTO storage.objects (bucket_id, name, owner_id, metadata)
               VALUES (${bucketId}, ${name}, ${caller.userId}, ${tx.json(metadata)})
               ON CONFLICT (bucket_id, name) DO UPDATE SET metadata = excluded.metadata, updated_at = now() RETURNING id`
    : await tx`INSERT INTO storage.objects (bucket_id, name, owner_id, metadata)
               VALUES (${bucketId}, ${name}, ${caller.userId}, ${tx.json(metadata)})
               ON CONFLICT (bucket_id, name) DO NOTHING RETURNING id`;
  if (rows[0] === undefined) return failed('409', 'Duplicate', 'The resource already exists');
  await tx`RESET ROLE`;
  await tx`INSERT INTO standin.bytes VALUES (${bucketId}, ${name}, ${bytes})
           ON CONFLICT (bucket_id, name) DO UPDATE SET bytes = excluded.bytes`;
  return json(200, { Id: String(rows[0].id), Key: `${bucketId}/${name}` });
}

/** A Blob travels as multipart, everything else as it is. */
function bodyOf({ headers, body }: Request): Buffer {
  const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(String(headers['content-type'] ?? ''))?.[1];
  if (boundary === undefined) return body;
  const marker = Buffer.from(`--${boundary}`);
  for (let start = body.indexOf(marker); start !== -1; ) {
    const end = body.indexOf(marker, start + marker.length);
    if (end === -1) break;
    const part = body.subarray(start + marker.length + 2, end - 2);
    const split = part.indexOf('\r\n\r\n');
    if (part.subarray(0, split).includes('name=""')) return part.subarray(split + 4);
    start = end;
  }
  return Buffer.alloc(0);
}

async function find(tx: postgres.TransactionSql, bucketId: string, name: string): Promise<Record<string, unknown>> {
  await limitOf(tx, bucketId);
  const [found] = await tx`SELECT * FROM storage.objects WHERE bucket_id = ${bucketId} AND name = ${name}`;
  if (found === undefined) throw new Refusal(failed('404', 'not_found', 'Object not found'));
  return found;
}

async function download(tx: postgres.TransactionSql, bucketId: string, name: string): Promise<Answer> {
  await find(tx, bucketId, name);
  await tx`RESET ROLE`;
  const [row] = await tx`SELECT bytes FROM standin.bytes WHERE bucket_id = ${bucketId} AND name = ${name}`;
  const body = row === undefined ? Buffer.alloc(0) : (row.bytes as Buffer);
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body };
}

async function info(tx: postgres.TransactionSql, bucketId: string, name: string): Promise<Answer> {
  const found = await find(tx, bucketId, name);
  return json(200, {
    id: found.id,
    name: found.name,
    bucket_id: bucketId,
    size: (found.metadata as { size: number }).size,
  });
}

async function list(
  tx: postgres.TransactionSql,
  bucketId: string,
  options: { prefix?: string; limit?: number; offset?: number },
): Promise<Answer> {
  const prefix = options.prefix === undefined || options.prefix === '' ? '' : `${options.prefix.replace(/\/$/, '')}/`;
  const rows =
    await tx`SELECT * FROM storage.objects WHERE bucket_id = ${bucketId} AND starts_with(name, ${prefix}) ORDER BY name`;
  const found = new Map<string, Record<string, unknown>>();
  for (const row of rows) {
    const rest = String(row.name).slice(prefix.length);
    const slash = rest.indexOf('/');
    const name = slash === -1 ? rest : rest.slice(0, slash);
    if (slash !== -1 && !found.has(name))
      found.set(name, { name, id: null, updated_at: null, created_at: null, last_accessed_at: null, metadata: null });
    if (slash === -1) found.set(name, { ...row, name, bucket_id: undefined });
  }
  const offset = options.offset ?? 0;
  return json(200, [...found.values()].slice(offset, offset + (options.limit ?? 100)));
}

async function remove(tx: postgres.TransactionSql, bucketId: string, names: readonly string[]): Promise<Answer> {
  const gone = await tx`DELETE FROM storage.objects WHERE bucket_id = ${bucketId} AND name IN ${tx(names)} RETURNING *`;
  await tx`RESET ROLE`;
  for (const { name } of gone)
    await tx`DELETE FROM standin.bytes WHERE bucket_id = ${bucketId} AND name = ${String(name)}`;
  return json(200, gone);
}
