import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../../src/main/privacy/redactor.ts';

// Put together here, so that no scanner takes this file for a leak.
const join = (...parts: string[]): string => parts.join('');
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const supabaseKey = (role: string): string =>
  [base64url({ alg: 'HS256', typ: 'JWT' }), base64url({ iss: 'supabase', role }), 'c2lnbmF0dXJlc2lnbmF0dXJl'].join('.');
const GITHUB = join('ghp_', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8');
const NOTION = join('ntn_', '12345678901', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r');
const BODY = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC';
const pem = (lineBreak: string, lines = 3): string =>
  [join('-----BEGIN ', 'PRIVATE KEY-----'), ...Array(lines).fill(BODY), join('-----END ', 'PRIVATE KEY-----')].join(
    lineBreak,
  );
const AWS_SECRET = join('wJalrXUtnFEMI/K7MDENG', '/bPxRfiCYzQ8WvTk9Lm');

const { redact, find, redactThoroughly } = createRedactor({ secrets: () => [] });

describe('redact', () => {
  test.each<[string, string]>([
    [`key ${join('sb_secret_', 'N7UND0UgjKTVK_Uodkm0Hg')}`, 'key [REDACTED:supabase-secret-key]'],
    [`${join('sbp_', 'a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0')};`, '[REDACTED:supabase-access-token];'],
    [`"${supabaseKey('service_role')}"`, '"[REDACTED:supabase-service-key]"'],
    [`'${supabaseKey('anon')}'`, "'[REDACTED:supabase-anon-key]'"],
    [`(${supabaseKey('authenticated')})`, '([REDACTED:jwt])'],
    [`${NOTION}.`, '[REDACTED:notion-token].'],
    [`use ${join('secret_', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v')}!`, 'use [REDACTED:notion-token]!'],
    [join('sk-proj-', 'A1b2C3d4_E5f6-G7h8I9j0'), '[REDACTED:openai-key]'],
    [join('sk-ant-', 'api03-A1b2C3d4_E5f6-G7h8I9j0AA'), '[REDACTED:anthropic-key]'],
    [`a\\n${GITHUB}\\nb`, 'a\\n[REDACTED:github-token]\\nb'],
    [`x%3D${GITHUB}%26`, 'x%3D[REDACTED:github-token]%26'],
    [
      `https://x-access-token:${GITHUB}@github.com/ada/x.git`,
      'https://x-access-token:[REDACTED:github-token]@github.com/ada/x.git',
    ],
    [`${join('AKIA', 'IOSFODNN7QWERTYU')} ${AWS_SECRET}`, '[REDACTED:aws-access-key] [REDACTED:aws-secret-key]'],
    [`aws_secret_access_key = ${AWS_SECRET}`, 'aws_secret_access_key = [REDACTED:aws-secret-key]'],
    [
      `https://hooks.slack.com/services/${join('T0AB1CD2E', '/B0AB1CD2E/', 'a1B2c3D4e5F6g7H8i9J0k1L2')}`,
      'https://hooks.slack.com/services/[REDACTED:slack-webhook]',
    ],
    [
      'postgresql://postgres:p4ss/w#rd@db.example.co:5432/x?a=b',
      'postgresql://postgres:[REDACTED:database-password]@db.example.co:5432/x?a=b',
    ],
    ['https://ada:s3cr3tpw@example.com/', 'https://ada:[REDACTED:url-password]@example.com/'],
    ['DB_PASSWORD=correct-horse-battery\r\nPORT=1\r\n', 'DB_PASSWORD=[REDACTED:password]\r\nPORT=1\r\n'],
    ['{\\"password\\":\\"Tr0ub4dor&3\\"}', '{\\"password\\":\\"[REDACTED:password]\\"}'],
    [`api_key: ${join('5f1d7a84db00d2', 'fce00b31a7fc73224f')}`, 'api_key: [REDACTED:api-key]'],
    [`a\r\n${pem('\r\n')}\r\nb`, 'a\r\n[REDACTED:private-key]\r\nb'],
    [`"${pem('\\n')}\\n"`, '"[REDACTED:private-key]\\n"'],
    [`${pem('\n', 1)}\n`, '[REDACTED:private-key]\n'],
    [`x ${pem('\n').slice(0, 100)}`, 'x [REDACTED:private-key]'],
    [
      `${pem('\n').slice(0, 100)}\n\nOrdinary words follow here.`,
      '[REDACTED:private-key]\n\nOrdinary words follow here.',
    ],
  ])('%j', (text, expected) => {
    expect(redact(text).text).toBe(expected);
    expect(redact(expected)).toEqual({ text: expected, redactions: 0, kinds: [] });
  });

  test.each([
    'The password is required and must have 8 to 20 characters.',
    'password: string; token?: Uint8Array; secret = sha256Hash; apiKey: process.env.API_KEY',
    'const token = this.parser.nextToken2(stream); if (password !== confirmPassword) return;',
    'SUPABASE_KEY=your-anon-key\nNOTION_API_KEY=\nDB_PASSWORD=<password>\nTOKEN=$SERVICE_TOKEN',
    'postgres://user:password@localhost:5432/db http://127.0.0.1:8080/@ada http://user:pass@example.com',
    'git@github.com:ada/notes.git ssh://git@example.com:2222/x https://example.com/@ada/post:1',
    '.sk-folding-cube-4-inner { color: red } secret_santa_2024 sk-loading-indicator-bar-2x',
    'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx or sk-your-key-goes-here-0000 or xoxb-your-token-here',
    'run 0190a5f2-7c3e-7abc-8def-0123456789ab of 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    "pem.replace('-----BEGIN PRIVATE KEY-----', '').replace('-----END PRIVATE KEY-----', '')",
    'Basic information, bearer of good news, token 12 of 40, the key is under the mat2.',
  ])('leaves ordinary text alone: %s', async (text) => {
    expect(redact(text).text).toBe(text);
    expect((await redactThoroughly(text)).text).toBe(text);
  });

  test('counts, and names each kind once', () => {
    expect(redact(`${GITHUB} ${NOTION} ${GITHUB}x`)).toEqual({
      text: '[REDACTED:github-token] [REDACTED:notion-token] [REDACTED:github-token]',
      redactions: 3,
      kinds: ['github-token', 'notion-token'],
    });
  });

  test('merges what overlaps: the longest names it', () => {
    const text = `SERVICE_TOKEN="${GITHUB}"`;
    expect(find(text)).toEqual([{ kind: 'github-token', start: 15, end: 15 + GITHUB.length }]);
  });
});

describe('the configured values', () => {
  const secret = 'Zürich: "mountain" & lake/7';
  const known = createRedactor({ secrets: () => [secret, 'postgres', 'postgres://ada:gr33n+hill@db.example/x'] });
  const longer = Buffer.from(`xx${secret}yy`).toString('base64');

  test.each([
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ q: secret }).toString().slice(2),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(secret).toString('base64url'),
    Buffer.from(secret).toString('hex'),
    'gr33n+hill',
  ])('are found as %s', (form) => {
    const { text, kinds } = known.redact(`before ${form} after`);
    expect(text).not.toContain(form);
    expect(kinds).toEqual(['configured']);
    expect(text.startsWith('before ') && text.endsWith(' after')).toBe(true);
  });

  test('are found within the base64 of something longer', () => {
    expect(Buffer.from(known.redact(longer).text, 'base64').toString()).not.toContain('mountain');
  });

  test('are asked for each time, and a password known to everybody is an ordinary word', () => {
    const secrets = ['first-value'];
    const changing = createRedactor({ secrets: () => secrets });
    expect(changing.redact('first-value second-value').text).toBe('[REDACTED:configured] second-value');
    secrets[0] = 'second-value';
    expect(changing.redact('first-value second-value').text).toBe('first-value [REDACTED:configured]');
    expect(known.redact('postgres is a database').text).toBe('postgres is a database');
  });
});

