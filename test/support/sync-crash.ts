/** A device between two services that is struck at a point, and what is looked at after it, on all three sides. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openAgent } from '../../src/main/agent.ts';
import type { MergedTable } from '../../src/main/sync/connector.ts';
import type { EditableRecord } from '../../src/shared/model.ts';
import { COMPILED } from './compiled.ts';
import { checkVault, type Problem } from './crash-check.ts';
import { type LedgerLine, sha256Of, toLedger } from './crash-ledger.ts';
import { CHANGING_CALLS, type NamedPoint, namePoint } from './crash-points.ts';
import { createSandbox, READY_WITHIN_MS, type Sandbox } from './crash-run.ts';
import { startDaemon } from './daemon.ts';
import type { Notion } from './notion/start.ts';
import { quickDisk } from './quick-disk.ts';
import { type FaultPoint, faultArgs, nodeArgs, parseTrace, run, type TraceEvent, wasKilled } from './strace.ts';
import type { LocalSupabase } from './supabase/start-supabase.ts';
import { auditVault, missingThere } from './sync-audit.ts';
import { type StepLine, syncHost } from './sync-crash-child.ts';
import { type Databases, makeDatabases, notionRemote, notionRows, supabaseRows } from './sync-real-remotes.ts';
import { differences, sideOf, sideOfRows, type WorldRow } from './sync-world.ts';

export type CrashServices = { readonly supabase: LocalSupabase; readonly notion: Notion };

const CHILD = join(import.meta.dirname, 'sync-crash-child.ts');
const TABLES: readonly MergedTable[] = ['decision_vault', 'memories'];
const FILES = { 'one.md': '# One\n', 'two.md': '# Two\n' };
const fileLines = Object.entries(FILES).map(
  ([path, text]): LedgerLine => ({ kind: 'writes', path, sha256: sha256Of(text) }),
);
const MOST_ROUNDS = 8;
/** What people write over there while the device waits. */
const BY_HAND = {
  category: 'by hand',
  title: 'Renamed in the table editor',
  row: 'A row by hand',
  page: 'A page by hand',
};

/** Its own user and its own database of Notion: devices that are struck at the same time do not meet. */
export type CrashPlace = {
  readonly sandbox: Sandbox;
  readonly services: Readonly<Record<string, string>>;
  readonly databases: Databases;
  readonly ownerId: string;
};

export async function makeCrashPlace({ supabase, notion }: CrashServices): Promise<CrashPlace> {
  const [user, databases] = [await supabase.addUser(), await makeDatabases(notion)];
  const sandbox = createSandbox(quickDisk());
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(sandbox.root, name), text);
  return {
    sandbox,
    databases,
    ownerId: user.id,
    services: {
      SUPABASE_URL: supabase.url,
      SUPABASE_KEY: supabase.keys.publishable,
      SUPABASE_EMAIL: user.email,
      SUPABASE_PASSWORD: user.password,
      NOTION_API_KEY: notion.token,
      NOTION_DATABASE_ID: databases.decision_vault.databaseId,
      NOTION_BASE_URL: notion.baseUrl,
      NOTION_PER_SECOND: '1000',
    },
  };
}

type Ran = {
  readonly killed: boolean;
  readonly failure: string | null;
  readonly lines: readonly LedgerLine[];
  readonly isEdited: boolean;
};

/** Runs the scenario under these arguments of strace; people edit when the process asks for it. */
async function runChild(services: CrashServices, place: CrashPlace, strace: readonly string[]): Promise<Ran> {
  const { sandbox } = place;
  const args = [...strace, ...nodeArgs(CHILD, [sandbox.dataFolder, sandbox.root])];
  const env = { PATH: process.env.PATH, HOME: sandbox.base, ...COMPILED, ...place.services };
  const child = spawn('strace', args, { stdio: ['pipe', 'pipe', 'pipe'], env });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  // It may be gone before it reads.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  const lines: LedgerLine[] = [...fileLines];
  let isEdited = false;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as StepLine;
    if (line.kind === 'ready') continue;
    if (line.kind !== 'asks') {
      lines.push(line);
      continue;
    }
    await editByHand(services, place, lines);
    isEdited = true;
    child.stdin.write('\n');
  }
  const end = await ended;
  const killed = wasKilled({ ...end, stdout: '', stderr: '' });
  const isDone = lines.some(({ kind }) => kind === 'done');
  const failure = killed || (end.code === 0 && isDone) ? null : `the process ended with ${end.code}: ${errors}`;
  return { killed, failure, lines, isEdited };
}

