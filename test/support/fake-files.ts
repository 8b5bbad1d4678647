/** The files and the search of the fake agent. */
import { structuredPatch } from 'diff';
import type { AgentMethods, MethodName } from '../../src/shared/contract.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { ActivityRecord, FileEntry, LogRecord, RootInfo, Snapshot } from '../../src/shared/model.ts';
import { fakeContent, historyOf } from './fake-data.ts';
import type { createRecords } from './fake-records.ts';

/** What a fake agent knows; its methods change it. */
export type State = {
  files: FileEntry[];
  roots: RootInfo[];
  activities: ActivityRecord[];
  logs: LogRecord[];
  records: ReturnType<typeof createRecords>;
  pausedUntilMs?: number | null;
};

export type Handlers<M extends MethodName> = Pick<AgentMethods, M>;

export function page<T>(
  all: readonly T[],
  input: { limit?: number | undefined; cursor?: string | null | undefined },
): { items: T[]; next: string | null } {
  const start = Number(input.cursor ?? 0);
  const end = start + (input.limit ?? 100);
  return { items: all.slice(start, end), next: end < all.length ? String(end) : null };
}

function globToRegExp(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/?|\*|\?/g, (part) => (part === '?' ? '[^/]' : part === '*' ? '[^/]*' : '.*'));
  return new RegExp(`^${source}$`);
}