describe('thoroughly', () => {
  test('finds what only the second opinion knows', async () => {
    const token = join('dapi', '0123456789abcdef', '0123456789abcdef');
    expect(redact(`use ${token} here`).redactions).toBe(0);
    expect(await redactThoroughly(`use ${token} here`)).toEqual({
      text: 'use [REDACTED:databricks] here',
      redactions: 1,
      kinds: ['databricks'],
    });
  });

  test('does not obey comments in the text, counts behind a byte order mark, and works past its windows', async () => {
    const token = join('dapi', 'fedcba9876543210', 'fedcba9876543210');
    const filler = 'An ordinary line of an ordinary text.\n'.repeat(20_000);
    const text = `\uFEFF// secretlint-disable\n${token}\n${filler}${token}\n${filler.trimEnd().replaceAll('\n', ' ')} ${token}`;
    const { text: hidden, redactions } = await redactThoroughly(text);
    expect(redactions).toBe(3);
    expect(hidden).toBe(text.replaceAll(token, '[REDACTED:databricks]'));
  });
});

describe('any text', () => {
  const secrets = ['known-value-1', 'ab', 'zz9zz9'];
  const redactor = createRedactor({ secrets: () => secrets });
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.string({ maxLength: 12 }) },
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom(
      ...secrets,
      GITHUB,
      NOTION,
      supabaseKey('anon'),
      supabaseKey('x').slice(0, 60),
      join('AKIA', 'IOSFODNN7QWERTYU'),
      AWS_SECRET,
      pem('\n'),
      pem('\\n').slice(0, 80),
      join('-----END ', 'PRIVATE KEY-----'),
      'password=',
      'password: "',
      'DB_PASSWORD=',
      'Hunter2xyz!',
      'postgres://ada:',
      'p4ssw0rdX',
      '@db.example',
      'Authorization: Bearer ',
      'Cookie: a=',
      '[REDACTED:',
      '[REDACTED:jwt]',
      'jwt]',
      '\\n',
      '\r\n',
      ' ',
      '_',
      '-',
      '=',
      '"',
    ),
  );
  const anyText = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));
  const numRuns = Number(process.env.RUNS ?? 500);

  test('a second time changes nothing', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const once = redactor.redact(text).text;
        expect(redactor.redact(once)).toEqual({ text: once, redactions: 0, kinds: [] });
      }),
      { numRuns },
    );
  });

  test('a second time changes nothing, thoroughly', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const once = (await redactor.redactThoroughly(text)).text;
        expect((await redactor.redactThoroughly(once)).text).toBe(once);
      }),
      { numRuns: numRuns / 5 },
    );
  });

  test('findings lie in order and apart, and all between them stays as it is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const findings = redactor.find(text);
        let rebuilt = '';
        let end = 0;
        for (const finding of findings) {
          expect(finding.start).toBeGreaterThanOrEqual(end);
          expect(finding.end).toBeGreaterThan(finding.start);
          rebuilt += `${text.slice(end, finding.start)}[REDACTED:${finding.kind}]`;
          end = finding.end;
        }
        expect(end).toBeLessThanOrEqual(text.length);
        const { text: hidden, redactions } = redactor.redact(text);
        expect(hidden).toBe(rebuilt + text.slice(end));
        expect(redactions).toBe(findings.length);
      }),
      { numRuns },
    );
  });

  test('a secret between ordinary words is found at its place', () => {
    const words = fc.array(fc.constantFrom('alpha', 'beta', 'gamma,', '(delta)', 'épsilon', '\n', '😀'), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(words, words, fc.constantFrom(GITHUB, NOTION, 'known-value-1'), (before, after, secret) => {
        const start = `${before.join(' ')} `;
        expect(redactor.find(`${start}${secret} ${after.join(' ')}`)).toMatchObject([
          { start: start.length, end: start.length + secret.length },
        ]);
      }),
      { numRuns },
    );
  });
});