async function editByHand(services: CrashServices, place: CrashPlace, lines: readonly LedgerLine[]): Promise<void> {
  const { supabase, notion } = services;
  const [both = '', there = '', inNotion = '', trashed = '', retired = ''] = lines.flatMap((line) =>
    line.kind === 'recorded' ? [line.id] : [],
  );
  await supabase.query('UPDATE decision_vault SET category = $1 WHERE id = $2', [BY_HAND.category, both]);
  await supabase.query('UPDATE decision_vault SET title = $1 WHERE id = $2', [BY_HAND.title, there]);
  await supabase.query('UPDATE memories SET deleted_at = now() WHERE id = $1', [retired]);
  await supabase.query('INSERT INTO decision_vault (title, decision, owner_id) VALUES ($1, $2, $3)', [
    BY_HAND.row,
    'Typed.',
    place.ownerId,
  ]);
  const remote = notionRemote(notion, place.databases, null);
  const pages = await notionRows(notion, place.databases.decision_vault.dataSourceId, 'decision_vault');
  const pageOf = (id: string): string => pages.find((page) => page.id === id)?.remoteId ?? '';
  await remote.edit(pageOf(inNotion), { priority: 'high' });
  await remote.edit(pageOf(trashed), { deletedAtMs: Date.now() });
  await remote.create('decision_vault', { title: BY_HAND.page, decision: 'Typed in Notion.', priority: 'low' });
}

/** Strikes a device at one point, and says what is wrong afterwards. */
export async function proveSyncKill(
  services: CrashServices,
  point: FaultPoint,
): Promise<{ readonly reached: boolean; readonly problems: readonly Problem[] }> {
  const place = await makeCrashPlace(services);
  try {
    const { killed, failure, lines, isEdited } = await runChild(
      services,
      place,
      faultArgs(point, { signal: 'SIGKILL' }),
    );
    const problems = failure === null ? [] : [wrong(failure)];
    problems.push(...(await checkAsLeft(services, place, lines)));
    problems.push(...(await checkAfter(services, place, lines, isEdited).catch((cause: unknown) => [wrong(cause)])));
    return { reached: killed, problems };
  } finally {
    place.sandbox.remove();
  }
}

/**
 * Random kills on one folder: an agent as a process of its own is killed again and again while records are written
 * through it and people write over there; what is wrong at the end.
 */
export async function proveSyncKills(
  services: CrashServices,
  { kills, random }: { readonly kills: number; readonly random: () => number },
): Promise<{ readonly acknowledged: number; readonly problems: readonly Problem[] }> {
  const place = await makeCrashPlace(services);
  const { base, root, dataFolder } = place.sandbox;
  const daemonPlace = { dataFolder, root, home: base, services: place.services };
  const lines: LedgerLine[] = [...fileLines];
  const problems: Problem[] = [];
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const daemon = await startDaemon(daemonPlace);
      const { client } = await daemon.connect();
      const endsAtMs = performance.now() + 200 + random() * 2_500;
      for (let turn = 0; performance.now() < endsAtMs; turn += 1) {
        const title = `Record ${turn} of life ${kill}`;
        const fields = { title, decision: `Written in turn ${turn}.` };
        const { record } = await client.call('records.create', { table: 'decision_vault', fields, origin: 'cli' });
        lines.push({ kind: 'recorded', step: title, table: 'decision_vault', id: record.id, fields });
        if (turn % 3 === 0)
          await services.supabase.query(
            `UPDATE decision_vault SET category = $1 WHERE id IN
             (SELECT id FROM decision_vault WHERE owner_id = $2 ORDER BY random() LIMIT 1)`,
            [`hand ${turn}`, place.ownerId],
          );
      }
      client.close();
      await daemon.kill();
      problems.push(...(await checkAsLeft(services, place, lines)));
    }
    problems.push(...(await checkAfter(services, place, lines, false).catch((cause: unknown) => [wrong(cause)])));
    return { acknowledged: lines.length - fileLines.length, problems };
  } finally {
    place.sandbox.remove();
  }
}

