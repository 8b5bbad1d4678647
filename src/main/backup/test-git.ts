/** A test of the git server that backups go to, step by step, and making the repository there. Sends no backup. */
import type { MethodOutput } from '../../shared/contract.ts';
import { AppError, ERROR_CATALOGUE } from '../../shared/errors.ts';
import { listRemoteRefs, type Remote } from './git-http.ts';
import type { GitPlace } from './git-place.ts';

type Steps = MethodOutput<'backups.test'>['steps'];
type Step = Steps[number];
type StepId = 'reach' | 'token' | 'repository' | 'write' | 'private';

const TITLES: Readonly<Record<StepId, string>> = {
  reach: 'The server can be reached',
  token: 'The token is accepted',
  repository: 'The repository is there',
  write: 'Backups may be written',
  private: 'Nobody else can read it',
};
const ORDER: readonly StepId[] = ['reach', 'token', 'repository', 'write', 'private'];

const step = (id: StepId, verdict: Step['verdict'], detail: string, more: Partial<Step> = {}): Step => ({
  id,
  title: TITLES[id],
  verdict,
  detail,
  fix: null,
  canPrepare: false,
  code: null,
  ...more,
});

/** Never rejects for what a step can say. */
export async function testGit(place: GitPlace, options: { readonly stallMs: number }): Promise<Steps> {
  const remote: Remote = { url: place.url, token: place.token, stallMs: options.stallMs };
  const read = await attempt(() => listRemoteRefs(remote, 'git-upload-pack'));
  if (read.error !== null) return failedAt(read.error, place);
  const write = await attempt(() => listRemoteRefs(remote, 'git-receive-pack'));
  if (write.error !== null) return failedToWrite(write.error, place);
  const stranger = await attempt(() => listRemoteRefs({ ...remote, token: null }, 'git-upload-pack'));
  const branches = [...read.value.refs.keys()].filter((ref) => ref.startsWith('refs/heads/')).length;
  return [
    step('reach', 'ok', `${new URL(place.url).host} answers.`),
    step('token', 'ok', place.token === null ? 'No token is needed to read.' : 'It may read the repository.'),
    step('repository', 'ok', branches === 0 ? `${place.shown} is empty.` : `${place.shown} has ${branches} branches.`),
    step('write', 'ok', 'The server takes pushes.'),
    stranger.error === null
      ? step(
          'private',
          'warning',
          `Everybody can read ${place.shown}. Backups are encrypted; their times and sizes are not.`,
          {
            fix: 'Make the repository private in its settings.',
          },
        )
      : step('private', 'ok', 'Without the token the server shows nothing.'),
  ];
}

function failedAt(error: AppError, place: GitPlace): Steps {
  const at: StepId =
    error.code === 'backup.auth' ? 'token' : error.code === 'backup.no_repository' ? 'repository' : 'reach';
  const detail = at === 'repository' ? `The server shows no repository ${place.shown} to this token.` : error.message;
  const canPrepare = at === 'repository' && place.token !== null && isOwnerAndName(place.shown);
  return upTo(at, step(at, 'failed', detail, { fix: error.hint, code: error.code, canPrepare }), place);
}

function failedToWrite(error: AppError, place: GitPlace): Steps {
  const isRight = error.code === 'backup.auth' || error.code === 'backup.no_repository';
  const failed = step('write', 'failed', isRight ? 'This token may read, but not write.' : error.message, {
    fix: isRight ? 'Give the token write access to the contents of this repository.' : error.hint,
    code: error.code,
  });
  return upTo('write', failed, place);
}

/** What came before the failed step was fine; what comes after it was not looked at. */
function upTo(at: StepId, failed: Step, place: GitPlace): Steps {
  const host = new URL(place.url).host;
  const before: Readonly<Record<StepId, string>> = {
    reach: `${host} answers.`,
    token: 'It was not refused.',
    repository: `${place.shown} is there.`,
    write: '',
    private: '',
  };
  return ORDER.map((id, index) => {
    if (id === at) return failed;
    return index < ORDER.indexOf(at)
      ? step(id, 'ok', before[id])
      : step(id, 'skipped', 'Not looked at: an earlier step failed.');
  });
}

async function attempt<T>(
  ask: () => Promise<T>,
): Promise<{ readonly value: T; readonly error: null } | { readonly value: null; readonly error: AppError }> {
  try {
    return { value: await ask(), error: null };
  } catch (error) {
    if (error instanceof AppError) return { value: null, error };
    throw error;
  }
}

export const isOwnerAndName = (shown: string): boolean => /^[A-Za-z0-9][\w.-]*\/[\w.-]+$/.test(shown);

export type GitHubApi = { readonly apiUrl: string; readonly token: string; readonly stallMs: number };

/**
 * Makes a private, empty repository. `shown` is `owner/name`; the owner is the person of the token, or an organisation.
 * Throws `backup.auth` when the token may not, `backup.push_refused` for any other refusal, `backup.unreachable`.
 */
export async function makeRepository(shown: string, api: GitHubApi): Promise<void> {
  const [owner = '', name = ''] = shown.split('/');
  const person = (await call(api, 'GET', '/user')) as { login?: unknown };
  const isOwn = String(person.login).toLowerCase() === owner.toLowerCase();
  await call(api, 'POST', isOwn ? '/user/repos' : `/orgs/${encodeURIComponent(owner)}/repos`, {
    name,
    private: true,
    auto_init: false,
    description: 'Backups of Angles',
  });
}

async function call(
  { apiUrl, token, stallMs }: GitHubApi,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`${apiUrl.replace(/\/+$/, '')}${path}`, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(stallMs),
      headers: {
        accept: 'application/vnd.github+json',
        'user-agent': 'Angles',
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new AppError('backup.unreachable', 'The API of the git server cannot be reached.', {
      cause,
      retryable: true,
    });
  }
  if (response.ok) return response.json();
  await response.body?.cancel().catch(() => undefined);
  if (response.status === 401 || response.status === 403 || response.status === 404)
    throw new AppError('backup.auth', `The token may not make a repository there (${response.status}).`, {
      hint: `Make a private repository by hand, then test again. ${ERROR_CATALOGUE['backup.auth'].fix}`,
    });
  if (response.status === 422)
    throw new AppError('backup.push_refused', 'The server refuses a repository of this name: it may exist already.', {
      hint: 'If it exists, give the token access to it; else choose another name.',
    });
  throw new AppError('backup.unreachable', `The API of the git server answered ${response.status}.`, {
    retryable: true,
  });
}
