import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchBackups } from '../../../src/main/backup/fetch.ts';
import { type Remote, remoteUrl } from '../../../src/main/backup/git-http.ts';
import { openRepository } from '../../../src/main/backup/open-repository.ts';
import { push } from '../../../src/main/backup/push.ts';
import { createTestVault, TEST_SECRET, type TestVault } from '../../support/backup-vault.ts';
import { type GitServer, startGitServer } from '../../support/git-server.ts';

const TOKEN = ['ghp', 'token', 'of', 'tests'].join('_');
let vault: TestVault;
let server: GitServer;
let there: string;
const remote = (more: Partial<Remote> = {}): Remote => ({
  url: remoteUrl(server.url('backups.git')),
  token: TOKEN,
  stallMs: 20_000,
  ...more,
});
const branch = (): string => `device/${vault.store.deviceId}`;
const pushNow = (lastPushed: string | null = null, more: Partial<Remote> = {}) =>
  push({ remote: remote(more), gitFolder: vault.gitFolder, branch: branch(), lastPushed });
const at = (...args: string[]): string => execFileSync('git', ['-C', there, ...args], { encoding: 'utf8' });

describe('a push', () => {
  beforeEach(async () => {
    vault = createTestVault();
    const folder = join(vault.folder, 'server');
    mkdirSync(folder);
    server = await startGitServer(folder, TOKEN);
    there = server.createRepository('backups.git');
  });
  afterEach(async () => {
    await server.close();
    vault.close();
  });

  it('brings backups and tags, then only what is new, and git over there finds them sound', async () => {
    for (let index = 0; index < 50; index += 1) vault.save(`d${index % 5}/${index}.md`, `note ${index}`);
    const writer = vault.openWriter();
    const first = await writer.backup({ reason: 'manual', tag: 'first' });
    const pushed = await pushNow();
    expect(pushed).toMatchObject({ commit: first.summary.commit, commitsSent: 1, tagsTaken: [] });
    at('fsck', '--strict', '--full');
    expect(at('for-each-ref', '--format=%(refname)').trim().split('\n').sort()).toEqual([
      `refs/heads/${branch()}`,
      'refs/tags/first',
    ]);
    vault.save('d1/1.md', 'changed');
    const second = await writer.backup({ reason: 'change' });
    const again = await pushNow(first.summary.commit);
    expect(again).toMatchObject({ commit: second.summary.commit, commitsSent: 1 });
    expect(again.objectsSent).toBeLessThan(20);
    expect(await pushNow(second.summary.commit)).toMatchObject({ commitsSent: 0, objectsSent: 0 });
    at('fsck', '--strict', '--full');
    expect(server.heads.join('\n')).not.toContain(TOKEN);
    expect(at('config', '--list')).not.toContain(TOKEN);
  });

  it('is fetched on a machine that has nothing but the key, also after git packed it over there', async () => {
    for (let index = 0; index < 30; index += 1) vault.save(`d/${index}.md`, `note ${index} `.repeat(index));
    const writer = vault.openWriter();
    await writer.backup({ reason: 'manual' });
    vault.save('d/3.md', 'changed');
    const { summary } = await writer.backup({ reason: 'manual', tag: 'two' });
    await pushNow();
    at('gc', '-q', '--aggressive', '--prune=now');
    const gitFolder = join(vault.folder, 'fetched.git');
    const fetched = await fetchBackups({ remote: remote(), gitFolder });
    expect(fetched.branches).toEqual(new Map([[branch(), summary.commit]]));
    execFileSync('git', ['--git-dir', gitFolder, 'fsck', '--strict', '--full'], { stdio: 'pipe' });
    const reader = openRepository({ gitFolder, secret: TEST_SECRET });
    await reader.verify(reader.find('two').commit);
    reader.close();
    vault.save('d/4.md', 'again');
    const next = await writer.backup({ reason: 'manual' });
    await pushNow(summary.commit);
    const more = await fetchBackups({ remote: remote(), gitFolder });
    expect(more.branches.get(branch())).toBe(next.summary.commit);
    expect(more.objectsReceived).toBeLessThan(30);
  });

  it('says what is wrong: token, repository, hook, moved branch, emptied repository', async () => {
    vault.save('a.md', 'one');
    const writer = vault.openWriter();
    const first = await writer.backup({ reason: 'manual' });
    await expect(pushNow(null, { token: 'wrong' })).rejects.toMatchObject({ code: 'backup.auth' });
    await expect(pushNow(null, { token: null })).rejects.toMatchObject({ code: 'backup.auth' });
    await expect(pushNow(null, { url: server.url('other.git') })).rejects.toMatchObject({
      code: 'backup.no_repository',
    });
    server.hook('backups.git', 'pre-receive', 'echo "no \x1b[31mbackups\x1b[0m today" >&2; exit 1');
    await expect(pushNow()).rejects.toMatchObject({
      code: 'backup.push_refused',
      message: expect.stringMatching(/pre-receive hook declined.*no +\[31mbackups/),
    });
    server.hook('backups.git', 'pre-receive', 'exit 0');
    await pushNow();
    at('update-ref', '-d', `refs/heads/${branch()}`);
    await expect(pushNow(first.summary.commit)).rejects.toMatchObject({ code: 'backup.remote_moved' });
    const empty = at('hash-object', '-t', 'tree', '-w', '/dev/null').trim();
    const strange = execFileSync(
      'git',
      ['-C', there, '-c', 'user.name=x', '-c', 'user.email=x@x', 'commit-tree', '-m', 'x', empty],
      { encoding: 'utf8' },
    ).trim();
    at('update-ref', `refs/heads/${branch()}`, strange);
    await expect(pushNow(first.summary.commit)).rejects.toMatchObject({ code: 'backup.remote_moved' });
    expect(at('rev-parse', `refs/heads/${branch()}`).trim()).toBe(strange);
  });

  it('takes a server that stalls or breaks off as unreachable, and never follows it elsewhere', async () => {
    vault.save('a.md', 'one');
    const { summary } = await vault.openWriter().backup({ reason: 'manual' });
    for (const how of ['stall', 'stall-after-upload'] as const) {
      server.behave(how);
      await expect(pushNow(null, { stallMs: 300 })).rejects.toMatchObject({
        code: 'backup.unreachable',
        retryable: true,
      });
    }
    server.behave({ status: 503 });
    await expect(pushNow()).rejects.toMatchObject({ code: 'backup.unreachable' });
    server.behave({ redirect: 'http://127.0.0.1:9' });
    await expect(pushNow()).rejects.toMatchObject({ code: 'backup.push_refused' });
    server.behave('stall');
    const cancel = new AbortController();
    const running = pushNow(null, { signal: cancel.signal });
    cancel.abort(new Error('stop'));
    await expect(running).rejects.toThrow('stop');
    server.behave('normal');
    // What came before the silence may have been enough: either way it ends with the backup over there.
    expect((await pushNow()).commit).toBe(summary.commit);
  });

  it('leaves a tag alone that means another backup over there', async () => {
    vault.save('a.md', 'one');
    await vault.openWriter().backup({ reason: 'manual', tag: 'v1' });
    const empty = at('hash-object', '-t', 'tree', '-w', '/dev/null').trim();
    const strange = execFileSync(
      'git',
      ['-C', there, '-c', 'user.name=x', '-c', 'user.email=x@x', 'commit-tree', '-m', 'x', empty],
      { encoding: 'utf8' },
    ).trim();
    at('update-ref', 'refs/tags/v1', strange);
    expect(await pushNow()).toMatchObject({ tagsTaken: ['v1'], commitsSent: 1 });
    expect(at('rev-parse', 'refs/tags/v1').trim()).toBe(strange);
  });

  it('does not take a name for a branch that could be an option', async () => {
    vault.save('a.md', 'one');
    await vault.openWriter().backup({ reason: 'manual' });
    const name = '--upload-pack=touch hacked';
    await expect(
      push({ remote: remote(), gitFolder: vault.gitFolder, branch: name, lastPushed: null }),
    ).rejects.toMatchObject({
      code: 'usage.bad_argument',
    });
  });
});

describe('the address of a repository', () => {
  it.each([
    ['owner/name', 'https://github.com/owner/name.git'],
    ['git@github.com:owner/name.git', 'https://github.com/owner/name.git'],
    ['https://git.example.org/a/b.git', 'https://git.example.org/a/b.git'],
    ['http://127.0.0.1:8080/a.git', 'http://127.0.0.1:8080/a.git'],
  ])('%s is understood', (text, url) => expect(remoteUrl(text)).toBe(url));
  it.each([
    'http://example.org/a.git',
    'https://user:word@example.org/a',
    'ext::sh -c id',
    '--upload-pack=x',
    'file:///etc',
    '',
  ])('%s is refused', (text) => expect(() => remoteUrl(text)).toThrow(/cannot be used/));
});
