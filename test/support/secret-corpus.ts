/**
 * Labelled texts for the scan of what leaves the machine: secrets in the contexts people keep them in, and ordinary texts.
 * Secrets are put together at run time, so that no scanner takes this file for a leak; a seed repeats them.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from './writer-random.ts';

/** `secret` occurs in `text`, and must not in what leaves. */
export type LabelledSecret = { readonly label: string; readonly text: string; readonly secret: string };

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const DIGITS = '0123456789';
const BASE62 = LOWER + UPPER + DIGITS;
const BASE64 = `${BASE62}+/`;
const URL64 = `${BASE62}-_`;
const HEX = `${DIGITS}abcdef`;

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;

/** Many characters for one turn of the generator, which is slow. */
function draw(random: Random, alphabet: string, length: number): string {
  const bytes = createHash('shake256', { outputLength: length })
    .update(String(random.below(2 ** 40)))
    .digest();
  return Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('');
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function jwt(random: Random, payload: object): string {
  return [base64url({ alg: 'HS256', typ: 'JWT' }), base64url(payload), draw(random, URL64, 43)].join('.');
}

function supabaseKey(random: Random, role: string): string {
  return jwt(random, { iss: 'supabase', ref: draw(random, LOWER, 20), role, iat: 1_700_000_000, exp: 2_000_000_000 });
}

function pem(random: Random, kind: string, length: number, lineBreak: string): string {
  const body = `MII${draw(random, BASE64, length)}`.match(/.{1,64}/g) ?? [];
  const dashes = '-'.repeat(5);
  return [`${dashes}BEGIN ${kind}${dashes}`, ...body, `${dashes}END ${kind}${dashes}`].join(lineBreak);
}

/** A password as people choose it: words, digits, a sign. */
function humanPassword(random: Random): string {
  const word = pick(random, ['Sommer', 'hunter', 'Liverpool', 'dragon', 'BlueSky', 'kaffee', 'Marie', 'trustno']);
  const end = pick(random, ['!', '#', '$', '', '?']);
  return `${word}${pick(random, ['', '_', '-', '.'])}${1 + random.below(9)}${random.below(10_000)}${end}`;
}

function generatedPassword(random: Random): string {
  const signs = '!#$%*+-.=?^_~';
  return `${draw(random, BASE62 + signs, 10 + random.below(12))}${draw(random, DIGITS, 1)}${draw(random, LOWER, 1)}`;
}

/** Tokens that are recognised wherever they stand. */
const TOKENS: Readonly<Record<string, (random: Random) => string>> = {
  'supabase secret': (r) => `sb_${'secret'}_${draw(r, URL64, 22)}_${draw(r, BASE62, 8)}`,
  'supabase access': (r) => `sbp${'_'}${draw(r, HEX, 40)}`,
  'supabase service role': (r) => supabaseKey(r, 'service_role'),
  'supabase anon': (r) => supabaseKey(r, 'anon'),
  notion: (r) => `ntn${'_'}${draw(r, DIGITS, 11)}${draw(r, BASE62, 35)}`,
  'notion, old': (r) => `secret${'_'}${draw(r, BASE62, 43)}`,
  openai: (r) => `sk${'-'}${draw(r, BASE62, 20)}T3BlbkFJ${draw(r, BASE62, 20)}`,
  'openai project': (r) => `sk${'-proj-'}${draw(r, URL64, 74)}T3BlbkFJ${draw(r, URL64, 74)}A`,
  'openai service account': (r) => `sk${'-svcacct-'}${draw(r, URL64, 60)}B`,
  anthropic: (r) => `sk${'-ant-'}api03-${draw(r, URL64, 93)}AA`,
  'github classic': (r) => `ghp${'_'}${draw(r, BASE62, 36)}`,
  'github oauth': (r) => `gho${'_'}${draw(r, BASE62, 36)}`,
  'github server': (r) => `ghs${'_'}${draw(r, BASE62, 36)}`,
  'github fine-grained': (r) => `github${'_pat_'}11${draw(r, UPPER + DIGITS, 20)}_${draw(r, BASE62, 59)}`,
  gitlab: (r) => `glpat${'-'}${draw(r, URL64, 19)}x`,
  'aws key id': (r) => `AKIA${draw(r, `${UPPER}234567`, 15)}7`,
  'aws session id': (r) => `ASIA${draw(r, `${UPPER}234567`, 15)}3`,
  google: (r) => `AIza${draw(r, URL64, 34)}c`,
  'slack bot': (r) => `xoxb${'-'}${draw(r, DIGITS, 12)}-${draw(r, DIGITS, 12)}-${draw(r, BASE62, 24)}`,
  'slack user': (r) =>
    `xoxp${'-'}${draw(r, DIGITS, 11)}-${draw(r, DIGITS, 11)}-${draw(r, DIGITS, 12)}-${draw(r, HEX, 32)}`,
  'slack app': (r) => `xapp${'-1-'}A${draw(r, UPPER + DIGITS, 10)}-${draw(r, DIGITS, 13)}-${draw(r, HEX, 64)}`,
  'stripe live': (r) => `sk${'_live_'}${draw(r, BASE62, 24)}`,
  'stripe restricted': (r) => `rk${'_live_'}${draw(r, BASE62, 24)}`,
  npm: (r) => `npm${'_'}${draw(r, BASE62, 36)}`,
  pypi: (r) => `pypi${'-'}AgEIcHlwaS5vcmc${draw(r, URL64, 120)}A`,
  'hugging face': (r) => `hf${'_'}${draw(r, LOWER + UPPER, 34)}`,
  sendgrid: (r) => `SG${'.'}${draw(r, URL64, 22)}.${draw(r, URL64, 42)}k`,
  jwt: (r) => jwt(r, { sub: draw(r, DIGITS, 10), name: 'Ada', admin: true }),
};

/** How a token stands in a text; `@` is its place. */
const TOKEN_PLACES: readonly string[] = [
  '@',
  'The key of the test account is @.\n',
  '# Setup\n\n1. Open the page\n2. Paste `@` into the field\n3. Save\n',
  'export SERVICE_KEY="@"\nexport REGION=eu-central-1\n',
  'SERVICE_KEY=@\r\nREGION=eu-central-1\r\n',
  '{"name":"ada","credentials":{"value":"@"},"ok":true}',
  "const client = createClient(url, '@', { retries: 3 });\n",
  'curl -H "Authorization: Bearer @" https://api.example.com/v1/items?limit=10',
  'service:\n  key: @\n  region: eu\n',
  '2026-11-20T10:00:00Z ERROR request failed: invalid key "@" (401)\n',
  '"log": "line one\\n@\\nline three"',
  'https://api.example.com/v1/items?limit=10&access=@&page=2',
  '<add name="Service" value="@" />',
  '| service | key |\n| --- | --- |\n| mail | @ |\n',
  'user: my key (@) does not work\nassistant: never paste keys into a chat.\n',
  'redirect=https%3A%2F%2Fexample.com%2F%3Fk%3D@%26x%3D1',
];

type Maker = (random: Random) => { readonly secret: string; readonly text: string };

const at = (secret: string, place: string): { secret: string; text: string } => ({
  secret,
  text: place.split('@@').join(secret),
});

/** Secrets that only their context tells. */
const IN_CONTEXT: Readonly<Record<string, Maker>> = {
  'password in .env': (r) =>
    at(
      pick(r, [humanPassword, generatedPassword])(r),
      `${pick(r, ['DB_PASSWORD', 'SMTP_PASSWORD', 'PGPASSWORD', 'ADMIN_PASSWD'])}=@@\nPORT=5432\n`,
    ),
  'quoted password in .env': (r) => at(generatedPassword(r), 'SMTP_PASSWORD="@@"\nSMTP_PORT=587\n'),
  'words as a password in .env': (r) =>
    at(Array.from({ length: 4 }, () => draw(r, LOWER, 4 + r.below(4))).join('-'), 'BACKUP_PASSPHRASE=@@\n'),
  'password in YAML': (r) =>
    at(pick(r, [humanPassword, generatedPassword])(r), 'database:\n  user: ada\n  password: "@@"\n  port: 5432\n'),
  'bare password in YAML': (r) => at(humanPassword(r), 'database:\n  user: ada\n  password: @@\n  port: 5432\n'),
  'password in JSON': (r) => at(generatedPassword(r), '{"host":"db.example.com","user":"ada","password":"@@"}'),
  'password in escaped JSON': (r) => at(humanPassword(r), '"body": "{\\"user\\":\\"ada\\",\\"password\\":\\"@@\\"}"'),
  'password in TypeScript': (r) => at(humanPassword(r), "await login({ user: 'ada', password: '@@' });\n"),
  'password in Python': (r) => at(generatedPassword(r), "conn = connect(user='ada', passwd='@@', db='vault')\n"),
  'password in INI': (r) => at(humanPassword(r), '[mail]\nuser = ada\npassword = @@\n'),
  'password in XML': (r) =>
    at(humanPassword(r), '<server>\n  <username>ada</username>\n  <password>@@</password>\n</server>\n'),
  'password in ADO': (r) =>
    at(`${draw(r, BASE62, 14)}7x`, 'Server=tcp:db.example.com;User ID=ada;Password=@@;Encrypt=True;'),
  'password as an argument': (r) => at(`${draw(r, BASE62, 16)}4k`, 'restore --user ada --password @@ --verbose'),
  'password in prose': (r) =>
    at(
      `${pick(r, ['Quartz', 'Nebel', 'Raven'])}${draw(r, DIGITS, 3)}!${draw(r, LOWER, 3)}`,
      'For the staging server the password is @@ and the user is ada.\n',
    ),
  'password in SQL': (r) => at(generatedPassword(r), "CREATE ROLE ada LOGIN PASSWORD '@@';\n"),
  'curl user': (r) => at(`${draw(r, BASE62, 12)}8q`, 'curl -u ada:@@ https://example.com/feed\n'),
  'API key in YAML': (r) => at(draw(r, HEX, 32), 'weather:\n  api_key: @@\n  city: Oslo\n'),
  'API key in camel case': (r) => at(draw(r, BASE62, 32), "export const settings = { apiKey: '@@', region: 'eu' };\n"),
  'API key in an address': (r) =>
    at(draw(r, BASE62, 32), 'GET https://api.example.com/v2/weather?city=Oslo&api_key=@@&units=metric\n'),
  'client secret': (r) => at(draw(r, URL64, 40), '{"client_id":"app-17","client_secret":"@@","redirect":"/cb"}'),
  'token in TOML': (r) => at(draw(r, BASE62, 40), '[registry]\ntoken = "@@"\nindex = "https://example.com/index"\n'),
  'bearer of no known kind': (r) => at(draw(r, URL64, 48), 'Authorization: Bearer @@\r\nAccept: */*\r\n'),
  'secret key of Django': (r) => at(draw(r, `${BASE62}#%&*-_=+`, 50), "DEBUG = False\nSECRET_KEY = '@@'\n"),
  'secret key base': (r) => at(draw(r, HEX, 128), 'production:\n  secret_key_base: @@\n'),
  'encryption key in .env': (r) => at(`${draw(r, BASE64, 43)}=`, 'ENCRYPTION_KEY=@@\nNODE_ENV=production\n'),
  'npmrc token': (r) => at(draw(r, HEX, 36), '//registry.example.com/:_authToken=@@\n'),
  'Kubernetes variable': (r) =>
    at(generatedPassword(r), 'env:\n  - name: DB_PASSWORD\n    value: "@@"\n  - name: PORT\n    value: "5432"\n'),
  'aws secret in a profile': (r) =>
    at(draw(r, BASE64, 40), `[default]\naws_access_key_id = AKIA${draw(r, UPPER, 15)}4\naws_secret_access_key = @@\n`),
  'aws secret as a variable': (r) => at(draw(r, BASE62, 40), 'export AWS_SECRET_ACCESS_KEY=@@\n'),
  'aws secret in a table': (r) => at(draw(r, BASE64, 40), `Access key,Secret\nAKIA${draw(r, UPPER, 15)}5,@@\n`),
  'postgres address': (r) =>
    at(
      draw(r, BASE62, 20),
      `DATABASE_URL=postgresql://postgres:@@@db.${draw(r, LOWER, 20)}.supabase.co:5432/postgres\n`,
    ),
  'pooler address': (r) =>
    at(
      humanPassword(r).replace(/[#?]/g, ''),
      `"postgres://postgres.${draw(r, LOWER, 20)}:@@@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?sslmode=require"`,
    ),
  'mysql address': (r) => at(humanPassword(r).replace(/[#?]/g, ''), 'mysql://ada:@@@localhost:3306/shop\n'),
  'mongodb address': (r) =>
    at(draw(r, BASE62, 16), 'mongodb+srv://ada:@@@cluster0.ab12c.mongodb.net/?retryWrites=true\n'),
  'redis address': (r) => at(draw(r, BASE62, 32), 'REDIS_URL=redis://:@@@cache.example.com:6379/0\n'),
  'basic auth address': (r) => at(draw(r, BASE62, 14), 'git clone https://ada:@@@git.example.com/ada/notes.git\n'),
  'token in a git remote': (r) =>
    at(
      `ghp${'_'}${draw(r, BASE62, 36)}`,
      '[remote "origin"]\n\turl = https://x-access-token:@@@github.com/ada/notes.git\n',
    ),
  'basic auth header': (r) =>
    at(Buffer.from(`ada:${generatedPassword(r)}`).toString('base64'), 'Authorization: Basic @@\nHost: example.com\n'),
  'slack webhook': (r) =>
    at(
      `T${draw(r, UPPER + DIGITS, 8)}/B${draw(r, UPPER + DIGITS, 8)}/${draw(r, BASE62, 24)}`,
      `SLACK_WEBHOOK_URL=https://${'hooks'}.slack.com/services/@@\n`,
    ),
  'discord webhook': (r) =>
    at(`${draw(r, DIGITS, 18)}/${draw(r, URL64, 67)}k`, 'https://discord.com/api/webhooks/@@\n'),
  'session cookie': (r) => at(draw(r, BASE62, 40), 'Cookie: theme=dark; sid=@@; lang=de\r\n'),
  'rsa key': (r) => at(pem(r, `RSA ${'PRIVATE'} KEY`, 1_580, '\n'), '# deploy key\n@@\n\nend\n'),
  'pkcs8 key, CRLF': (r) => at(pem(r, `${'PRIVATE'} KEY`, 1_590, '\r\n'), 'key:\r\n@@\r\n'),
  'short key': (r) => at(pem(r, `${'PRIVATE'} KEY`, 61, '\n'), 'ed25519:\n@@\n'),
  'ec key on one line': (r) =>
    at(pem(r, `EC ${'PRIVATE'} KEY`, 160, '\\n'), '{"type":"service_account","private_key":"@@\\n","id":"7"}'),
  'openssh key': (r) => at(pem(r, `OPENSSH ${'PRIVATE'} KEY`, 380, '\n'), '@@\n'),
  'indented key in YAML': (r) =>
    at(pem(r, `RSA ${'PRIVATE'} KEY`, 800, '\n    '), 'tls:\n  key: |\n    @@\n  port: 443\n'),
};

/** At least `count` texts with a secret each: every kind in turn, everywhere it can stand. */
export function labelledSecrets(random: Random, count: number): readonly LabelledSecret[] {
  const made: LabelledSecret[] = [];
  for (let round = 0; made.length < count; round += 1) {
    for (const [label, make] of Object.entries(TOKENS)) {
      for (const shift of [0, 5, 11]) {
        const place = TOKEN_PLACES[(round * 3 + made.length + shift) % TOKEN_PLACES.length] ?? '@';
        const secret = make(random);
        made.push({ label: `${label} in ${JSON.stringify(place)}`, text: place.replace('@', () => secret), secret });
      }
    }
    for (const [label, make] of Object.entries(IN_CONTEXT)) {
      for (let times = 0; times < 5; times += 1) made.push({ label, ...make(random) });
    }
  }
  return made;
}

export type OrdinaryText = { readonly label: string; readonly text: string };

const READABLE =
  /\.(?:md|markdown|txt|js|cjs|mjs|ts|cts|mts|tsx|json|ya?ml|css|html|sh|map|svg|py|c|h|cc|gyp)$|^(?:LICENSE|README|CHANGELOG)$/i;
const LONGEST = 64 * 1024;

/** Files of the packages that are installed, each cut to 64 KiB: documents, sources, settings of many authors. */
export function installedTexts(random: Random, count: number): readonly OrdinaryText[] {
  const root = join(import.meta.dirname, '..', '..', 'node_modules');
  const files = filesBelow(root).filter((path) => READABLE.test(path.slice(path.lastIndexOf('/') + 1)));
  const documents = files.filter((path) => /\.md$/i.test(path));
  const others = files.filter((path) => !/\.md$/i.test(path));
  const chosen = [...documents, ...shuffled(random, others)].slice(0, count);
  return chosen.map((path) => ({
    label: path.slice(root.length + 1),
    text: readFileSync(path, 'utf8').slice(0, LONGEST),
  }));
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
}

function shuffled<T>(random: Random, all: readonly T[]): readonly T[] {
  const mixed = [...all];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = random.below(at + 1);
    [mixed[at], mixed[other]] = [mixed[other] as T, mixed[at] as T];
  }
  return mixed;
}

const WORDS =
  'the a we decided that search index key token secret password of user login page keeps its value in memory and is never sent to server because cache session policy rotate every 90 days review plan budget meeting notes Ada Grace follow up on API access public private credentials report author basic bearer market secretary tokenizer keyboard monkey passage Bestellung Schlüssel naïve café 東京 مرحبا'.split(
    ' ',
  );

const sentence = (r: Random): string =>
  `${Array.from({ length: 6 + r.below(14) }, () => pick(r, WORDS)).join(' ')}${pick(r, ['.', '?', ':', ' -', '!'])}`;
const uuid = (r: Random): string => [8, 4, 4, 4, 12].map((length) => draw(r, HEX, length)).join('-');
const many = (r: Random, make: (random: Random) => string, separator: string): string =>
  Array.from({ length: 5 + r.below(40) }, () => make(r)).join(separator);

const ORDINARY: Readonly<Record<string, (random: Random) => string>> = {
  prose: (r) => many(r, sentence, ' '),
  markdown: (r) => `# ${sentence(r)}\n\n${many(r, (x) => `- **${pick(x, WORDS)}**: ${sentence(x)}`, '\n')}\n`,
  uuids: (r) => many(r, (x) => `${pick(x, ['id', 'run', 'key', 'session', 'request_id'])}: ${uuid(x)}`, '\n'),
  hashes: (r) => many(r, (x) => `${draw(x, HEX, pick(x, [32, 40, 64, 128]))}  ${pick(x, WORDS)}.tar.gz`, '\n'),
  'lock file': (r) =>
    `{"packages":{${many(r, (x) => `"node_modules/${draw(x, LOWER, 8)}":{"version":"${x.below(20)}.${x.below(20)}.0","resolved":"https://registry.npmjs.org/${draw(x, LOWER, 8)}/-/x-1.0.0.tgz","integrity":"sha512-${draw(x, BASE64, 86)}=="}`, ',')}}}`,
  'go sums': (r) =>
    many(
      r,
      (x) => `github.com/${draw(x, LOWER, 6)}/${draw(x, LOWER, 7)} v1.${x.below(30)}.0 h1:${draw(x, BASE64, 43)}=`,
      '\n',
    ),
  'git log': (r) =>
    many(
      r,
      (x) =>
        `commit ${draw(x, HEX, 40)}\nAuthor: Ada <ada@example.com>\nDate:   Fri Nov 20 10:00:00 2026 +0100\n\n    ${sentence(x)}\n`,
      '\n',
    ),
  diff: (r) =>
    many(
      r,
      (x) =>
        `diff --git a/x.ts b/x.ts\nindex ${draw(x, HEX, 7)}..${draw(x, HEX, 7)} 100644\n@@ -1,3 +1,3 @@\n-const token = next(stream);\n+const token = stream.next();`,
      '\n',
    ),
  image: (r) => `![shot](data:image/png;base64,iVBORw0KGgo${draw(r, BASE64, 4_000)}==)`,
  addresses: (r) =>
    many(
      r,
      (x) =>
        `https://${draw(x, LOWER, 7)}.example.com/${draw(x, LOWER, 5)}/${draw(x, HEX, 12)}?page=${x.below(99)}&sort=asc#s${x.below(9)}`,
      '\n',
    ),
  'server log': (r) =>
    many(
      r,
      (x) =>
        `2026-11-20T10:${10 + x.below(49)}:00.${100 + x.below(900)}Z INFO [worker-${x.below(9)}] request ${uuid(x)} took ${x.below(900)} ms`,
      '\n',
    ),
  table: (r) =>
    `id,name,amount,date\n${many(r, (x) => `${x.below(100_000)},${pick(x, WORDS)},${x.below(9_999)}.${10 + x.below(89)},2026-0${1 + x.below(9)}-11`, '\n')}`,
  'code with names': (r) =>
    `export type Login = { user: string; password: string; token?: Token };\nconst apiKey = process.env.API_KEY ?? '';\nconst password = await prompt('Password: ');\nif (!token) throw new Error('token is missing: set SERVICE_TOKEN');\nconst secretName = 'app-${draw(r, LOWER, 5)}';\nfor (const key of Object.keys(map)) cache.set(key, ${r.below(99)});\n`,
  'environment template': (r) =>
    `SUPABASE_URL=https://${draw(r, LOWER, 20)}.supabase.co\nSUPABASE_KEY=your-anon-key\nNOTION_API_KEY=\nOPENAI_API_KEY=sk-...\nDB_PASSWORD=<password>\nSMTP_PASSWORD=changeme\nTOKEN=\${SERVICE_TOKEN}\nPORT=5432\n`,
  'JSON records': (r) =>
    `[${many(r, (x) => `{"id":"${uuid(x)}","title":"${pick(x, WORDS)} ${pick(x, WORDS)}","tags":["token","key"],"createdAtMs":${1_700_000_000_000 + x.below(1e9)}}`, ',')}]`,
  'public keys': (r) =>
    `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${draw(r, BASE64, 43)} ada@laptop\n${'-'.repeat(5)}BEGIN CERTIFICATE${'-'.repeat(5)}\n${draw(r, BASE64, 64)}\n${'-'.repeat(5)}END CERTIFICATE${'-'.repeat(5)}\n`,
};

/** Made texts without a secret, every kind in turn. */
export function ordinaryTexts(random: Random, count: number): readonly OrdinaryText[] {
  const kinds = Object.entries(ORDINARY);
  return Array.from({ length: count }, (_, position) => {
    const [label, make] = kinds[position % kinds.length] as (typeof kinds)[number];
    return { label, text: make(random) };
  });
}