const wrong = (cause: unknown): Problem => ({
  kind: 'inconsistent',
  what: cause instanceof Error ? String(cause.stack) : String(cause),
});

async function checkAsLeft(
  services: CrashServices,
  place: CrashPlace,
  lines: readonly LedgerLine[],
): Promise<Problem[]> {
  const { base, dataFolder } = place.sandbox;
  if (!existsSync(join(dataFolder, 'vault.db'))) return [{ kind: 'lost', what: 'there is no vault' }];
  const copy = join(base, 'copy');
  rmSync(copy, { recursive: true, force: true });
  cpSync(dataFolder, copy, { recursive: true });
  const { stdout } = await run('sqlite3', [join(copy, 'vault.db'), 'PRAGMA integrity_check']);
  const problems: Problem[] = stdout.trim() === 'ok' ? [] : [{ kind: 'half-written', what: `sqlite3 says ${stdout}` }];
  return [...problems, ...checkVault(copy, toLedger(lines), []), ...(await audited(services, place, copy))];
}

async function audited({ supabase, notion }: CrashServices, place: CrashPlace, dataFolder: string): Promise<Problem[]> {
  const audit = auditVault(dataFolder);
  const ids = async (table: string): Promise<Set<string>> =>
    new Set((await supabase.query(`SELECT id::text FROM ${table}`)).map(({ id }) => String(id)));
  const pages = await notionRows(notion, place.databases.decision_vault.dataSourceId, 'decision_vault');
  const there = [
    ...(await Promise.all(
      ['decision_vault', 'memories', 'file_snapshots', 'activities'].map(async (table) => ({
        remote: 'supabase',
        table,
        ids: await ids(table),
      })),
    )),
    { remote: 'notion', table: 'decision_vault', ids: new Set(pages.map(({ remoteId }) => remoteId)) },
  ];
  return [...audit.problems, ...missingThere(audit, there)].map((what) => ({ kind: 'lost', what }));
}

/** The next start, as any start is: it syncs until nothing moves, and then all sides are the same. */
async function checkAfter(
  services: CrashServices,
  place: CrashPlace,
  lines: readonly LedgerLine[],
  isEdited: boolean,
): Promise<Problem[]> {
  const { dataFolder, root } = place.sandbox;
  const problems: Problem[] = [];
  const beganMs = performance.now();
  const agent = await openAgent(syncHost(dataFolder, place.services), 'offline');
  const records = new Map<MergedTable, readonly EditableRecord[]>();
  try {
    await agent.start();
    const tookMs = performance.now() - beganMs;
    if (tookMs > READY_WITHIN_MS) problems.push(wrong(`ready after ${Math.round(tookMs)} ms`));
    const { methods } = agent.api;
    if ((await methods['roots.list']({})).roots.length === 0) await methods['roots.add']({ path: root });
    await methods['scan.run']({});
    let moved: unknown[] = ['never'];
    for (let round = 0; round < MOST_ROUNDS && moved.length > 0; round += 1) {
      const { plans } = await methods['sync.run']({});
      moved = plans.flatMap(({ remote, tables, problem, hold }) =>
        tables.length === 0 && problem === null && hold === null ? [] : [{ remote, tables, problem, hold }],
      );
    }
    if (moved.length > 0) problems.push(wrong(`it does not come to rest: ${JSON.stringify(moved)}`));
    const { conflicts } = await methods['conflicts.list']({});
    if (conflicts.length > 0) problems.push(wrong(`conflicts out of nothing: ${JSON.stringify(conflicts)}`));
    for (const table of TABLES) {
      const all: EditableRecord[] = [];
      for (let cursor: string | null = null; ; ) {
        const page = await methods['records.list']({ table, includeRetired: true, limit: 200, cursor });
        all.push(...page.records);
        if (page.next === null) break;
        cursor = page.next;
      }
      records.set(table, all);
    }
  } finally {
    await agent.stop();
  }
  if (readdirSync(dataFolder).includes('damaged')) problems.push(wrong('the crash was taken for damage'));
  problems.push(...checkVault(dataFolder, toLedger(lines), []), ...(await audited(services, place, dataFolder)));
  problems.push(...(await compareSides(services, place, records, isEdited)));
  return problems;
}

