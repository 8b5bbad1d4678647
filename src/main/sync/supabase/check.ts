/** The test of a connection, step by step: the first failure ends it, and says what to do. */
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { z } from 'zod';
import { AppError, ERROR_CATALOGUE } from '../../../shared/errors.ts';
import type { CheckStep } from '../connector.ts';
import { causeOf } from './answer-error.ts';
import type { SupabaseConnection } from './client.ts';
import { describeProject, schemaProblems } from './describe.ts';
import { unreachable } from './network-error.ts';
import { kindOfKey, projectMismatch, projectUrl } from './project.ts';

const CONNECT_MS = 10_000;
const NO_USER_FIX =
  'Set SUPABASE_EMAIL and SUPABASE_PASSWORD to a user of the project (dashboard: Authentication, Users, Add user).';
const MIGRATE_FIX = 'Let it create the tables, or paste what `angles migrate --print` gives into the SQL editor.';

type Found = { readonly detail: string; readonly warning?: string; readonly fix?: string };
type Step = { readonly id: string; readonly title: string; readonly run: () => Promise<Found> };
/** A failure that `prepare` can mend. */
class Preparable extends AppError {}

/** See `check` of {@link Connector}. */
export async function checkConnection(connection: SupabaseConnection, signal: AbortSignal): Promise<CheckStep[]> {
  const results: CheckStep[] = [];
  let isFailed = false;
  for (const step of stepsOf(connection, signal)) {
    if (isFailed) {
      results.push(stepResult(step, 'skipped', 'Not tried.', null, null, false));
      continue;
    }
    try {
      const { detail, warning, fix } = await step.run();
      results.push(
        stepResult(step, warning === undefined ? 'ok' : 'warning', warning ?? detail, fix ?? null, null, false),
      );
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof AppError)) throw error;
      isFailed = true;
      const detail = `${error.message} ${ERROR_CATALOGUE[error.code].meaning}`;
      results.push(stepResult(step, 'failed', detail, error.hint, error.code, error instanceof Preparable));
    }
  }
  return results;
}

function stepResult(
  { id, title }: Step,
  verdict: CheckStep['verdict'],
  detail: string,
  fix: string | null,
  code: CheckStep['code'],
  canPrepare: boolean,
): CheckStep {
  return { id, title, verdict, detail, fix, canPrepare, code };
}

function stepsOf(connection: SupabaseConnection, signal: AbortSignal): Step[] {
  const { url, key } = connection.config;
  return [
    { id: 'address', title: 'Address of the project', run: async () => ({ detail: projectUrl(url).origin }) },
    { id: 'dns', title: 'Name is known', run: () => checkName(projectUrl(url)) },
    { id: 'connection', title: 'Connection', run: () => checkSocket(projectUrl(url), signal) },
    { id: 'project', title: 'Key and address belong together', run: async () => checkProject(projectUrl(url), key) },
    { id: 'key', title: 'Key is accepted', run: () => checkKey(connection, signal) },
    { id: 'sign-in', title: 'Sign-in', run: () => checkSignIn(connection, signal) },
    { id: 'schema', title: 'Tables and columns', run: () => checkSchema(connection, signal) },
    { id: 'permission', title: 'Rights to write', run: () => checkWrite(connection, signal) },
  ];
}

async function checkName(url: URL): Promise<Found> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  try {
    const { address } = await lookup(host);
    return { detail: `${host} is ${address}.` };
  } catch (error) {
    throw unreachable(error, host);
  }
}

function checkSocket(url: URL, signal: AbortSignal): Promise<Found> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isTls = url.protocol === 'https:';
  const port = Number(url.port || (isTls ? 443 : 80));
  return new Promise((resolve, reject) => {
    const socket = isTls
      ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) })
      : connectTcp({ host, port });
    const fail = (error: unknown): void => {
      socket.destroy();
      reject(signal.aborted ? signal.reason : unreachable(error, url.host));
    };
    const abort = (): void => fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    socket.setTimeout(CONNECT_MS, () => fail(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' })));
    socket.on('error', fail);
    socket.on('close', () => signal.removeEventListener('abort', abort));
    socket.on(isTls ? 'secureConnect' : 'connect', () => {
      socket.destroy();
      resolve({ detail: isTls ? `Encrypted connection to ${url.host}.` : `Connection to ${url.host}.` });
    });
  });
}

