import type { Command } from 'commander';
import { Option } from 'commander';
import type { AgentClient, MethodInput } from '../../../shared/contract.ts';
import type { FileEntry, FileState } from '../../../shared/model.ts';
import { count, define, type Runner } from './define.ts';
import { displayPath, formatBytes, fullPath, plural, whenShort } from './format.ts';
import { findRoot } from './paths.ts';

type FilesOptions = { skipped?: boolean; deleted?: boolean; newest?: boolean; limit: number; root?: string };
const PAGE = 1_000;

export function addFiles(program: Command, runner: Runner): void {
  define<FilesOptions>(
    program,
    runner,
    {
      usage: 'files [glob]',
      summary: 'List the captured files',
      examples: [
        'angles files',
        "angles files '**/*.md' --newest",
        'angles files --skipped',
        'angles files --deleted --json',
      ],
      notes:
        'The glob is matched with the path inside the watched folder: * and ? stay within one folder, ** crosses folders.',
      options: [
        new Option('--skipped', 'only files that are listed but not captured, with the reason'),
        new Option('--deleted', 'only files that were deleted; their versions are kept'),
        new Option('--newest', 'newest change first'),
        new Option('--root <path>', 'only this watched folder'),
        count('--limit <n>', 'at most so many', 200),
      ],
    },
    (context, [glob], options) =>
      context.withAgent(async (client) => {
        const state: FileState[] = [
          ...(options.skipped ? (['skipped'] as const) : []),
          ...(options.deleted ? (['deleted'] as const) : []),
        ];
        const root = options.root === undefined ? undefined : await findRoot(client, context, options.root);
        const input: MethodInput<'files.list'> = {
          ...(glob === undefined ? {} : { glob }),
          ...(root === undefined ? {} : { rootId: root.rootId }),
          state: state.length === 0 ? ['present'] : state,
          order: options.newest ? 'newest' : 'path',
        };
        const { files, total } = await listAll(client, input, options.limit);
        context.answer({ files, total }, () => {
          if (files.length === 0) return ['No file matches.'];
          const rows = files.map((file) => [
            fullPath(file),
            formatBytes(file.sizeBytes),
            String(file.versions),
            whenShort(context, file.mtimeMs),
            noteOf(file),
          ]);
          const table = context.table(
            [
              { title: 'FILE', cut: 'end' },
              { title: 'SIZE', align: 'right' },
              { title: 'VERSIONS', align: 'right' },
              { title: 'CHANGED' },
              { title: files.some((file) => noteOf(file) !== '') ? 'NOTE' : '' },
            ],
            rows,
          );
          return table;
        });
        if (files.length < total)
          context.say(`${plural(total - files.length, 'more file')}: use --limit ${total} to see all.`);
      }),
  );
}

function noteOf(file: FileEntry): string {
  if (file.reason !== null) return displayPath(file.reason);
  return file.state === 'deleted' ? 'deleted' : '';
}

async function listAll(
  client: AgentClient,
  input: MethodInput<'files.list'>,
  limit: number,
): Promise<{ files: FileEntry[]; total: number }> {
  const files: FileEntry[] = [];
  let cursor: string | null = null;
  let total = 0;
  do {
    const page: { files: FileEntry[]; next: string | null; total: number } = await client.call('files.list', {
      ...input,
      limit: Math.min(PAGE, limit - files.length),
      cursor,
    });
    files.push(...page.files);
    total = page.total;
    cursor = page.next;
  } while (cursor !== null && files.length < limit);
  return { files, total };
}
