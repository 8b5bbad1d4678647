/** Backups by the whole program: a process that watches, commands beside it, a real git server, a second machine. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLeaks, makeCanaries, plantCanaries } from '../support/canaries.ts';
import { angles, type Daemon, type DaemonPlace, startDaemon } from '../support/daemon.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';

const TOKEN = ['ghp', 'token', 'of', 'the', 'whole', 'program'].join('_');
let base: string;
let server: GitServer;
let there: string;
let daemon: Daemon | null = null;

beforeEach(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'angles-e2e-backup-')));
  mkdirSync(join(base, 'server'));
  server = await startGitServer(join(base, 'server'), TOKEN);
  there = server.createRepository('backups.git');
});
afterEach(async () => {
  await daemon?.stop();
  daemon = null;
  await server.close();
  rmSync(base, { recursive: true, force: true });
});

function machine(name: string, environment: Record<string, string> = {}): DaemonPlace {
  const home = join(base, name);
  const dataFolder = join(home, 'data');
  const root = join(home, 'notes');
  mkdirSync(root, { recursive: true });
  mkdirSync(dataFolder, { mode: 0o700 });
  writeFileSync(
    join(dataFolder, 'config.json'),
    JSON.stringify({ roots: [{ path: root }], watch: { quiet_ms: 20 }, backup: { quiet_seconds: 1 } }),
    { mode: 0o600 },
  );
  const remote = { GITHUB_REPO: server.url('backups.git'), GITHUB_TOKEN: TOKEN };
  return { home, dataFolder, root, environment: { ...remote, ...environment } };
}

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', ['--git-dir', folder, ...args], { encoding: 'utf8' }).trim();
const own = (place: DaemonPlace): string => join(place.dataFolder, 'backups', 'angles-backup.git');
const json = (text: string): Record<string, never> => JSON.parse(text);

/** Resolves when everything that was saved is in a backup: the agent says so by events. */
async function saved(running: Daemon): Promise<void> {
  const { client } = await running.connect();
  await new Promise<void>((resolve, reject) => {
    const ask = (): void => {
      client.call('backups.status', {}).then((status) => {
        if (status.unsavedChanges > 0 || status.lastBackupAtMs === null) return;
        stop();
        resolve();
      }, reject);
    };
    const stop = client.on('backups', ask);
    const stopStatus = client.on('status', ask);
    void stopStatus;
    ask();
  });
  client.close();
}

