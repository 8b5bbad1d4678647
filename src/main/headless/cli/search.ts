import { type Command, Option } from 'commander';
import type { SearchHit, SearchKind } from '../../../shared/model.ts';
import { SEARCH_KINDS } from './choices.ts';
import type { Context } from './context.ts';
import { count, define, list, type Runner } from './define.ts';
import { displayPath, oneLine, plural, shortId, when } from './format.ts';
import { findRoot } from './paths.ts';
import { requireTime, TIME_FORMS } from './time.ts';

type SearchOptions = {
  kind: SearchKind[];
  root?: string;
  glob?: string;
  since?: string;
  until?: string;
  limit: number;
};

export function addSearch(program: Command, runner: Runner): void {
  define<SearchOptions>(
    program,
    runner,
    {
      usage: 'search <query...>',
      summary: 'Search files, decisions and memories',
      examples: [
        'angles search backup key',
        'angles search \'"one writer"\' --kind decision',
        "angles search 'deploy*' --glob '**/*.md' --since 7d",
      ],
      notes: `All words must match. "Quotes" search a phrase, word* a beginning, -word leaves out (after --).\n${TIME_FORMS}`,
      options: [
        list('--kind <kind>', `only this kind (${SEARCH_KINDS.join(', ')}); may be repeated`, SEARCH_KINDS),
        new Option('--root <path>', 'only files of this watched folder'),
        new Option('--glob <glob>', 'only files whose path matches'),
        new Option('--since <time>', 'changed since'),
        new Option('--until <time>', 'changed until'),
        count('--limit <n>', 'at most so many (up to 200)', 20),
      ],
    },
    (context, words, options) =>
      context.withAgent(async (client) => {
        const root = options.root === undefined ? undefined : await findRoot(client, context, options.root);
        const answer = await client.call('search.query', {
          query: words.join(' '),
          limit: Math.min(options.limit, 200),
          ...(options.kind.length === 0 ? {} : { kinds: options.kind }),
          ...(root === undefined ? {} : { rootId: root.rootId }),
          ...(options.glob === undefined ? {} : { glob: options.glob }),
          ...(options.since === undefined ? {} : { sinceMs: requireTime(options.since, context.time('start')) }),
          ...(options.until === undefined ? {} : { untilMs: requireTime(options.until, context.time('end')) }),
        });
        context.answer(answer, () => answer.hits.flatMap((hit) => describeHit(context, hit)));
        const notes = [
          answer.hits.length === 0
            ? 'Nothing matches.'
            : `${plural(answer.hits.length, 'match', 'matches')} in ${answer.tookMs.toFixed(0)} ms.`,
          answer.capped ? 'More matched than were ranked: the newest ones are shown.' : '',
          answer.waiting > 0 ? `${plural(answer.waiting, 'capture')} are not searchable yet.` : '',
        ];
        context.say(notes.filter(Boolean).join(' '));
      }),
  );
}

function describeHit(context: Context, hit: SearchHit): string[] {
  const { style } = context;
  const place =
    hit.kind === 'file'
      ? `${displayPath(`${hit.root ?? ''}/${hit.path ?? ''}`)}${hit.line === null ? '' : `:${hit.line}`}`
      : `${hit.kind} ${shortId(hit.recordId ?? '')}  ${oneLine(hit.title)}`;
  const snippet = hit.snippet
    .map((part) => (part.hit ? style.bold(style.yellow(flowing(part.text))) : flowing(part.text)))
    .join('');
  return [
    `${style.cyan(place)}  ${style.dim(when(context, hit.changedAtMs))}`,
    ...(snippet.trim() === '' ? [] : [`    ${snippet.trim()}`]),
  ];
}

/** A piece of a text, its line breaks as spaces. */
const flowing = (text: string): string => oneLine(text.replace(/\s+/g, ' '));
