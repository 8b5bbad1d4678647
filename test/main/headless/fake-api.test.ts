import { expect, test } from 'vitest';
import { callMethod } from '../../../src/main/headless/dispatch.ts';
import { agentMethods, type MethodName } from '../../../src/shared/contract.ts';
import { createFakeApi } from '../../support/fake-api.ts';
import { fakeId } from '../../support/fake-data.ts';

// The faces are tested against the fake: an answer that the contract does not allow would prove nothing.
const INPUTS: { readonly [M in MethodName]?: unknown } = {
  'agent.pause': { untilMs: Date.UTC(2026, 10, 21) },
  'roots.add': { path: '/home/mira/new' },
  'roots.remove': { path: '/home/mira/notes' },
  'roots.decide': { path: '/home/mira/assistant-exports', decision: 'accept' },
  'files.tree': { rootId: 1, folder: '' },
  'files.history': { path: 'inbox.md' },
  'files.show': { path: 'inbox.md' },
  'files.diff': { path: 'inbox.md', from: { atMs: Date.UTC(2026, 10, 18) } },
  'files.restore': { path: 'inbox.md', version: { atMs: Date.UTC(2026, 10, 20) } },
  'search.query': { query: 'writer' },
  'records.list': { table: 'decision_vault' },
  'records.show': { table: 'decision_vault', id: '22b88c4f' },
  'records.create': { table: 'memories', fields: { title: 'x' }, origin: 'cli' },
  'records.edit': { table: 'decision_vault', id: '22b88c4f', fields: { title: 'x' }, origin: 'cli' },
  'records.retire': { table: 'decision_vault', id: '22b88c4f', retired: true, origin: 'cli' },
  'records.supersede': { table: 'decision_vault', id: '22b88c4f', fields: {}, origin: 'cli' },
  'sync.prepare': { remote: 'notion', apply: false },
  'sync.decide': { remote: 'notion', decision: 'accept' },
  'conflicts.show': { id: fakeId('conflict', 0) },
  'conflicts.resolve': { ids: [fakeId('conflict', 0)], choice: 'mine', origin: 'dashboard' },
  'conflicts.undo': { ids: [fakeId('conflict', 0)], origin: 'dashboard' },
  'queue.show': { id: fakeId('decision', 0) },
  'queue.discard': { keys: [{ remote: 'notion', table: 'decision_vault', recordId: fakeId('decision', 3) }] },
  'settings.set': { key: 'dashboard.theme', value: 'dark' },
  'migrate.run': { apply: false },
  'backups.show': { id: 'latest' },
  'backups.browse': { id: 'latest' },
  'backups.search': { id: 'latest', text: 'inbox' },
  'backups.diff': { id: 'latest', rootId: 1, path: 'inbox.md' },
  'backups.verify': { id: 'latest' },
  'backups.drill': { id: 'latest' },
  'backups.fresh': { what: 'branch' },
  'restore.plan': { only: ['*.md'] },
  // Their plan is made first, below.
  'restore.items': {},
  'restore.apply': {},
  'restore.undo': {},
  'restore.resume': {},
  'key.confirm': { ending: 'none' },
  'key.import': { key: 'k'.repeat(64) },
  'health.series': { spanMs: 86_400_000 },
  'environment.set': { values: { NOTION_DATABASE_ID: 'abc', GITHUB_TOKEN: null } },
  'backups.prepare': { apply: false },
};

/** What has to be there before: a plan that can be applied, the ending of the kit that is shown. */
async function inputFor(method: MethodName, api: ReturnType<typeof createFakeApi>): Promise<unknown> {
  if (method === 'restore.items' || method === 'restore.apply') {
    const { planId, confirmWith } = await api.methods['restore.plan']({});
    return { planId, confirm: confirmWith };
  }
  if (method === 'key.confirm') {
    const { text } = await api.methods['key.kit']({});
    return {
      ending: /([A-Za-z0-9_-]{4})\s*$/m.exec(text.split('\n').find((line) => line.includes('-')) ?? '')?.[1] ?? 'none',
    };
  }
  return INPUTS[method] ?? {};
}

test.each(Object.keys(agentMethods) as MethodName[])(
  'the fake answers %s as the contract says, full and empty',
  async (method) => {
    const api = createFakeApi({ hostile: true, trouble: method === 'restore.resume' });
    const answer = await callMethod(api, method, await inputFor(method, api));
    expect(agentMethods[method].out.parse(answer)).toEqual(answer);
    if (INPUTS[method] === undefined) {
      const empty = await callMethod(createFakeApi({ empty: true }), method, {});
      expect(agentMethods[method].out.parse(empty)).toEqual(empty);
    }
  },
);