async function compareSides(
  { supabase, notion }: CrashServices,
  { databases, ownerId, sandbox }: CrashPlace,
  records: ReadonlyMap<MergedTable, readonly EditableRecord[]>,
  isEdited: boolean,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const all: WorldRow[] = [];
  for (const table of TABLES) {
    const mine = records.get(table) ?? [];
    const rows = (await supabaseRows(supabase, table)).filter(({ fields }) => fields.ownerId === ownerId);
    const pages = await notionRows(notion, databases[table].dataSourceId, table);
    all.push(...rows);
    const sides: [string, WorldRow[]][] = [['supabase', [...rows]]];
    if (table === 'decision_vault') sides.push(['notion', [...pages]]);
    const meeting = new Set(rows.map(({ id }) => id ?? ''));
    const others = sides.map(([name, found]) => [name, sideOfRows(found)] as const);
    for (const what of differences(table, sideOf(mine), others, meeting)) problems.push({ kind: 'lost', what });
    for (const [name, found] of [['here', mine.map((one) => ({ fields: one }))], ...sides] as const) {
      const titles = found.map(({ fields }) => String(fields.title));
      const twice = titles.filter((title, index) => titles.indexOf(title) !== index);
      for (const title of twice) problems.push({ kind: 'duplicated', what: `"${title}" is there twice (${name})` });
    }
  }
  if (isEdited)
    for (const value of Object.values(BY_HAND))
      if (!all.some(({ fields }) => Object.values(fields).includes(value)))
        problems.push({ kind: 'lost', what: `what somebody wrote by hand: "${value}"` });
  const versions = await supabase.query('SELECT path FROM file_snapshots WHERE owner_id = $1', [ownerId]);
  const paths = versions.map(({ path }) => String(path)).sort();
  const expected = Object.keys(FILES).filter((name) => existsSync(join(sandbox.root, name)));
  if (JSON.stringify(paths) !== JSON.stringify(expected))
    problems.push({ kind: paths.length > expected.length ? 'duplicated' : 'lost', what: `versions of ${paths}` });
  return problems;
}

/** What is written, made durable, sent and read while it syncs; one run without a fault tells. */
const CALLS = [...CHANGING_CALLS, 'writev', 'read'];

export async function syncPoints(services: CrashServices): Promise<NamedPoint[]> {
  const place = await makeCrashPlace(services);
  try {
    const output = join(place.sandbox.base, 'trace');
    const trace = ['-f', '--seccomp-bpf', '-qq', '-o', output, '-e', `trace=${CALLS.join(',')}`];
    const { failure } = await runChild(services, place, trace);
    if (failure !== null) throw new Error(failure);
    return pointsAfterReady(parseTrace(readFileSync(output, 'latin1')));
  } finally {
    place.sandbox.remove();
  }
}

/** strace counts the calls of each thread by itself, from the start of the process. */
function pointsAfterReady(events: readonly TraceEvent[]): NamedPoint[] {
  const from = events.findIndex(({ call, args }) => call === 'write' && args.includes('\\"ready\\"'));
  if (from < 0) throw new Error('the trace does not tell when the process was ready');
  const main = events[from]?.thread;
  const before = new Map<string, number>();
  const points: NamedPoint[] = [];
  for (const [index, { call, thread }] of events.entries()) {
    if (thread !== main) continue;
    const number = (before.get(call) ?? 0) + 1;
    before.set(call, number);
    if (index > from) points.push(namePoint(`${call}:${number}`));
  }
  return points;
}
