/** A git server for tests: real `git http-backend` behind HTTP, with a token, and with ways to be unfriendly. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export type GitServer = {
  readonly url: (repository: string) => string;
  /** One line per request, without what was in it. */
  readonly log: readonly string[];
  /** Everything that requests carried in their heads but the header of the token. */
  readonly heads: readonly string[];
  readonly createRepository: (name: string) => string;
  readonly hook: (name: string, hook: 'pre-receive' | 'update', script: string) => void;
  /** From now on: answer as usual, never answer, or send everybody elsewhere. */
  readonly behave: (
    how: 'normal' | 'stall' | 'stall-after-upload' | { readonly redirect: string } | { readonly status: number },
  ) => void;
  readonly close: () => Promise<void>;
};

export async function startGitServer(folder: string, token: string): Promise<GitServer> {
  const log: string[] = [];
  const heads: string[] = [];
  let how: Parameters<GitServer['behave']>[0] = 'normal';
  const server = createServer((request, response) => {
    log.push(`${request.method} ${request.url}`);
    const { authorization, ...others } = request.headers;
    heads.push(JSON.stringify([request.url, others]));
    if (how === 'stall') return;
    if (typeof how === 'object') {
      if ('redirect' in how) response.writeHead(302, { location: how.redirect + (request.url ?? '') }).end();
      else response.writeHead(how.status).end('no');
      return;
    }
    const expected = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
    if (authorization !== expected) response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    else serve(folder, request, response, how === 'stall-after-upload' && request.method === 'POST');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (repository) => `http://127.0.0.1:${port}/${repository}`,
    log,
    heads,
    createRepository: (name) => {
      const path = join(folder, name);
      execFileSync('git', ['init', '-q', '--bare', path]);
      execFileSync('git', ['-C', path, 'config', 'http.receivepack', 'true']);
      execFileSync('git', ['-C', path, 'config', 'receive.fsckObjects', 'true']);
      return path;
    },
    hook: (name, hook, script) => {
      const file = join(folder, name, 'hooks', hook);
      writeFileSync(file, `#!/bin/sh\n${script}\n`);
      chmodSync(file, 0o755);
    },
    behave: (next) => {
      how = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function serve(folder: string, request: IncomingMessage, response: ServerResponse, isSilent: boolean): void {
  const url = new URL(request.url ?? '/', 'http://server');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH ?? '',
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      REMOTE_USER: 'tester',
      REMOTE_ADDR: '127.0.0.1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  if (isSilent) return;
  let head = Buffer.alloc(0);
  let hasHead = false;
  child.stdout.on('data', (piece: Buffer) => {
    if (hasHead) {
      response.write(piece);
      return;
    }
    head = Buffer.concat([head, piece]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    hasHead = true;
    const lines = head
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => line.split(': '));
    const status = lines.find(([name]) => name?.toLowerCase() === 'status')?.[1];
    const headers = lines.flatMap(([name, value]) =>
      name === undefined || value === undefined || name.toLowerCase() === 'status' ? [] : [[name, value] as const],
    );
    response.writeHead(Number.parseInt(status ?? '200', 10), Object.fromEntries(headers));
    response.write(head.subarray(end + 4));
  });
  child.stdout.on('end', () => response.end());
}