describe('the whole way', () => {
  it('from a save to a pushed backup, a deleted tree given back, an undo, and a machine that has nothing but the kit', async () => {
    const place = machine('one');
    writeFileSync(join(place.root, 'plan.md'), 'the plan\n');
    mkdirSync(join(place.root, 'deep/er'), { recursive: true });
    writeFileSync(join(place.root, 'deep/er/data.bin'), Buffer.from([0, 1, 2, 255]));
    daemon = await startDaemon(place);
    await saved(daemon);
    expect(git(own(place), 'rev-list', '--count', '--all')).toBe('1');
    writeFileSync(join(place.root, 'second.md'), 'second\n');
    const scan = await angles(place, 'scan');
    expect(scan.code, scan.stderr).toBe(0);
    await saved(daemon);
    expect(git(own(place), 'log', '--format=%s', '--all').split('\n')).toEqual([
      'Backup 2 (change)',
      'Backup 1 (change)',
    ]);

    // Nothing leaves before the kit is saved.
    const early = await angles(place, 'backup', '--tag', 'list');
    expect([early.code, early.stdout]).toEqual([6, expect.stringContaining('recovery kit')]);
    expect(git(there, 'for-each-ref')).toBe('');
    const kit = join(base, 'kit.txt');
    expect((await angles(place, 'key', 'kit', '--out', kit)).code).toBe(0);
    expect((await angles(place, 'key', 'confirm', '0000')).code).toBe(64);
    expect((await angles(place, 'key', 'confirm', '--yes')).code).toBe(0);
    const pushed = await angles(place, 'backup', '--json');
    expect([pushed.code, pushed.stderr]).toEqual([0, '']);
    const github = (
      json(pushed.stdout).destinations as unknown as { kind: string; state: string; behind: number }[]
    ).find(({ kind }) => kind === 'github');
    expect(github).toMatchObject({ state: 'ok', behind: 0 });
    git(there, 'fsck', '--strict', '--full');
    expect(git(there, 'tag')).toBe('list');

    // The tree is deleted and comes back.
    const copy = join(base, 'copy');
    execFileSync('cp', ['-a', place.root, copy]);
    for (const name of readdirSync(place.root)) rmSync(join(place.root, name), { recursive: true });
    writeFileSync(join(place.root, 'plan.md'), 'something else\n');
    const plan = await angles(place, 'restore', '--tag', 'list', '--in-place');
    expect([plan.code, plan.stdout]).toEqual([0, expect.stringContaining('Nothing was written')]);
    expect(readdirSync(place.root)).toEqual(['plan.md']);
    expect((await angles(place, 'restore', '--tag', 'list', '--in-place', '--live', '--no-input')).code).toBe(64);
    const live = await angles(place, 'restore', '--tag', 'list', '--in-place', '--live', '--force');
    expect(live.code, live.stderr).toBe(0);
    execFileSync('diff', ['-r', copy, place.root]);
    const undone = await angles(place, 'restore', 'undo', '--yes');
    expect(undone.code, undone.stderr).toBe(0);
    expect(readFileSync(join(place.root, 'plan.md'), 'utf8')).toBe('something else\n');
    expect(existsSync(join(place.root, 'deep/er/data.bin'))).toBe(false);

    // A machine that has nothing but the address, the token and the kit.
    const other = machine('two');
    rmSync(other.dataFolder, { recursive: true });
    const target = join(base, 'restored');
    const missing = await angles(other, 'restore', '--source', 'github', '--tag', 'list', '--to', target);
    expect(missing.code, missing.stderr).toBe(7);
    const wrong = join(base, 'wrong.txt');
    writeFileSync(wrong, 'ab'.repeat(32));
    const refused = await angles(other, 'restore', '--source', 'github', '--to', target, '--key-file', wrong);
    expect([refused.code, refused.stderr]).toEqual([7, expect.stringContaining('key')]);
    expect(existsSync(target)).toBe(false);
    const back = await angles(
      other,
      ...['restore', '--source', 'github', '--tag', 'list', '--to', target, '--key-file', kit, '--live', '--force'],
    );
    expect(back.code, back.stderr).toBe(0);
    execFileSync('diff', ['-r', copy, target]);
    // The key becomes its own: nothing has to be given any more, and its backups are made with it.
    const imported = await angles(other, 'key', 'import', '--key-file', kit, '--json');
    expect([imported.code, imported.stderr]).toEqual([0, '']);
    const ofFirst = await angles(place, 'key', 'show', '--json');
    expect(json(imported.stdout).key).toMatchObject({
      fingerprint: (JSON.parse(ofFirst.stdout) as { key: { fingerprint: string } }).key.fingerprint,
      kitConfirmedAtMs: expect.any(Number),
    });
    const again = await angles(other, 'restore', '--source', 'github', '--tag', 'list', '--to', join(base, 'again'));
    expect(again.code, again.stderr).toBe(0);
    const another = await angles(place, 'key', 'import', '--key-file', wrong);
    expect([another.code, another.stderr]).toEqual([64, expect.stringContaining('rotate')]);
    const bad = { ...other, environment: { ...other.environment, GITHUB_TOKEN: `${TOKEN}x` } };
    expect((await angles(bad, 'restore', '--source', 'github', '--to', join(base, 'never'))).code).toBe(4);
  });
});