function checkProject(url: URL, key: string): Found {
  const mismatch = projectMismatch(url, key);
  if (mismatch !== null) throw mismatch;
  return { detail: 'They do not contradict each other.' };
}

/** Any answer of the database itself shows that the gateway took the key. */
async function checkKey(connection: SupabaseConnection, signal: AbortSignal): Promise<Found> {
  const kind = kindOfKey(connection.config.key);
  try {
    await (connection.session === null ? describeProject(connection, signal) : connection.ping(signal));
  } catch (error) {
    if (!(error instanceof AppError) || (error.code !== 'remote.schema' && error.code !== 'remote.forbidden'))
      throw error;
  }
  if (kind !== 'secret') return { detail: 'The key is accepted.' };
  return {
    detail: '',
    warning: 'This is a secret (service) key: it passes every row level security rule of the project.',
    fix: `Better use the publishable key. ${NO_USER_FIX}`,
  };
}

async function checkSignIn(connection: SupabaseConnection, signal: AbortSignal): Promise<Found> {
  if (connection.session !== null) {
    await connection.session.token(signal);
    return { detail: `Signed in as ${connection.config.signIn?.email ?? ''}.` };
  }
  if (kindOfKey(connection.config.key) === 'publishable')
    throw new AppError('remote.forbidden', 'A publishable key alone has no rights: nobody is signed in.', {
      hint: NO_USER_FIX,
    });
  return { detail: 'Not needed with this key.' };
}

async function checkSchema(connection: SupabaseConnection, signal: AbortSignal): Promise<Found> {
  try {
    const description = await describeProject(connection, signal);
    const problems = schemaProblems(description);
    if (problems.length === 0 && description.numbered_here)
      return { detail: `All tables are there, at version ${Math.max(0, ...description.migrations)}.` };
    const isMissing = problems.some((problem) => /^the (table|bucket)/.test(problem));
    const message =
      problems.length === 0
        ? 'The rows were restored from another server and have to be numbered anew.'
        : sentence(problems);
    if (isMissing || problems.length === 0) throw new Preparable('remote.schema', message, { hint: MIGRATE_FIX });
    throw new AppError('remote.schema', message, {
      hint: 'Undo the change in the table editor: give the column its old name and type.',
    });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'remote.schema' || causeOf(error) === null) throw error;
    throw new Preparable('remote.schema', 'The tables of Angles do not exist in this project.', { hint: MIGRATE_FIX });
  }
}

function sentence(problems: readonly string[]): string {
  const [first = '', ...others] = problems;
  const all = [`${first.charAt(0).toUpperCase()}${first.slice(1)}`, ...others];
  return `${all.slice(0, 5).join('; ')}${all.length > 5 ? `; and ${all.length - 5} more` : ''}.`;
}

const tries = z.record(z.string(), z.object({ ok: z.boolean(), message: z.string().optional() }));

async function checkWrite(connection: SupabaseConnection, signal: AbortSignal): Promise<Found> {
  const tried = tries.parse(await connection.call('angles_try_write', {}, signal));
  const refused = Object.entries(tried).filter(([, { ok }]) => !ok);
  const [first] = refused;
  if (first === undefined)
    return { detail: `A row could be written into each of ${Object.keys(tried).length} tables (and was taken back).` };
  const names = refused.map(([table]) => table).join(', ');
  throw new AppError(
    'remote.forbidden',
    `No rows can be written into ${names}: ${first[1].message ?? 'they would not be seen'}.`,
    {
      hint: 'Look at the policies of these tables: the policy angles_own_rows must be there for the role authenticated.',
    },
  );
}