describe('a hostile text', () => {
  const megabytes = Number(process.env.HOSTILE_MB ?? 0.25);
  const pieces = [
    join('-----BEGIN ', 'PRIVATE KEY-----'),
    `${join('-----BEGIN ', 'PRIVATE KEY-----')}\nA1bA1bA1bA1bA1bA1bA1b\n`,
    'a://b:',
    'postgres://u:',
    'a://b:ccccc1@',
    'eyJ.eyJ',
    'eyJ-',
    'eyJabcdefghij.',
    'key: "',
    '_authToken=',
    'passwordpassword=',
    'password=\\"',
    'a-a_',
    'sk-a1',
    join('AKIA', 'IOSFODNN7QWERTY1 '),
    'cookie: =',
    'password=aB3!dk39d ',
    'zz9zz9zz',
    '[REDACTED:',
    '[REDACTED:a]',
    ' ',
    '\\n',
  ];
  const redactor = createRedactor({ secrets: () => ['zz9zz9'] });
  const processorMs = (piece: string, length: number): number => {
    const text = piece.repeat(Math.ceil(length / piece.length));
    const started = process.cpuUsage();
    redactor.redact(text);
    return process.cpuUsage(started).user / 1_000;
  };

  // What costs the square of the length takes ten times as long already here, and hours at HOSTILE_MB=5.
  test.each(pieces)('is read in bounded time: %j', { timeout: 30_000 + megabytes * 30_000 }, (piece) => {
    expect(processorMs(piece, megabytes * 1_000_000)).toBeLessThan(1_500 + megabytes * 4_000);
  });
});