describe('a file that cannot be captured', () => {
  it('makes the backup incomplete: it is made, says which, and ends with 3', async () => {
    const place = machine('one');
    const config = { roots: [{ path: place.root }], watch: { max_file_mb: 1 } };
    writeFileSync(join(place.dataFolder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
    writeFileSync(join(place.root, 'small.md'), 'in it\n');
    writeFileSync(join(place.root, 'large.bin'), Buffer.alloc(1_100_000));
    const made = await angles(place, 'backup', '--no-github', '--json');
    expect([made.code, made.stderr]).toEqual([3, '']);
    expect(json(made.stdout)).toMatchObject({ isNew: true, backup: { files: 1, incomplete: 1 } });
    const skipped = await angles(place, 'files', '--skipped');
    expect([skipped.code, skipped.stdout]).toEqual([0, expect.stringContaining('large.bin')]);
  });
});

describe('a git server on a bad day', () => {
  const confirmed = async (place: DaemonPlace): Promise<void> => {
    writeFileSync(join(place.root, 'a.md'), 'one\n');
    expect((await angles(place, 'key', 'confirm', '--yes')).code).toBe(0);
  };

  it('is a state with a reason: token, repository, refusing hook; the backup on this machine is complete', async () => {
    const place = machine('one');
    await confirmed(place);
    const bad = { ...place, environment: { ...place.environment, GITHUB_TOKEN: `${TOKEN}x` } };
    const auth = await angles(bad, 'backup', '--json');
    expect(auth.code).toBe(4);
    expect(json(auth.stdout)).toMatchObject({ isNew: true, backup: { files: 1 } });
    const none = { ...place, environment: { ...place.environment, GITHUB_REPO: server.url('other.git') } };
    expect((await angles(none, 'backup')).code).toBe(4);
    server.hook('backups.git', 'pre-receive', 'echo "no backups today" >&2; exit 1');
    const refused = await angles(place, 'backup', '--tag', 'v1');
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('no backups today')]);
    server.hook('backups.git', 'pre-receive', 'exit 0');
    expect((await angles(place, 'backup')).code).toBe(0);
    expect(git(there, 'tag')).toBe('v1');
    expect((await angles(place, 'backup', 'verify', '--at', 'github')).code).toBe(0);
  });

  it('that lost or rewrote the branch is never overwritten: backups go on beside it when a person says so', async () => {
    const place = machine('one');
    await confirmed(place);
    expect((await angles(place, 'backup')).code).toBe(0);
    const [ref = ''] = git(there, 'for-each-ref', '--format=%(refname)').split('\n');
    const empty = git(there, 'hash-object', '-t', 'tree', '-w', '/dev/null');
    const strange = git(there, '-c', 'user.name=x', '-c', 'user.email=x@x', 'commit-tree', '-m', 'x', empty);
    git(there, 'update-ref', ref, strange);
    writeFileSync(join(place.root, 'a.md'), 'two\n');
    const moved = await angles(place, 'backup');
    expect([moved.code, moved.stdout]).toEqual([6, expect.stringContaining('--new-branch')]);
    expect(git(there, 'rev-parse', ref)).toBe(strange);
    const beside = await angles(place, 'backup', '--new-branch');
    expect(beside.code, beside.stdout).toBe(0);
    expect(git(there, 'for-each-ref', '--format=%(refname)').split('\n').length).toBe(2);
    git(there, 'fsck', '--strict', '--full');
  });
});

describe('secrets', () => {
  it('are in no byte that leaves the machine: repository, encrypted and readable archives, pushed objects, logs', async () => {
    const canaries = makeCanaries('backup e2e');
    const place = machine('one');
    const planted = plantCanaries(canaries, place.root);
    const environment = { ...place.environment, ...planted.environment };
    const secret = {
      ...place,
      environment: { ...environment, GITHUB_REPO: server.url('backups.git'), GITHUB_TOKEN: TOKEN },
    };
    for (const { title, decision } of planted.records)
      expect((await angles(secret, 'decisions', 'add', title, '--text', decision)).code).toBe(0);
    const made = await angles(secret, 'backup');
    expect(made.code, made.stdout + made.stderr).toBe(0);
    expect(made.stdout).toContain(`${planted.files.length} files`);
    const readable = join(base, 'readable');
    mkdirSync(readable);
    const redacted = await angles(
      secret,
      ...['backup', '--no-encryption', '--no-supabase', '--tag', 'readable', '--export', join(readable, 'out.zip')],
    );
    expect(redacted.code, redacted.stdout + redacted.stderr).toBe(0);
    expect(redacted.stdout).toContain('Secrets were taken out of');
    for (const folder of [join(place.dataFolder, 'backups'), readable, there, join(place.dataFolder, 'logs')])
      expect(findLeaks({ folder }, canaries), folder).toEqual([]);
    expect(findLeaks(made.stdout + made.stderr + redacted.stdout + redacted.stderr, canaries)).toEqual([]);
    expect(server.heads.join('\n')).not.toContain(TOKEN);
    // The encrypted ones give back every byte.
    const target = join(base, 'restored');
    const back = await angles(secret, 'restore', '--to', target, '--live', '--force');
    expect(back.code, back.stderr).toBe(0);
    execFileSync('diff', ['-r', place.root, target]);
  });
});
