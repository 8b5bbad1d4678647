import { posix, win32 } from 'node:path';
import type { z } from 'zod';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { ENVIRONMENT, type Settings, settingsSchema } from '../../shared/settings.ts';
import { expandHome } from './data-folder.ts';
import { isJsonObject, type JsonObject } from './dotted.ts';
import { findJsonProblem } from './json.ts';
import { nearestKey } from './keys.ts';

export type ParsedConfig = {
  readonly settings: Settings;
  /** What the file itself says, for telling defaults apart and for writing it back. */
  readonly raw: JsonObject;
};

/** What `config.json` text is read with: where it lies (for messages) and whose `~` it means. */
export type ConfigPlace = { readonly file: string; readonly homedir: string; readonly platform: NodeJS.Platform };

type Problem = { readonly kind: 'unknown' | 'invalid'; readonly text: string };

const MOST_PROBLEMS = 20;

/**
 * Reads the text of a `config.json`. Paths of roots come out absolute, with `~` expanded.
 * Throws `config.syntax` (with line and column), `config.unknown_key` or `config.invalid`; the message of the last two
 * lists every problem, one a line, by dotted path, and never a value.
 */
export function parseConfig(text: string, place: ConfigPlace): ParsedConfig {
  const raw = parseJson(text.replace(/^\uFEFF/, ''), place.file);
  const parsed = settingsSchema.safeParse(raw);
  const problems = parsed.success ? rootProblems(parsed.data, place) : parsed.error.issues.flatMap(describeIssue);
  if (!parsed.success || problems.length > 0) throw problemsError(problems, place.file);
  const path = place.platform === 'win32' ? win32 : posix;
  const roots = parsed.data.roots.map((root) => ({
    ...root,
    path: path.resolve(expandHome(root.path, place.homedir)),
  }));
  return { settings: { ...parsed.data, roots }, raw };
}

function parseJson(text: string, file: string): JsonObject {
  if (text.trim() === '') {
    throw new AppError('config.syntax', `${displayPath(file)} is empty.`, {
      hint: 'Write {} into it to use the defaults, or delete it.',
    });
  }
  const problem = findJsonProblem(text);
  if (problem !== null) {
    const { line, column, message } = problem;
    throw new AppError('config.syntax', `${displayPath(file)}, line ${line}, column ${column}: ${message}.`);
  }
  const value: unknown = JSON.parse(text);
  if (isJsonObject(value)) return value;
  const kind = Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`;
  throw new AppError('config.invalid', `${displayPath(file)} holds ${kind}; settings are an object: { ... }.`);
}

function problemsError(problems: readonly Problem[], file: string): AppError {
  const shown = problems.slice(0, MOST_PROBLEMS).map((problem) => problem.text);
  if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more problems`);
  const code = problems.every((problem) => problem.kind === 'unknown') ? 'config.unknown_key' : 'config.invalid';
  const [only = ''] = shown;
  const message = shown.length === 1 ? `: ${only}.` : ` has ${problems.length} problems:\n- ${shown.join('\n- ')}`;
  return new AppError(code, `${displayPath(file)}${message}`);
}

function describeIssue(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ kind: 'unknown', text: describeUnknownKey(path, key) }));
  }
  const message = issue.message.replace(/^Invalid (?:input|option): /, '');
  return [
    { kind: 'invalid', text: `${displayPath(path.join('.'))}: ${message.charAt(0).toLowerCase()}${message.slice(1)}` },
  ];
}

/** `watch.quite_ms does not exist (did you mean watch.quiet_ms?)`, or where such a name belongs. */
export function describeUnknownKey(path: readonly string[], key: string): string {
  const shown = displayPath(shorten([...path, key].join('.')));
  if (isEnvironmentName(key))
    return `${shown} does not belong here, but into the environment or the .env file beside it`;
  const nearest = nearestKey(path, key);
  if (nearest !== null) return `${shown} does not exist (did you mean ${nearest}?)`;
  return `${shown} does not exist`;
}

function isEnvironmentName(key: string): boolean {
  const upper = key.toUpperCase();
  return ENVIRONMENT.some(({ name, aliases }) => name === upper || aliases.some((alias) => alias === upper));
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function rootProblems(settings: Settings, { homedir, platform }: ConfigPlace): Problem[] {
  const path = platform === 'win32' ? win32 : posix;
  return settings.roots.flatMap((root, index): Problem[] => {
    const key = `roots.${index}.path`;
    if (root.path.includes('\0')) return [{ kind: 'invalid', text: `${key}: a path cannot hold a NUL character` }];
    if (path.isAbsolute(expandHome(root.path, homedir))) return [];
    return [{ kind: 'invalid', text: `${key}: must be an absolute path, or start with ~/` }];
  });
}
