import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BackupAgent, newBackupAgent } from '../../support/backup-agent.ts';

let world: BackupAgent;
beforeEach(() => {
  world = newBackupAgent();
});
afterEach(() => world.remove());

const isSaved = (status: { unsavedChanges: number; lastBackupAtMs: number | null; state: string }): boolean =>
  status.unsavedChanges === 0 && status.lastBackupAtMs !== null && status.state === 'ok';

describe('backups by themselves', () => {
  it('come after a pause in the changes, one commit each, and only while there is something new', async () => {
    world.put('a.md', 'one');
    await world.open();
    await world.until(isSaved);
    expect(world.git('rev-list', '--count', '--all')).toBe('1');
    world.put('b/c.md', 'two');
    await world.until((status) => status.unsavedChanges > 0);
    const status = await world.until(isSaved);
    expect(world.git('log', '--format=%s', '--all').split('\n')).toEqual(['Backup 2 (change)', 'Backup 1 (change)']);
    world.git('fsck', '--strict', '--full');
    expect(status.key).toMatchObject({ source: 'generated', kind: 'key', kitConfirmedAtMs: null });
    expect(statSync(join(world.dataFolder, 'backup.key')).mode & 0o777).toBe(0o600);
    const { backups, total } = await world.api()['backups.list']({});
    expect(backups.map(({ reason, files, where }) => ({ reason, files, where }))).toEqual([
      { reason: 'change', files: 2, where: ['repository'] },
      { reason: 'change', files: 1, where: ['repository'] },
    ]);
    expect(total).toBe(2);
  });

  it('rest while a person says so, also over a restart; one that is asked for is made all the same', async () => {
    world.put('a.md', 'one');
    await world.open();
    await world.until(isSaved);
    const untilMs = Date.now() + 3_600_000;
    await world.api()['agent.pause']({ untilMs });
    world.put('a.md', 'two');
    await world.open();
    expect(await world.until((status) => status.unsavedChanges > 0)).toMatchObject({ nextAtMs: untilMs });
    world.clock.aheadMs += 60_000;
    world.wake();
    await world.api()['backups.run']({});
    world.put('a.md', 'three');
    await world.until((status) => status.unsavedChanges > 0);
    expect(world.git('rev-list', '--count', '--all')).toBe('2');
    await world.api()['agent.resume']({});
    await world.until(isSaved);
    expect(world.git('rev-list', '--count', '--all')).toBe('3');
  });

  it('are made once for all the days that were slept through', async () => {
    world.put('a.md', 'one');
    await world.open();
    await world.until(isSaved);
    world.clock.aheadMs += 9 * 86_400_000;
    world.put('a.md', 'two');
    world.wake();
    await world.until((status) => isSaved(status) && (status.lastBackupAtMs ?? 0) > Date.now() + 86_400_000);
    world.wake();
    await world.until(isSaved);
    const subjects = world.git('log', '--format=%s', '--all').split('\n');
    expect(subjects.filter((subject) => subject.includes('daily')).length).toBe(1);
  });

  it('say what is wrong when the key does not fit, and go on when it does again', async () => {
    world.put('a.md', 'one');
    await world.open();
    await world.until(isSaved);
    await world.stop();
    const key = readFileSync(join(world.dataFolder, 'backup.key'));
    writeFileSync(join(world.dataFolder, 'backup.key'), `${Buffer.alloc(32, 7).toString('base64url')}=\n`);
    world.put('a.md', 'two');
    await world.open();
    const status = await world.until((each) => each.state === 'needs_you');
    expect(status.problem).toMatchObject({ code: 'backup.key_wrong', exitCode: 7 });
    await world.stop();
    writeFileSync(join(world.dataFolder, 'backup.key'), key);
    await world.open();
    await world.api()['backups.run']({});
    expect(isSaved(await world.api()['backups.status']({}))).toBe(true);
  });
});

