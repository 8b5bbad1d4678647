import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BackupAgent, newBackupAgent } from '../../support/backup-agent.ts';
import { needs } from '../../support/needs.ts';
import { type Project, startProject } from '../sync/supabase/harness.ts';

/** Real Postgres and PostgREST; the bucket itself is the stand-in that keeps the documented rules. */
describe('the bucket of Supabase as a destination', needs('postgres and postgrest'), () => {
  let project: Project;
  let world: BackupAgent;
  beforeAll(async () => {
    project = await startProject();
  }, 120_000);
  afterAll(() => project.stop());
  beforeEach(async () => {
    await project.supabase.clear();
    world = newBackupAgent(
      {},
      {
        SUPABASE_URL: project.config.url,
        SUPABASE_KEY: project.config.key,
        SUPABASE_EMAIL: project.user.email,
        SUPABASE_PASSWORD: project.user.password,
        BACKUP_ENCRYPTION_KEY: 'a passphrase of this test',
      },
    );
  });
  afterEach(() => world.remove());
  const bucket = async () =>
    (await world.api()['backups.status']({})).destinations.find(({ kind }) => kind === 'supabase');

  it('gets each archive once, gives it back to a restore, and forgets none after a failure', async () => {
    world.put('a.md', 'one');
    await world.open('offline');
    const first = await world.api()['backups.run']({ tag: 'first' });
    expect(first.destinations.find(({ kind }) => kind === 'supabase')).toMatchObject({ state: 'ok', behind: 0 });
    expect(first.archive?.where ?? []).toEqual(['folder', 'supabase']);
    const skipped = await world.api()['backups.run']({ supabase: false });
    expect(skipped.destinations.find(({ kind }) => kind === 'supabase')).toMatchObject({ state: 'behind', behind: 1 });
    await project.supabase.fault({ fault: { kind: 'cut-before' }, path: 'storage', times: 5 });
    await world.api()['backups.run']({});
    expect(await bucket()).toMatchObject({ behind: 2, problem: { code: expect.stringMatching(/^remote\./) } });
    await project.supabase.clear();
    await world.api()['backups.run']({});
    expect(await bucket()).toMatchObject({ state: 'ok', behind: 0, problem: null });
    const verified = await world.api()['backups.verify']({ at: 'supabase' });
    expect(verified.backup.where).toEqual(['supabase']);
    const to = join(world.home, 'restored');
    const plan = await world.api()['restore.plan']({ source: 'supabase', backup: 'first', to });
    await world.api()['restore.apply']({ planId: plan.planId, confirm: plan.confirmWith });
    execFileSync('diff', ['-r', world.root, to]);
    await expect(world.api()['restore.plan']({ source: 'supabase', backup: 'no-such' })).rejects.toMatchObject({
      code: 'not_found.backup',
      hint: expect.stringContaining('memory_backup_'),
    });
    world.clock.aheadMs = 20 * 86_400_000;
    const pruned = await world.api()['backups.prune']({});
    expect(pruned.removed.map(({ at }) => at)).toContain('supabase');
    expect(pruned.removed.filter(({ at }) => at === 'supabase').length).toBe(3);
    await world.api()['backups.verify']({ at: 'supabase' });
  });
});
