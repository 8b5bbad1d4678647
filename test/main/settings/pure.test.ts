import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultDataFolder, expandHome } from '../../../src/main/settings/data-folder.ts';
import { parseDotenv } from '../../../src/main/settings/dotenv.ts';
import { getDotted, setDotted } from '../../../src/main/settings/dotted.ts';
import { nearestKey, SETTING_KEYS } from '../../../src/main/settings/keys.ts';
import { modeWarning, shellQuote } from '../../../src/main/settings/mode-warnings.ts';

describe('nearestKey', () => {
  test.each([
    [['watch'], 'quite_ms', 'watch.quiet_ms'],
    [['watch'], 'quietMs', 'watch.quiet_ms'],
    [['watch'], 'QUIET-MS', 'watch.quiet_ms'],
    [[], 'wach', 'watch'],
    [[], 'root', 'roots'],
    [[], 'quiet_ms', 'watch.quiet_ms'],
    [['dashboard'], 'retention_days', 'backup.retention_days'],
    [['wach'], 'quiet_ms', 'watch.quiet_ms'],
    [['roots', '0'], 'pth', 'roots.0.path'],
    [['roots', '0'], 'exlude', 'roots.0.exclude'],
    [['logs'], 'lvl', 'logs.level'],
    [[], 'banana', null],
    [[], '', null],
  ])('%j %s is meant as %s', (path, name, meant) => {
    expect(nearestKey(path, name)).toBe(meant);
  });

  test('finds every key again after one slip of the finger', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SETTING_KEYS), fc.nat(), (key, at) => {
        const parts = key.split('.');
        const name = parts.at(-1) ?? '';
        const slipped = `${name.slice(0, at % name.length)}${name.slice((at % name.length) + 1)}`;
        fc.pre(slipped.replaceAll('_', '') !== '' && slipped !== '');
        expect(nearestKey(parts.slice(0, -1), slipped)).toBe(key);
      }),
    );
  });
});

describe('parseDotenv', () => {
  test.each([
    ['A=1\nB=two', { A: '1', B: 'two' }],
    ['\uFEFFA=1\r\nexport B = two \r\n', { A: '1', B: 'two' }],
    ['# note\n\n  A=1 # trailing\nB=#none\nC=a#b', { A: '1', B: '', C: 'a#b' }],
    ['A="x # y" # note\nB=\'$HOME\\n\'', { A: 'x # y', B: '$HOME\\n' }],
    ['A="line\\nbreak \\"q\\" \\\\ \\$"', { A: 'line\nbreak "q" \\ $' }],
    ['A=postgres://u:p=w@h/db?x=1', { A: 'postgres://u:p=w@h/db?x=1' }],
    ['A=\nB=""', { A: '', B: '' }],
    ['__proto__=x', JSON.parse('{"__proto__":"x"}')],
  ])('reads %j', (text, values) => {
    expect(parseDotenv(text)).toEqual({ values: new Map(Object.entries(values)), problems: [] });
  });

  test('names the lines it leaves out, and never what is on them', () => {
    const dotenv = parseDotenv('hunter2hunter2\nA="open hunter2\n1B=hunter2\nC="x" hunter2\nD=hun\0ter2\nE=1\nE=2');
    expect(dotenv).toEqual({
      values: new Map([['E', '2']]),
      problems: [
        { line: 1, reason: 'it is not of the form NAME=value' },
        { line: 2, reason: 'its quote is not closed' },
        { line: 3, reason: 'it is not of the form NAME=value' },
        { line: 4, reason: 'there is text after the closing quote' },
        { line: 5, reason: 'it holds a NUL character' },
        { line: 7, reason: 'its name was set on an earlier line already; this one wins' },
      ],
    });
  });

  test('reads back whatever stands in double quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        fc.pre(!value.includes('\0'));
        const escaped = value
          .replace(/[\\"$]/g, '\\$&')
          .replaceAll('\n', '\\n')
          .replaceAll('\r', '\\r');
        expect(parseDotenv(`A="${escaped}"`).values.get('A')).toBe(value);
      }),
    );
  });
});