export function fileHandlers(
  state: State,
): Handlers<'files.list' | 'files.tree' | 'files.history' | 'files.show' | 'files.diff' | 'files.restore'> {
  const find = (path: string): FileEntry => {
    const hits = state.files.filter((file) => file.path === path || `${file.root}/${file.path}` === path);
    if (hits.length > 1) throw new AppError('ambiguous.path', `${hits.length} watched folders have ${path}.`);
    const [hit] = hits;
    if (hit === undefined) throw new AppError('not_found.file', `The vault knows no ${path}.`);
    return hit;
  };
  const versionOf = (file: FileEntry, wanted: { atMs: number } | { snapshotId: string } | undefined): Snapshot => {
    const all = historyOf(file);
    const hit =
      wanted === undefined
        ? all[0]
        : 'atMs' in wanted
          ? all.find((one) => one.capturedAtMs <= wanted.atMs)
          : all.find(
              (one) => one.snapshotId.startsWith(wanted.snapshotId) || one.snapshotId.endsWith(wanted.snapshotId),
            );
    if (hit === undefined) throw new AppError('not_found.snapshot', `${file.path} has no such version.`);
    return hit;
  };
  const contentOf = (snapshot: Snapshot): string => fakeContent(snapshot.path, snapshot.seq % 100);
  return {
    'files.list': async (input) => {
      const pattern = input.glob === undefined ? null : globToRegExp(input.glob);
      const states = input.state ?? ['present'];
      const found = state.files
        .filter((file) => (input.rootId === undefined || file.rootId === input.rootId) && states.includes(file.state))
        .filter(
          (file) =>
            (pattern?.test(file.path) ?? true) &&
            (input.under === undefined || file.path.startsWith(`${input.under}/`)),
        )
        .sort((a, b) => (input.order === 'newest' ? b.mtimeMs - a.mtimeMs : a.path.localeCompare(b.path)));
      const { items, next } = page(found, input);
      return { files: items, next, total: found.length };
    },
    'files.tree': async ({ rootId, folder }) => {
      const prefix = folder === '' ? '' : `${folder}/`;
      const inside = state.files.filter((file) => file.rootId === rootId && file.path.startsWith(prefix));
      const counts = new Map<string, number>();
      for (const file of inside) {
        const [name = '', ...rest] = file.path.slice(prefix.length).split('/');
        if (rest.length > 0) counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      return {
        folders: [...counts].sort().map(([name, files]) => ({ path: `${prefix}${name}`, name, files })),
        files: inside.filter((file) => !file.path.slice(prefix.length).includes('/')),
      };
    },
    'files.history': async (input) => {
      const file = find(input.path);
      const { items, next } = page(historyOf(file), input);
      return { file, snapshots: items, next };
    },
    'files.show': async (input) => {
      const snapshot = versionOf(find(input.path), input.version);
      const content = contentOf(snapshot);
      const cut = input.maxBytes !== undefined && content.length > input.maxBytes;
      return {
        snapshot,
        encoding: 'text',
        content: cut ? content.slice(0, input.maxBytes) : content,
        truncatedAtBytes: cut ? (input.maxBytes ?? null) : null,
      };
    },
    'files.diff': async (input) => {
      const file = find(input.path);
      const from = versionOf(file, input.from);
      const to = versionOf(file, input.to);
      return { from, to, comparable: true, ...diffOf(contentOf(from), contentOf(to)) };
    },
    'files.restore': async (input) => {
      const file = find(input.path);
      const snapshot = versionOf(file, input.version);
      const original = `${file.root}/${file.path}`;
      const side = original.replace(/(\.\w+)?$/, `.restored-${snapshot.snapshotId.slice(0, 8)}$1`);
      return {
        writtenTo: input.inPlace === true ? original : (input.to ?? side),
        sizeBytes: snapshot.sizeBytes,
        safetySnapshotId: input.inPlace === true ? file.snapshotId : null,
      };
    },
  };
}

type Diff = Pick<Awaited<ReturnType<AgentMethods['files.diff']>>, 'hunks' | 'added' | 'removed'>;
function diffOf(before: string, after: string): Diff {
  const patch = structuredPatch('', '', before, after, '', '', { context: 3 });
  let added = 0;
  let removed = 0;
  const hunks = patch.hunks.map((hunk) => {
    let left = hunk.oldStart;
    let right = hunk.newStart;
    const lines = hunk.lines.map((line): Diff['hunks'][number]['lines'][number] => {
      const text = line.slice(1);
      if (line.startsWith('+')) {
        added += 1;
        return { kind: 'added', text, before: null, after: right++ };
      }
      if (line.startsWith('-')) {
        removed += 1;
        return { kind: 'removed', text, before: left++, after: null };
      }
      return { kind: 'same', text, before: left++, after: right++ };
    });
    return { lines };
  });
  return { hunks, added, removed };
}

export function searchHandlers(state: State): Handlers<'search.query'> {
  const mark = (text: string, word: string): { text: string; hit: boolean }[] => {
    const at = text.toLowerCase().indexOf(word);
    if (at === -1) return [{ text: text.slice(0, 80), hit: false }];
    return [
      { text: text.slice(Math.max(0, at - 30), at), hit: false },
      { text: text.slice(at, at + word.length), hit: true },
      { text: text.slice(at + word.length, at + word.length + 40), hit: false },
    ];
  };
  return {
    'search.query': async (input) => {
      const word = input.query.toLowerCase().replace(/["*]/g, '').split(/\s+/)[0] ?? '';
      const kinds = input.kinds ?? ['file', 'decision', 'memory'];
      const pattern = input.glob === undefined ? null : globToRegExp(input.glob);
      const files = state.files
        .filter(
          (file) =>
            kinds.includes('file') &&
            file.state === 'present' &&
            (input.rootId === undefined || file.rootId === input.rootId),
        )
        .filter(
          (file) =>
            (pattern?.test(file.path) ?? true) &&
            `${file.path} ${fakeContent(file.path, file.versions)}`.toLowerCase().includes(word),
        )
        .map((file) => ({
          kind: 'file' as const,
          rootId: file.rootId,
          root: file.root,
          path: file.path,
          recordId: null,
          title: file.path.split('/').at(-1) ?? file.path,
          snippet: mark(fakeContent(file.path, file.versions).replaceAll('\n', ' '), word),
          line: 1,
          changedAtMs: file.mtimeMs,
          rank: -file.versions,
        }));
      const records = state.records
        .filter((record) => kinds.includes(record.table === 'decision_vault' ? 'decision' : 'memory'))
        .map((record) => ({ record, text: record.table === 'decision_vault' ? record.decision : record.content }))
        .filter(({ record, text }) => `${record.title} ${text}`.toLowerCase().includes(word))
        .map(({ record, text }) => ({
          kind: record.table === 'decision_vault' ? ('decision' as const) : ('memory' as const),
          rootId: null,
          root: null,
          path: null,
          recordId: record.id,
          title: record.title,
          snippet: mark(text, word),
          line: null,
          changedAtMs: record.updatedAtMs,
          rank: -1,
        }));
      const hits = [...records, ...files].filter(
        (hit) =>
          (input.sinceMs ?? 0) <= hit.changedAtMs && hit.changedAtMs <= (input.untilMs ?? Number.MAX_SAFE_INTEGER),
      );
      return { hits: word === '' ? [] : hits.slice(0, input.limit ?? 50), tookMs: 7.4, capped: false, waiting: 2 };
    },
  };
}
