/** `node scripts/errors.mjs` writes docs/ERRORS.md from the catalogue of errors; a test says when it is out of date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ERROR_CATALOGUE } from '../src/shared/errors.ts';

/** Groups by the first part of the code, in the order of the document. */
const GROUPS = {
  usage: 'How a command was called',
  not_found: 'Something that is not there',
  ambiguous: 'More than one match',
  config: 'Settings',
  data: 'The data folder and the vault',
  root: 'Watched folders',
  watch: 'Watching',
  file: 'Files',
  content: 'Stored contents',
  record: 'Decisions and memories',
  remote: 'Supabase and Notion',
  sync: 'Sync',
  migration: 'Sync',
  backup: 'Backups',
  restore: 'Restore',
  job: 'The running agent',
  agent: 'The running agent',
  keychain: 'The desktop app',
  window: 'The desktop app',
  server: 'The local server',
  build: 'The program itself',
  node: 'The program itself',
  interrupted: 'The program itself',
  internal: 'The program itself',
};

const cell = (text) => text.replaceAll('|', '\\|');

/** The whole text of docs/ERRORS.md. Throws for a code of a group that has no title here. */
export function errorsDocument() {
  const sections = Map.groupBy(Object.entries(ERROR_CATALOGUE), ([code]) => {
    const title = GROUPS[code.split('.')[0]];
    if (title === undefined) throw new Error(`scripts/errors.mjs has no title for ${code}`);
    return title;
  });
  const lines = [
    '# Errors by code',
    '',
    'Made from `src/shared/errors.ts` by `node scripts/errors.mjs`. Every command prints what happened, what it means for',
    'your data and what to do; with `--json` the code is in `error.code`. Codes are stable: scripts may rely on them.',
    'Exit is the exit code of a command that ends with this error. An error can also be the state of a folder or a file;',
    'then it is shown by `angles status`, `angles files --skipped` and the dashboard.',
  ];
  for (const title of new Set(Object.values(GROUPS))) {
    const entries = sections.get(title) ?? [];
    if (entries.length === 0) continue;
    lines.push(
      '',
      `## ${title}`,
      '',
      '| Code | What happened | Your data | What to do | Exit |',
      '|---|---|---|---|---|',
    );
    for (const [code, { title: what, meaning, fix, exitCode }] of entries)
      lines.push(`| \`${code}\` | ${cell(what)} | ${cell(meaning)} | ${cell(fix)} | ${exitCode} |`);
  }
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  writeFileSync(join(import.meta.dirname, '..', 'docs', 'ERRORS.md'), errorsDocument());
