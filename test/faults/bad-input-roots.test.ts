import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRootPath } from '../../src/main/watch/root-path.ts';
import { AppError, type ErrorCode } from '../../src/shared/errors.ts';
import { UNSHOWABLE } from '../support/hostile-names.ts';
import { needs } from '../support/needs.ts';
import { NODE, run } from '../support/strace.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'angles-roots-')));
const at = (path: string) => join(base, path);
const dataFolder = at('home/data');
afterAll(() => rmSync(base, { recursive: true, force: true }));

beforeAll(() => {
  for (const folder of ['home/data/objects', 'watched/inner', 'watched-too', 'free', 'strange\n\u202ename'])
    mkdirSync(at(folder), { recursive: true });
  writeFileSync(at('file.md'), 'text');
  symlinkSync(at('free'), at('link-to-free'));
  symlinkSync(at('watched'), at('link-to-watched'));
  symlinkSync(at('watched/inner'), at('link-to-inner'));
  symlinkSync(at('home/data'), at('link-to-data'));
  symlinkSync(at('file.md'), at('link-to-file'));
  symlinkSync(at('nowhere'), at('link-to-nothing'));
  symlinkSync('loop', at('loop'));
});

function answerTo(path: string, data: string = dataFolder): { code: ErrorCode | 'ok'; text: string } {
  try {
    return { code: 'ok', text: checkRootPath(path, [at('watched')], data) };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    return { code: cause.code, text: `${cause.message} ${cause.hint}` };
  }
}

describe('a folder somebody wants to watch', () => {
  it.each([
    ['free', 'free'],
    ['free/', 'free'],
    ['free///', 'free'],
    ['watched/../free/.', 'free'],
    ['link-to-free', 'free'],
    ['link-to-free/', 'free'],
    // Its name begins with that of a watched folder.
    ['watched-too', 'watched-too'],
    ['strange\n\u202ename', 'strange\n\u202ename'],
  ])('%j is accepted by its real path', (path, real) => {
    expect(answerTo(`${base}/${path}`)).toEqual({ code: 'ok', text: at(real) });
  });

  it.each<[string, ErrorCode]>([
    ['file.md', 'root.not_a_directory'],
    ['link-to-file', 'root.not_a_directory'],
    ['nowhere', 'root.missing'],
    ['file.md/below', 'root.missing'],
    ['link-to-nothing', 'root.missing'],
    ['loop', 'root.missing'],
    ['x'.repeat(300), 'root.missing'],
    ['watched', 'root.duplicate'],
    ['watched/', 'root.duplicate'],
    ['link-to-watched', 'root.duplicate'],
    ['watched/inner', 'root.nested'],
    ['link-to-inner', 'root.nested'],
    ['link-to-watched/inner', 'root.nested'],
    ['home/data', 'root.data_folder'],
    ['home/data/objects', 'root.data_folder'],
    ['home', 'root.data_folder'],
    ['link-to-data', 'root.data_folder'],
    ['link-to-data/objects', 'root.data_folder'],
    ['.', 'root.data_folder'],
  ])('%j is refused with %s, in words', (path, code) => {
    const answer = answerTo(`${base}/${path}`);
    expect(answer.code).toBe(code);
    expect(answer.text).toMatch(/\w+ \w+ \w+/);
  });

  it('that lies around a watched folder is refused', () => {
    expect(answerTo(base, '/nonexistent/data').code).toBe('root.nested');
  });

  it('is never the whole disk, as the data folder is on it', () => {
    expect(answerTo('/').code).toBe('root.data_folder');
    expect(answerTo('//').code).toBe('root.data_folder');
  });

  it('is compared with the data folder behind a link, and with one that is not made yet', () => {
    expect(answerTo(at('home'), at('link-to-data')).code).toBe('root.data_folder');
    expect(answerTo(at('free'), at('free/later/data')).code).toBe('root.data_folder');
  });

  it('is named in a message without its control characters', () => {
    const { text } = answerTo(at('no\u001b[31m\n\u202ewhere'));
    expect(UNSHOWABLE.test(text)).toBe(false);
  });
});

/** Root ignores permission bits, so somebody else asks. */
describe('a folder that this user may not read', needs('setpriv'), () => {
  const asNobody = async (path: string) => {
    const user = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
    const [command = '', ...args] = [...user, NODE, '--no-warnings', CHILD, path, '/nonexistent/data'];
    return (await run(command, args)).stdout;
  };
  const CHILD = join(import.meta.dirname, '../support/hostile-root.ts');

  it('is refused as such, also when the folder above hides it', async () => {
    chmodSync(base, 0o755);
    for (const [folder, mode] of [
      ['closed', 0o000],
      ['no-list', 0o311],
      ['no-enter', 0o644],
      ['open', 0o755],
    ] as const) {
      mkdirSync(at(`${folder}/inner`), { recursive: true });
      if (process.getuid?.() === 0) chownSync(at(folder), 65_534, 65_534);
      chmodSync(at(folder), mode);
    }
    const paths = ['closed', 'no-list', 'no-enter', 'closed/inner', 'open'];
    const answers = await Promise.all(paths.map((path) => asNobody(at(path))));
    for (const folder of ['closed', 'no-list', 'no-enter']) chmodSync(at(folder), 0o755);
    expect(answers).toEqual([
      'root.unreadable',
      'root.unreadable',
      'root.unreadable',
      'root.unreadable',
      `ok ${at('open')}`,
    ]);
  });
});