describe('dotted keys', () => {
  test.each([
    [{ a: 1, b: { c: 2, d: 3 }, e: 4 }, 'b.c', 9, '{"a":1,"b":{"c":9,"d":3},"e":4}'],
    [{ b: { c: 2 } }, 'b.new', 1, '{"b":{"c":2,"new":1}}'],
    [{ b: { c: 2 } }, 'x.y', 1, '{"b":{"c":2},"x":{"y":1}}'],
    [{ b: { c: 2 }, e: 1 }, 'b.c', undefined, '{"e":1}'],
    [{ b: { c: 2, d: 3 } }, 'b.c', undefined, '{"b":{"d":3}}'],
    [{ a: 1 }, 'b.c', undefined, '{"a":1}'],
    [{ a: 1 }, 'a.b', 2, '{"a":{"b":2}}'],
  ])('%j with %s = %j', (before, key, value, after) => {
    const untouched = JSON.stringify(before);
    expect(JSON.stringify(setDotted(before, key, value))).toBe(after);
    expect(JSON.stringify(before)).toBe(untouched);
  });

  test('inherited properties are not values', () => {
    expect([
      getDotted({}, 'constructor.name'),
      getDotted({ a: null }, 'a.b'),
      getDotted({ a: { b: 0 } }, 'a.b'),
    ]).toEqual([undefined, undefined, 0]);
  });
});

describe('defaultDataFolder', () => {
  test.each([
    [{}, 'linux', '/home/ada/.local/share/angles'],
    [{ XDG_DATA_HOME: '/data' }, 'linux', '/data/angles'],
    [{ XDG_DATA_HOME: 'relative' }, 'linux', '/home/ada/.local/share/angles'],
    [{ XDG_DATA_HOME: ' ' }, 'linux', '/home/ada/.local/share/angles'],
    [{ ANGLES_HOME: '/vault', XDG_DATA_HOME: '/data' }, 'linux', '/vault'],
    [{ ANGLES_HOME: '~/vault/' }, 'linux', '/home/ada/vault'],
    [{ ANGLES_HOME: 'vault' }, 'linux', '/srv/vault'],
    [{ ANGLES_HOME: '' }, 'darwin', '/home/ada/Library/Application Support/Angles'],
    [{ APPDATA: 'C:\\Users\\ada\\AppData\\Roaming' }, 'win32', 'C:\\Users\\ada\\AppData\\Roaming\\Angles'],
  ] as const)('%j on %s is %s', (environment, platform, folder) => {
    expect(defaultDataFolder(environment, platform, '/home/ada', '/srv')).toBe(folder);
  });

  test.each([
    ['~', '/home/ada'],
    ['~/x', '/home/ada/x'],
    ['~bob/x', '~bob/x'],
    ['/a/~/b', '/a/~/b'],
  ])('%s expands to %s', (path, expanded) => {
    expect(expandHome(path, '/home/ada')).toBe(expanded);
  });
});

describe('mode warnings', () => {
  test.each([
    ['file', 0o100600, null],
    ['file', 0o100400, null],
    ['file', 0o100644, "chmod 600 '/home/ada/my vault/.env'"],
    ['file', 0o100620, "chmod 600 '/home/ada/my vault/.env'"],
    ['folder', 0o40700, null],
    ['folder', 0o40755, "chmod 700 '/home/ada/my vault/.env'"],
  ] as const)('a %s of mode %o: %s', (kind, mode, fix) => {
    expect(modeWarning({ path: '/home/ada/my vault/.env', kind }, mode).map((warning) => warning.fix)).toEqual(
      fix === null ? [] : [fix],
    );
  });

  test.each([
    ['/plain/path-1.2', '/plain/path-1.2'],
    ["it's", "'it'\\''s'"],
    ['a\nb', "$'a\\u000ab'"],
  ])('%j is quoted as %s', (text, quoted) => {
    expect(shellQuote(text)).toBe(quoted);
  });
});
