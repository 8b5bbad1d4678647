import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeRepository, testGit } from '../../../src/main/backup/test-git.ts';
import { type GitServer, startGitServer } from '../../support/git-server.ts';

const TOKEN = ['ghp', 'token', 'of', 'tests'].join('_');
let folder: string;
let server: GitServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'angles-test-git-'));
  server = await startGitServer(folder, TOKEN);
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = async (more: { token?: string | null; shown?: string; name?: string; stallMs?: number } = {}) =>
  testGit(
    {
      url: server.url(more.name ?? 'backups.git'),
      token: more.token === undefined ? TOKEN : more.token,
      shown: more.shown ?? 'mira/backups',
    },
    { stallMs: more.stallMs ?? 20_000 },
  );
const verdicts = (steps: Awaited<ReturnType<typeof testGit>>): string => steps.map((one) => one.verdict).join(' ');

describe('a test of the git server', () => {
  it('passes every step for a private repository that takes pushes', async () => {
    server.createRepository('backups.git');
    const steps = await run();
    expect(verdicts(steps)).toBe('ok ok ok ok ok');
    expect(steps[2]?.detail).toBe('mira/backups is empty.');
    expect(server.log.every((line) => line.startsWith('GET '))).toBe(true);
  });

  it('names a token that is refused', async () => {
    server.createRepository('backups.git');
    const steps = await run({ token: 'of-somebody-else' });
    expect(verdicts(steps)).toBe('ok failed skipped skipped skipped');
    expect(steps[1]).toMatchObject({ id: 'token', code: 'backup.auth', canPrepare: false });
    expect(JSON.stringify(steps)).not.toContain('of-somebody-else');
  });

  it.each([
    ['mira/backups', true],
    ['git.example.com/some/place', false],
  ])('names a repository that is missing: %s can be made: %s', async (shown, canPrepare) => {
    const steps = await run({ shown });
    expect(verdicts(steps)).toBe('ok ok failed skipped skipped');
    expect(steps[2]).toMatchObject({ id: 'repository', code: 'backup.no_repository', canPrepare });
  });

  it('names a token that may read and not write', async () => {
    const there = server.createRepository('backups.git');
    execFileSync('git', ['-C', there, 'config', 'http.receivepack', 'false']);
    const steps = await run();
    expect(verdicts(steps)).toBe('ok ok ok failed skipped');
    expect(steps[3]?.fix).toContain('write access');
  });

  it('names a server that cannot be reached, and one that does not answer', async () => {
    server.behave('stall');
    expect(verdicts(await run({ stallMs: 300 }))).toBe('failed skipped skipped skipped skipped');
    const { port } = new URL(server.url('x'));
    await server.close();
    const gone = await testGit(
      { url: `http://127.0.0.1:${port}/x.git`, token: TOKEN, shown: 'a/b' },
      { stallMs: 5_000 },
    );
    expect(gone[0]).toMatchObject({ id: 'reach', verdict: 'failed', code: 'backup.unreachable' });
    server = await startGitServer(folder, TOKEN);
  });

  it('says when everybody can read it', async () => {
    server.createRepository('backups.git');
    const open = createServer((request, response) => {
      const heads: Record<string, string> = {
        authorization: `Basic ${Buffer.from(`x-access-token:${TOKEN}`).toString('base64')}`,
      };
      fetch(server.url((request.url ?? '/').slice(1)), { headers: heads }).then(
        async (answer) => {
          response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
          response.end(Buffer.from(await answer.arrayBuffer()));
        },
        () => response.writeHead(500).end(),
      );
    });
    await new Promise<void>((resolve) => open.listen(0, '127.0.0.1', resolve));
    const { port } = open.address() as AddressInfo;
    const steps = await testGit(
      { url: `http://127.0.0.1:${port}/backups.git`, token: TOKEN, shown: 'a/b' },
      { stallMs: 5_000 },
    );
    open.close();
    expect(verdicts(steps)).toBe('ok ok ok ok warning');
  });
});

describe('making the repository', () => {
  let api: Server | null = null;
  afterEach(() => void api?.close());
  const startApi = async (status: number): Promise<{ apiUrl: string; calls: string[] }> => {
    const calls: string[] = [];
    api = createServer((request, response) => {
      let body = '';
      request.on('data', (piece) => {
        body += String(piece);
      });
      request.on('end', () => {
        calls.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`);
        response.setHeader('content-type', 'application/json');
        if (request.url === '/user') response.end(JSON.stringify({ login: 'Mira' }));
        else response.writeHead(status).end('{}');
      });
    });
    const listening = api;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    return { apiUrl: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`, calls };
  };

  it.each([
    ['mira/backups', 'POST /user/repos'],
    ['team/backups', 'POST /orgs/team/repos'],
  ])('%s is made private, with %s', async (shown, expected) => {
    const { apiUrl, calls } = await startApi(201);
    await makeRepository(shown, { apiUrl, token: TOKEN, stallMs: 5_000 });
    expect(calls).toHaveLength(2);
    expect(calls[1]).toContain(`${expected} Bearer ${TOKEN} {"name":"backups","private":true`);
  });

  it.each([
    [403, 'backup.auth'],
    [422, 'backup.push_refused'],
    [503, 'backup.unreachable'],
  ])('a refusal with %i is %s, without the token', async (status, code) => {
    const { apiUrl } = await startApi(status);
    const failed = makeRepository('mira/backups', { apiUrl, token: TOKEN, stallMs: 5_000 });
    await expect(failed).rejects.toMatchObject({ code });
    await failed.catch((error: Error) => expect(String(error.stack)).not.toContain(TOKEN));
  });
});
