import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ignore from 'ignore';
import { describe, expect, it } from 'vitest';
import { createIgnoreRules, DEFAULT_EXCLUDES } from '../../../src/main/watch/ignore-rules.ts';

function rules(files: Record<string, string>, options: { exclude?: string[]; respectGitignore?: boolean } = {}) {
  const rootPath = mkdtempSync(join(tmpdir(), 'angles-ignore-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(rootPath, path)), { recursive: true });
    writeFileSync(join(rootPath, path), text);
  }
  const created = createIgnoreRules({
    rootPath,
    exclude: options.exclude ?? [],
    respectGitignore: options.respectGitignore ?? true,
  });
  return { rootPath, ...created };
}

describe('ignore rules', () => {
  it.each([
    ['notes/a.md', false],
    ['.git/config', true],
    ['deep/er/.git/HEAD', true],
    ['node_modules/x/index.js', true],
    ['src/__pycache__/m.pyc', true],
    ['.notes.md.swp', true],
    ['draft.md~', true],
    ['4913', true],
    ['.#lock', true],
    ['#auto#', true],
    ['.DS_Store', true],
    ['Thumbs.db', true],
    ['movie.mkv.part', true],
    ['node_modules.md', false],
    ['thumbs.db.md', false],
  ])('without any file of rules, %s is ignored: %s', (path, expected) => {
    expect(rules({}).ignoresPath(path, false)).toBe(expected);
  });

  it('lets a deeper file and a later line decide, and `!` bring back', () => {
    const { ignoresPath } = rules({
      '.gitignore': '*.log\nbuild/\n!keep.log\n',
      'sub/.gitignore': '!special.log\nsecret.md\n',
    });
    const verdicts = [
      'a.log',
      'keep.log',
      'sub/a.log',
      'sub/special.log',
      'sub/secret.md',
      'secret.md',
      'build/out.txt',
      'sub/build/out.txt',
    ].map((path) => [path, ignoresPath(path, false)]);
    expect(Object.fromEntries(verdicts)).toEqual({
      'a.log': true,
      'keep.log': false,
      'sub/a.log': true,
      'sub/special.log': false,
      'sub/secret.md': true,
      'secret.md': false,
      'build/out.txt': true,
      'sub/build/out.txt': true,
    });
  });

  it('brings nothing back below an ignored folder, as git does', () => {
    const { ignoresPath } = rules({ '.gitignore': 'build/\n!build/keep.md\n' });
    expect(ignoresPath('build/keep.md', false)).toBe(true);
  });

  it('lets .anglesignore beat .gitignore beside it, and bring back a built-in exclude', () => {
    const { ignoresPath } = rules({ '.gitignore': '*.csv\n', '.anglesignore': '!data.csv\n!*.tmp\nprivate/\n' });
    expect(['data.csv', 'other.csv', 'x.tmp', 'private/a.md'].map((path) => ignoresPath(path, false))).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it('never brings back what version control keeps for itself', () => {
    expect(rules({ '.anglesignore': '!.git\n!.git/**\n' }).ignoresPath('.git/config', false)).toBe(true);
  });

  it('reads no .gitignore where the setting says so', () => {
    expect(rules({ '.gitignore': '*.md\n' }, { respectGitignore: false }).ignoresPath('a.md', false)).toBe(false);
  });

  it('takes patterns of the settings', () => {
    expect(rules({}, { exclude: ['/drafts/', '*.bak'] }).ignoresPath('drafts/a.md', false)).toBe(true);
  });

  it('is case-sensitive on Linux, like git there', () => {
    expect(rules({ '.gitignore': 'TODO.md\n' }).ignoresPath('todo.md', false)).toBe(process.platform !== 'linux');
  });

  it('reads a changed file of rules after it was told to forget', () => {
    const { rootPath, ignoresPath, forget } = rules({ 'sub/.gitignore': 'a.md\n' });
    const before = ignoresPath('sub/a.md', false);
    writeFileSync(join(rootPath, 'sub/.gitignore'), 'b.md\n');
    forget('sub');
    expect([before, ignoresPath('sub/a.md', false), ignoresPath('sub/b.md', false)]).toEqual([true, false, true]);
  });

  it('survives a rule file that is binary, huge or a folder', () => {
    const { rootPath, ignoresPath } = rules({ 'a/.gitignore': '\0\u0001[[[\n', 'b/.gitignore': 'x\n'.repeat(700_000) });
    mkdirSync(join(rootPath, 'c/.gitignore'), { recursive: true });
    expect(['a/x.md', 'b/x.md', 'c/x.md'].map((path) => ignoresPath(path, false))).toEqual([false, false, false]);
  });

  it('brings back a default with all that is in it, but not what is excluded there by its own name', () => {
    const { ignoresPath } = rules({ '.anglesignore': '!node_modules/\n' });
    const paths = ['node_modules', 'node_modules/x/index.js', 'node_modules/x/.index.js.swp', 'a/node_modules/x.js'];
    expect(paths.map((path, index) => ignoresPath(path, index === 0))).toEqual([false, false, true, false]);
  });

  it('agrees with the library about every default, near misses too', () => {
    const { ignores } = rules({});
    const library = ignore({ ignorecase: process.platform !== 'linux' }).add(DEFAULT_EXCLUDES.join('\n'));
    const names = DEFAULT_EXCLUDES.flatMap((pattern) => {
      const name = pattern.replace(/\/$/, '').replace(/\\(.)/g, '$1');
      return ['', 'x', '.', 'x y\n'].flatMap((filler) => {
        const filled = name.replaceAll('*', filler);
        return [filled, `${filled}x`, `x${filled}`, filled.toUpperCase()];
      });
    });
    for (const name of names.filter((each) => each !== '' && each !== '.' && !each.startsWith('..'))) {
      expect([name, ignores('', name, false)]).toEqual([name, library.ignores(name)]);
      expect([name, ignores('', name, true)]).toEqual([name, library.ignores(`${name}/`)]);
    }
  });
});