describe('a backup on request', () => {
  it('has what was saved a moment ago, a tag, an archive and an exported file', async () => {
    await world.open('offline');
    world.put('late.md', 'saved without an agent');
    const exportTo = join(world.home, 'out.zip.gpg');
    const made = await world.api()['backups.run']({ tag: 'before-move', exportTo });
    expect(made).toMatchObject({ isNew: true, backup: { tag: 'before-move', files: 1 }, exportedTo: exportTo });
    expect(existsSync(exportTo)).toBe(true);
    await expect(world.api()['backups.run']({ tag: 'before-move' })).rejects.toMatchObject({
      code: 'usage.bad_argument',
    });
    const again = await world.api()['backups.run']({});
    expect(again.archive).toMatchObject({ kind: 'archive', isEncrypted: true, files: 1 });
    const verified = await world.api()['backups.verify']({ id: again.archive?.id ?? '' });
    expect(verified.backup.id).toBe(again.archive?.id);
    expect((await world.api()['backups.verify']({})).objects).toBeGreaterThan(0);
  });

  it('has the contents of a bulk, which lie in packs of the vault', async () => {
    for (let index = 0; index < 200; index += 1) world.put(`many/${index}.md`, `note ${index} `.repeat(index));
    await world.open('offline');
    const made = await world.api()['backups.run']({});
    expect(made.backup).toMatchObject({ files: 200, incomplete: 0 });
    expect(readdirSync(join(world.dataFolder, 'objects/packs')).length).toBeGreaterThan(0);
    const target = join(world.home, 'restored');
    const plan = await world.api()['restore.plan']({ to: target, backup: made.backup.id });
    await world.api()['restore.apply']({ planId: plan.planId, confirm: plan.confirmWith });
    execFileSync('diff', ['-r', world.root, target]);
  });

  it('refuses a second operation beside it', async () => {
    world.put('a.md', 'one');
    await world.open('offline');
    const first = world.api()['backups.run']({});
    const second = world.api()['backups.run']({});
    const outcomes = await Promise.allSettled([first, second]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const failed = outcomes.find((each) => each.status === 'rejected');
    expect(failed?.reason).toMatchObject({ code: 'backup.busy' });
  });
});

describe('looking into a backup', () => {
  it('lists, searches and compares with the files as they are now', async () => {
    world.put('docs/plan.md', 'first line\nsecond\n');
    world.put('docs/same.md', 'same');
    await world.open('offline');
    const { backup } = await world.api()['backups.run']({});
    world.put('docs/plan.md', 'first line\nchanged\n');
    await world.api()['scan.run']({});
    for (const id of [
      backup.id,
      (await world.api()['backups.list']({})).backups.find(({ kind }) => kind === 'archive')?.id ?? '',
    ]) {
      const { roots } = await world.api()['backups.show']({ id });
      const rootId = roots[0]?.rootId ?? 0;
      const top = await world.api()['backups.browse']({ id, rootId });
      expect(top.entries.map(({ name, kind }) => [name, kind])).toEqual([['docs', 'folder']]);
      const below = await world.api()['backups.browse']({ id, rootId, path: 'docs' });
      expect(below.entries.map(({ name, now }) => [name, now])).toEqual([
        ['plan.md', 'differs'],
        ['same.md', 'same'],
      ]);
      const found = await world.api()['backups.search']({ id, text: 'PLAN' });
      expect(found.entries.map(({ path }) => path)).toEqual(['docs/plan.md']);
      const diff = await world.api()['backups.diff']({ id, rootId, path: 'docs/plan.md' });
      expect(diff).toMatchObject({ comparable: true, added: 1, removed: 1 });
    }
    await expect(world.api()['backups.show']({ id: 'no-such' })).rejects.toMatchObject({ code: 'not_found.backup' });
  });
});

describe('a restore', () => {
  const confirmed = async (planId: string, confirm: string) => world.api()['restore.apply']({ planId, confirm });

  it('gives back a tree that was deleted, byte for byte, and can be undone', async () => {
    world.put('a.md', 'one');
    world.put('deep/er/b.bin', Buffer.from([0, 255, 1, 254]));
    mkdirSync(join(world.root, 'empty'));
    symlinkSync('a.md', join(world.root, 'link'));
    await world.open();
    const { backup } = await world.api()['backups.run']({ tag: 'whole' });
    const copy = join(world.home, 'copy');
    execFileSync('cp', ['-a', world.root, copy]);
    rmSync(join(world.root, 'deep'), { recursive: true });
    rmSync(join(world.root, 'link'));
    rmSync(join(world.root, 'empty'), { recursive: true });
    world.put('a.md', 'changed since');
    await world.api()['scan.run']({});
    const plan = await world.api()['restore.plan']({ backup: backup.id, inPlace: true });
    expect(plan).toMatchObject({ inPlace: true, problem: null, confirmWith: 'whole' });
    expect(plan.counts).toMatchObject({ overwritten: 1 });
    await expect(confirmed(plan.planId, 'yes')).rejects.toMatchObject({ code: 'usage.bad_argument' });
    const result = await confirmed(plan.planId, 'whole');
    execFileSync('diff', ['-r', '--no-dereference', copy, world.root]);
    // What was overwritten is a version of its own, too.
    const { snapshots } = await world.api()['files.history']({ path: 'a.md' });
    expect(snapshots.length).toBeGreaterThanOrEqual(3);
    await expect(confirmed(plan.planId, 'whole')).rejects.toMatchObject({ code: 'restore.plan_changed' });
    const undone = await world.api()['restore.undo']({ restoreId: result.restoreId });
    expect(undone.restoreId).toBe(result.restoreId);
    expect(readFileSync(join(world.root, 'a.md'), 'utf8')).toBe('changed since');
    expect(existsSync(join(world.root, 'deep/er/b.bin'))).toBe(false);
    const { restores } = await world.api()['restore.list']({});
    expect(restores.map(({ state }) => state)).toEqual(['undone']);
  });

  it('goes beside the originals unless told otherwise, and says what it would do first', async () => {
    world.put('a.md', 'one');
    await world.open('offline');
    await world.api()['backups.run']({});
    const plan = await world.api()['restore.plan']({});
    expect(plan.target).toMatch(/notes \(backup /);
    expect(existsSync(plan.target ?? '')).toBe(false);
    const { items } = await world.api()['restore.items']({ planId: plan.planId });
    expect(items.map(({ action, path }) => [action, path])).toEqual([['new', 'a.md']]);
    await confirmed(plan.planId, plan.confirmWith);
    expect(readFileSync(join(plan.target ?? '', 'a.md'), 'utf8')).toBe('one');
  });

  it('brings rows back as ordinary edits, and takes them back', async () => {
    await world.open('offline');
    const api = world.api();
    const { record } = await api['records.create']({
      table: 'decision_vault',
      fields: { title: 'First' },
      origin: 'cli',
    });
    await api['backups.run']({});
    await api['records.edit']({ table: 'decision_vault', id: record.id, fields: { title: 'Second' }, origin: 'cli' });
    const plan = await api['restore.plan']({ tables: ['decision_vault'] });
    expect(plan.counts).toMatchObject({ created: 0, rowsUpdated: 1, rowsInserted: 0 });
    await confirmed(plan.planId, plan.confirmWith);
    const titleNow = async () => (await api['records.show']({ table: 'decision_vault', id: record.id })).record.title;
    expect(await titleNow()).toBe('First');
    await api['restore.undo']({});
    expect(await titleNow()).toBe('Second');
    await expect(api['restore.plan']({ tables: ['decision_vaults'] })).rejects.toMatchObject({
      code: 'not_found.backup',
    });
    await expect(api['restore.plan']({ tables: ['memories', 'activities'] })).rejects.toMatchObject({
      code: 'usage.bad_argument',
      hint: 'These can be restored: decision_vault, memories.',
    });
  });

  it('takes files and folders by their root and exact name, or no file at all', async () => {
    const other = join(world.home, 'other');
    mkdirSync(join(other, 'a'), { recursive: true });
    for (const name of ['a/one.md', 'two.md', '[x]*.md']) writeFileSync(join(other, name), name);
    world.put('a/one.md', 'of the first root');
    await world.open('offline');
    const api = world.api();
    await api['roots.add']({ path: other });
    await api['backups.run']({});
    const { roots } = await api['backups.show']({ id: 'latest' });
    const rootId = roots.find(({ path }) => path === other)?.rootId ?? 0;
    const planned = async (wish: Parameters<(typeof api)['restore.plan']>[0]): Promise<string[]> => {
      const { planId } = await api['restore.plan']({ to: join(world.home, 'out'), ...wish });
      const { items } = await api['restore.items']({ planId });
      return items.map(({ path }) => path ?? '').sort();
    };
    expect(await planned({ paths: [{ rootId, path: 'a' }] })).toEqual(['a', 'a/one.md']);
    expect(await planned({ paths: [{ rootId, path: '' }] })).toEqual(['[x]*.md', 'a', 'a/one.md', 'two.md']);
    expect(await planned({ paths: [{ rootId, path: '[x]*.md' }] })).toEqual(['[x]*.md']);
    expect(await planned({ files: false, tables: ['memories'] })).toEqual([]);
    await expect(planned({ paths: [{ rootId, path: 'a/on' }] })).rejects.toMatchObject({ code: 'usage.bad_argument' });
  });

  it('is refused beside another one, and when the files changed since the plan', async () => {
    for (let index = 0; index < 50; index += 1) world.put(`${index}.md`, `note ${index}`);
    await world.open('offline');
    await world.api()['backups.run']({});
    for (let index = 0; index < 50; index += 1) world.put(`${index}.md`, `changed ${index}`);
    const one = await world.api()['restore.plan']({ inPlace: true });
    const two = await world.api()['restore.plan']({ to: join(world.home, 'other') });
    const outcomes = await Promise.allSettled([
      confirmed(one.planId, one.confirmWith),
      confirmed(two.planId, two.confirmWith),
      world.api()['backups.run']({}),
    ]);
    const busy = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
    expect(busy.every((code) => code === 'backup.busy')).toBe(true);
    expect(busy.length).toBeGreaterThanOrEqual(1);
    world.put('3.md', 'other than in the backup');
    const late = await world.api()['restore.plan']({ inPlace: true, backup: 'latest' });
    world.put('3.md', 'changed after the plan');
    await expect(confirmed(late.planId, late.confirmWith)).rejects.toMatchObject({ code: 'restore.plan_changed' });
    expect(readFileSync(join(world.root, '3.md'), 'utf8')).toBe('changed after the plan');
  });
});

describe('proofs', () => {
  it('a drill restores the newest backup and compares it with the vault', async () => {
    world.put('a.md', 'one');
    await world.open('offline');
    await world.api()['backups.run']({});
    const { receipt } = await world.api()['backups.drill']({});
    expect(receipt).toMatchObject({ passed: true, files: 1, differences: [] });
    const status = await world.api()['backups.status']({});
    expect(status.lastDrill?.runId).toBe(receipt.runId);
    expect(status.proofIsStale).toBe(false);
  });

  it('come by themselves, weekly; without one for two weeks the health is red', async () => {
    const DAY_MS = 86_400_000;
    const proofCheck = async () =>
      (await world.api()['doctor.run']({})).checks.find(({ id }) => id === 'backup.proof')?.verdict;
    const drillAfter = (runId: string | undefined) =>
      world.until(({ lastDrill }) => lastDrill !== null && lastDrill.runId !== runId);
    world.put('a.md', 'one');
    await world.open();
    await world.until(isSaved);
    expect((await world.api()['backups.status']({})).lastDrill).toBeNull();
    // The first one comes a day after the first backup.
    world.clock.aheadMs += 1.1 * DAY_MS;
    world.wake();
    const first = (await drillAfter(undefined)).lastDrill;
    expect(first).toMatchObject({ passed: true, files: 1 });
    world.clock.aheadMs += 6 * DAY_MS;
    world.wake();
    await world.api()['backups.run']({});
    expect((await world.api()['backups.status']({})).lastDrill?.runId).toBe(first?.runId);
    world.clock.aheadMs += 1.1 * DAY_MS;
    world.wake();
    const second = (await drillAfter(first?.runId)).lastDrill;
    expect(second).toMatchObject({ passed: true });
    expect(await proofCheck()).toBe('ok');
    // Two weeks without an agent that could do it.
    await world.stop();
    world.clock.aheadMs += 14.1 * DAY_MS;
    await world.open('offline');
    expect([await proofCheck(), (await world.api()['backups.status']({})).proofIsStale]).toEqual(['error', true]);
    // The next start makes good for it, once.
    await world.open();
    await drillAfter(second?.runId);
    expect(await proofCheck()).toBe('ok');
  });

  it('drift names what differs from the vault and from the last backup', async () => {
    world.put('same.md', 'same');
    world.put('changed.md', 'one');
    world.put('gone.md', 'one');
    await world.open('offline');
    await world.api()['backups.run']({});
    world.put('changed.md', 'two, longer');
    world.put('new.md', 'new');
    rmSync(join(world.root, 'gone.md'));
    const report = await world.api()['drift.run']({});
    const of = (against: string) =>
      report.items.filter((item) => item.against === against).map(({ name, kind }) => [name.split('/').at(-1), kind]);
    expect(of('files')).toEqual([
      ['changed.md', 'changed_here'],
      ['gone.md', 'missing'],
      ['new.md', 'extra'],
    ]);
    expect(of('backup')).toEqual(of('files'));
    expect(report.alert).toBe(false);
  });
});
