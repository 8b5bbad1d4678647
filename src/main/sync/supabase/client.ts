/** The one connection to a project that everything here shares: address, key, sign-in, and calls of functions. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { AppError } from '../../../shared/errors.ts';
import { createGuardedFetch } from './guarded-fetch.ts';
import { claimsOf, projectMismatch, projectUrl } from './project.ts';
import { createSession, type Session, type SignIn } from './session.ts';

export type SupabaseConfig = {
  /** As SUPABASE_URL. */
  readonly url: string;
  /** As SUPABASE_KEY: publishable (with `signIn`) or secret. */
  readonly key: string;
  /** The user whose rows these are; without it only a secret key has rights. */
  readonly signIn?: SignIn | null;
  readonly nowMs: () => number;
  /** Time limit of a request; 30 s unless given. */
  readonly timeLimitMs?: number;
};

type Table = ReturnType<SupabaseClient['from']>;
/** A built request, before it is sent. */
type Query = {
  readonly abortSignal: (signal: AbortSignal) => {
    readonly retry: (isOn: boolean) => { readonly throwOnError: () => PromiseLike<{ readonly data: unknown }> };
  };
};

export type SupabaseConnection = {
  readonly config: SupabaseConfig;
  readonly session: Session | null;
  /** The client, loaded when first needed. Throws `remote.wrong_project` and what a bad address is. */
  readonly client: () => Promise<SupabaseClient>;
  /** Calls a function of the database; the answer is unchecked JSON. */
  readonly call: (name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal) => Promise<unknown>;
  /** Whole rows by their ids, unchecked. At most a hundred at once: they travel in the address. */
  readonly select: (table: string, ids: readonly string[], signal: AbortSignal) => Promise<readonly unknown[]>;
  /** Any other request on a table, built by the caller; the answer is unchecked JSON. */
  readonly table: (name: string, build: (table: Table) => Query, signal: AbortSignal) => Promise<unknown>;
  /** Asks for anything at all with the key alone, to see whether it is accepted. */
  readonly ping: (signal: AbortSignal) => Promise<void>;
  /** The folder of a bucket in which this caller may write. */
  readonly folder: (signal: AbortSignal) => Promise<string>;
  readonly close: () => Promise<void>;
};

const TIME_LIMIT_MS = 30_000;
const OBJECT_TIME_LIMIT_MS = 600_000;

export function createSupabaseConnection(config: SupabaseConfig): SupabaseConnection {
  const timeLimitMs = config.timeLimitMs ?? TIME_LIMIT_MS;
  const { key, nowMs, signIn = null } = config;
  let session: Session | null = null;
  let loading: Promise<SupabaseClient> | null = null;

  const sessionOf = (): Session | null => {
    if (signIn === null) return null;
    session ??= createSession({ url: projectUrl(config.url), key, signIn, timeLimitMs, nowMs });
    return session;
  };
  const load = async (): Promise<SupabaseClient> => {
    const url = projectUrl(config.url);
    const mismatch = projectMismatch(url, key);
    if (mismatch !== null) throw mismatch;
    const { createClient } = await import('@supabase/supabase-js');
    const signedIn = sessionOf();
    const guarded = createGuardedFetch({
      timeLimitMs,
      objectTimeLimitMs: Math.max(timeLimitMs, OBJECT_TIME_LIMIT_MS),
      session: signedIn,
      nowMs,
    });
    return createClient(url.origin, key, {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      global: { fetch: guarded },
      // Realtime is a hint: a refused sign-in shows where it matters.
      ...(signedIn === null ? {} : { realtime: { accessToken: () => signedIn.token(null).catch(() => null) } }),
    });
  };
  const client = (): Promise<SupabaseClient> => {
    loading ??= load().catch((error: unknown) => {
      loading = null;
      throw error;
    });
    return loading;
  };
  const own: SupabaseConnection = {
    config,
    get session() {
      return sessionOf();
    },
    client,
    call: async (name, args, signal) => {
      signal.throwIfAborted();
      const request = (await client()).rpc(name, args).abortSignal(signal).retry(false).throwOnError();
      try {
        return (await request).data as unknown;
      } catch (error) {
        throw asAppError(error, signal);
      }
    },
    select: async (table, ids, signal) => {
      if (ids.length === 0) return [];
      return (await own.table(table, (query) => query.select('*').in('id', ids), signal)) as unknown[];
    },
    table: async (name, build, signal) => {
      signal.throwIfAborted();
      const query = build((await client()).from(name));
      try {
        return (await query.abortSignal(signal).retry(false).throwOnError()).data as unknown;
      } catch (error) {
        throw asAppError(error, signal);
      }
    },
    ping: async (signal) => {
      const url = projectUrl(config.url);
      const bare = createGuardedFetch({ timeLimitMs, objectTimeLimitMs: timeLimitMs, session: null, nowMs });
      const headers = { apikey: key, 'content-type': 'application/json' };
      await bare(new URL('/rest/v1/rpc/angles_describe', url), { method: 'POST', headers, body: '{}', signal });
    },
    folder: async (signal) => {
      const signedIn = sessionOf();
      const subject = signedIn === null ? undefined : claimsOf(await signedIn.token(signal))?.sub;
      return typeof subject === 'string' ? subject : 'service';
    },
    close: async () => {
      if (loading !== null) await (await loading).removeAllChannels();
    },
  };
  return own;
}

/** Whether a row can have this id at all: the database refuses a whole request that asks for another. */
export function isRowId(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
}

/** What the libraries made of an error, turned back: ours are passed on, anything else is an answer we do not know. */
export function asAppError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof AppError) return error;
  const original = (error as { originalError?: unknown }).originalError;
  if (original instanceof AppError) return original;
  return new AppError('remote.bad_answer', (error as Error).message, { retryable: true, cause: error });
}
