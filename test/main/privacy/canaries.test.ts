import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { createRedactor } from '../../../src/main/privacy/redactor.ts';
import { ENVIRONMENT } from '../../../src/shared/settings.ts';
import { findLeaks, makeCanaries, plantCanaries } from '../../support/canaries.ts';

const canaries = makeCanaries('canaries');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'canaries-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const names = (leaks: readonly { readonly canary: string }[]): string[] =>
  [...new Set(leaks.map(({ canary }) => canary))].sort();
const all = canaries.map(({ name }) => name).sort();

test('there are 40, all different, the same for a seed, and every secret variable has one', () => {
  expect(canaries).toHaveLength(40);
  expect(new Set(canaries.map(({ secret }) => secret)).size).toBe(40);
  expect(new Set(all).size).toBe(40);
  expect(makeCanaries('canaries')).toEqual(canaries);
  expect(makeCanaries('other').map(({ secret }) => secret)).not.toEqual(canaries.map(({ secret }) => secret));
  const { environment } = plantCanaries(canaries, folder);
  const secret = ENVIRONMENT.filter((one) => one.secret).map(({ name }) => name as string);
  expect(secret.filter((name) => !(name in environment))).toEqual([]);
});

describe('a planted leak is found', () => {
  const coats: Readonly<Record<string, (secret: string) => string | Uint8Array>> = {
    plain: (secret) => `before ${secret} after`,
    base64: (secret) => Buffer.from(secret).toString('base64'),
    'base64, one byte before': (secret) => Buffer.from(`x${secret}yz`).toString('base64'),
    'base64, two bytes before': (secret) => Buffer.from(`xy${secret}z`).toString('base64'),
    'base64 of a header': (secret) => `Basic ${Buffer.from(`ada:${secret}`).toString('base64')}`,
    'base64 in lines': (secret) =>
      (
        Buffer.from(`some words before it: ${secret} and after it`)
          .toString('base64')
          .match(/.{1,16}/g) ?? []
      ).join('\r\n'),
    base64url: (secret) => Buffer.from(`??>>${secret}??>>`).toString('base64url'),
    hex: (secret) => Buffer.from(secret).toString('hex'),
    'hex in capitals': (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
    'URL-encoded': (secret) => `https://x.test/?q=${encodeURIComponent(secret)}`,
    'form-encoded': (secret) => new URLSearchParams({ q: secret }).toString(),
    'URL-encoded byte by byte': (secret) =>
      Array.from(Buffer.from(secret), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    JSON: (secret) => JSON.stringify({ a: secret }),
    'JSON in JSON': (secret) => JSON.stringify({ a: JSON.stringify({ b: secret }) }),
    'cut in the middle': (secret) => `${secret.slice(0, Math.ceil(secret.length / 2) + 1)}…`,
    'cut at its start': (secret) => `…${secret.slice(Math.floor(secret.length / 2) - 1)}`,
    'UTF-16': (secret) => Buffer.from(`x${secret}`, 'utf16le'),
    gzip: (secret) => gzipSync(`x ${secret} y`),
    zlib: (secret) => deflateSync(`blob 9\0${secret}`),
    zstd: (secret) => zstdCompressSync(`x ${secret} y`),
    'zstd in gzip': (secret) => gzipSync(zstdCompressSync(`x ${secret} y`)),
  };

  test.each(Object.entries(coats))('as %s, each of the 40', (_, coat) => {
    for (const canary of canaries) expect(names(findLeaks(coat(canary.secret), canaries))).toEqual([canary.name]);
  });

  test('in files, names of files, a zip and a pack of git, wherever they lie', async () => {
    const [inFile, inName, inZip, inGit] = canaries.filter(({ place }) => place === 'file');
    if (!inFile || !inName || !inZip || !inGit) throw new Error('too few canaries');
    const put = (name: string, bytes: string | Uint8Array): void => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    };
    put('a/b/.hidden', `x\n${inFile.text}\n`);
    put(`a/${inName.secret}.txt`, 'nothing');
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from(`${'words '.repeat(99)}${inZip.text}`), 'notes.md');
    zip.end();
    put('backup.zip', await buffer(zip.outputStream));
    const repository = join(folder, 'repository');
    const git = (...args: string[]): void => {
      execFileSync('git', ['-C', repository, '-c', 'user.name=ada', '-c', 'user.email=ada@example.test', ...args], {
        stdio: 'ignore',
      });
    };
    mkdirSync(repository);
    git('init', '-q');
    put('repository/notes.md', `${'words\n'.repeat(99)}${inGit.text}\n`);
    git('add', '.');
    git('commit', '-qm', 'first');
    put('repository/notes.md', 'clean\n');
    git('commit', '-qam', 'second');
    git('gc', '-q');
    const leaks = findLeaks({ folder }, canaries);
    expect(names(leaks)).toEqual([inFile, inName, inZip, inGit].map(({ name }) => name).sort());
    const places = (name: string): string[] => leaks.filter(({ canary }) => canary === name).map(({ where }) => where);
    expect(places(inFile.name)).toContain('a/b/.hidden');
    expect(places(inZip.name)[0]).toMatch(/^backup\.zip!/);
    expect(places(inGit.name)[0]).toMatch(/\.pack!/);
  });

  test('and every one of them where it was planted', () => {
    const planted = plantCanaries(canaries, folder);
    expect(names(findLeaks({ folder }, canaries))).toEqual(all.filter((name) => name.startsWith('file')));
    const { files, ...elsewhere } = planted;
    expect(files.map((path) => readFileSync(path, 'utf8')).join('')).toContain(
      canaries.find(({ place }) => place === 'file')?.secret,
    );
    expect(names(findLeaks(JSON.stringify(elsewhere), canaries))).toEqual(
      all.filter((name) => !name.startsWith('file')),
    );
  });
});

test('nothing is found where nothing is', () => {
  const others = makeCanaries('other')
    .map(({ secret, text }) => `${secret} ${text}`)
    .join('\n');
  expect(findLeaks(others, canaries)).toEqual([]);
  expect(findLeaks(canaries.map(({ name }) => name).join('\n'), canaries)).toEqual([]);
  expect(() => findLeaks({ folder }, canaries)).toThrow('nothing to search');
});

test('no canary passes the redactor: by its look, or because it is configured', () => {
  const secrets = canaries.filter(({ place }) => place === 'environment' || place === 'config').map(({ text }) => text);
  const redactor = createRedactor({ secrets: () => secrets });
  const leaks = canaries.flatMap(({ secret, text, place }) => {
    const contexts = place === 'environment' ? [text, `x ${text} y`] : [text, `${secret}\n`, JSON.stringify({ text })];
    return contexts.flatMap((context) => findLeaks(redactor.redact(context).text, canaries));
  });
  expect(leaks).toEqual([]);
});
