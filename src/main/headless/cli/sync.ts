import { type Command, Option } from 'commander';
import type { AgentClient, MethodOutput } from '../../../shared/contract.ts';
import type { RemoteStatus, SyncHold, SyncPlan, SyncStatus } from '../../../shared/contract-sync.ts';
import { AppError } from '../../../shared/errors.ts';
import type { Remote } from '../../../shared/model.ts';
import { REMOTES } from './choices.ts';
import type { Context } from './context.ts';
import { choice, confirm, define, type Runner, yesOption } from './define.ts';
import { ago, formatDuration, grouped, oneLine, plural } from './format.ts';

type SyncOptions = {
  dryRun?: boolean;
  only?: Remote;
  test?: boolean;
  create?: boolean;
  exportOnly?: boolean;
  accept?: boolean;
  refuse?: boolean;
};

export function addSync(program: Command, runner: Runner): void {
  define<SyncOptions>(
    program,
    runner,
    {
      usage: 'sync',
      summary: 'Send and read everything now, test the services, or decide what is held',
      examples: [
        'angles sync',
        'angles sync --dry-run',
        'angles sync --test --only notion',
        'angles sync --accept --only supabase',
      ],
      notes:
        'Exit codes: 0 everything is the same on all sides, 3 a service cannot be reached, 6 something waits for your decision.',
      options: [
        new Option('--dry-run', 'only tell what would happen'),
        choice('--only <service>', 'only this service', REMOTES),
        new Option('--test', 'test the connection step by step'),
        new Option('--create', 'with --test: create over there what is missing'),
        new Option('--export-only', 'send, and do not read'),
        new Option('--accept', 'do what is held back: the deletions and changes are meant').conflicts('refuse'),
        new Option('--refuse', "do not do it: send this vault's state instead"),
        yesOption(),
      ],
    },
    (context, _, options) =>
      context.withAgent(async (client) => {
        if (options.accept || options.refuse) return decide(context, client, options);
        if (options.test) return test(context, client, options);
        return run(context, client, options);
      }),
  );
}

async function run(context: Context, client: AgentClient, options: SyncOptions): Promise<number> {
  const stop = options.dryRun || context.global.json ? () => undefined : followProgress(context, client);
  const answer = await client
    .call('sync.run', {
      ...(options.only === undefined ? {} : { remote: options.only }),
      ...(options.dryRun ? { dryRun: true } : {}),
      ...(options.exportOnly ? { exportOnly: true } : {}),
    })
    .finally(stop);
  context.answer(answer, () => describeRun(context, answer));
  return exitCodeOfRun(answer);
}

/** Tells how much is left while it is long. */
function followProgress(context: Context, client: AgentClient): () => void {
  const timer = setInterval(() => {
    client.call('sync.status', {}).then(
      (status) => {
        for (const line of status.remotes.filter((remote) => remote.pending + remote.leased > 0).map(progressLine))
          context.say(line);
      },
      () => undefined,
    );
  }, PROGRESS_EVERY_MS);
  return () => clearInterval(timer);
}

const PROGRESS_EVERY_MS = 5_000;

function progressLine({ remote, pending, leased, perSecond, etaMs }: RemoteStatus): string {
  const rate = perSecond === 0 ? '' : `, ${perSecond}/s`;
  const eta = etaMs === null ? '' : `, about ${formatDuration(etaMs)} left`;
  return `${remote}: ${grouped(pending + leased)} to send${rate}${eta}`;
}

const pausesOf = (status: SyncStatus, remote: Remote): RemoteStatus['paused'] =>
  status.remotes.find((one) => one.remote === remote)?.paused ?? [];

export function exitCodeOfRun({ plans, status }: MethodOutput<'sync.run'>): number {
  if (plans.some((plan) => plan.hold !== null)) return 6;
  const codes = plans.flatMap((plan) => plan.problem?.exitCode ?? []);
  const [first] = codes;
  if (codes.includes(6)) return 6;
  if (first !== undefined) return first;
  if (plans.some((plan) => pausesOf(status, plan.remote).length > 0)) return 3;
  return status.conflicts > 0 ? 6 : 0;
}

function describeRun(context: Context, { plans, status, dryRun }: MethodOutput<'sync.run'>): string[] {
  if (plans.length === 0)
    return ['No service is set up: everything stays on this machine. `angles config check` names what to set.'];
  const lines = plans.flatMap((plan) => describePlan(context, plan, dryRun, pausesOf(status, plan.remote)));
  if (status.conflicts === 0) return lines;
  return [...lines, `${plural(status.conflicts, 'conflict')} wait for you: \`angles conflicts\`.`];
}

function describePlan({ style }: Context, plan: SyncPlan, dryRun: boolean, pauses: RemoteStatus['paused']): string[] {
  const name = style.bold(plan.remote);
  const [sent, taken] = dryRun ? ['to send', 'to take'] : ['sent', 'taken'];
  const tables = plan.tables.map((table) => {
    const parts = [
      table.push > 0 ? `${grouped(table.push)} ${sent}${retired(table.pushDeletes)}` : '',
      table.pull > 0 ? `${grouped(table.pull)} ${taken}${retired(table.pullDeletes)}` : '',
      table.conflicts > 0 ? plural(table.conflicts, 'conflict') : '',
      table.invalid > 0 ? `${plural(table.invalid, 'value')} that make no sense` : '',
    ].filter(Boolean);
    return `  ${table.table}: ${parts.join(', ') || 'nothing to do'}`;
  });
  const head =
    plan.problem === null
      ? tables.length === 0 && pauses.length === 0
        ? `${name}: the same on both sides.`
        : `${name}:`
      : `${name}: ${style.yellow(oneLine(plan.problem.message))}`;
  return [
    head,
    ...tables,
    ...(dryRun ? plan.sample.map((line) => style.dim(`    ${oneLine(line)}`)) : []),
    ...(plan.problem === null ? [] : [`  ${oneLine(plan.problem.fix)}`]),
    ...pauses.flatMap(({ table, reason, fix }) => [
      `  ${table} pauses: ${style.yellow(oneLine(reason))}`,
      `    ${oneLine(fix)}`,
    ]),
    ...(plan.hold === null ? [] : describeHold(plan.hold)),
  ];
}

const retired = (count: number): string => (count === 0 ? '' : ` (${grouped(count)} of them retired)`);

function describeHold(hold: SyncHold): string[] {
  const words: Readonly<Record<SyncHold['kind'], string>> = {
    replaced: 'The service holds another database than before, or an older state of it.',
    pull: `Held: ${grouped(hold.deletes)} records would be retired and ${grouped(hold.overwrites)} overwritten here, of ${grouped(hold.total)}.`,
    push: `Held: ${grouped(hold.deletes)} records would be retired over there, of ${grouped(hold.total)}.`,
  };
  return [
    `  ${words[hold.kind]}`,
    ...hold.sample.slice(0, 5).map((line) => `    ${oneLine(line)}`),
    '  Decide with `angles sync --accept` or `angles sync --refuse`.',
  ];
}

async function test(context: Context, client: AgentClient, options: SyncOptions): Promise<number> {
  const only = options.only === undefined ? {} : { remote: options.only };
  let answer = await client.call('sync.test', only);
  if (options.create) {
    const mendable = answer.remotes.filter((one) => one.steps.some((step) => step.canPrepare));
    for (const { remote } of mendable) await create(context, client, remote);
    if (mendable.length > 0) answer = await client.call('sync.test', only);
  }
  context.answer(answer, () =>
    answer.remotes.flatMap(({ remote, configured, steps }) => [
      context.style.bold(remote),
      ...(configured
        ? steps.flatMap((step) => describeStep(context, step))
        : ['  Off: `angles config check` names what to set.']),
    ]),
  );
  const failed = answer.remotes.some(({ steps }) => steps.some((step) => step.verdict === 'failed'));
  return failed ? 3 : 0;
}

async function create(context: Context, client: AgentClient, remote: Remote): Promise<void> {
  const { steps } = await client.call('sync.prepare', { remote, apply: false });
  if (steps.length === 0) return;
  for (const step of steps) context.say(`${remote}: ${oneLine(step)}`);
  if (await confirm(context, `Do this in ${remote}?`)) await client.call('sync.prepare', { remote, apply: true });
}

type Step = MethodOutput<'sync.test'>['remotes'][number]['steps'][number];

function describeStep({ style }: Context, step: Step): string[] {
  const marks = {
    ok: style.green('ok'),
    failed: style.red('failed'),
    warning: style.yellow('warning'),
    skipped: style.dim('skipped'),
  };
  return [
    `  ${marks[step.verdict]} ${oneLine(step.title)}: ${oneLine(step.detail)}`,
    ...(step.fix === null ? [] : [`     ${oneLine(step.fix)}`]),
    ...(step.canPrepare ? ['     `angles sync --test --create` does it.'] : []),
  ];
}

async function decide(context: Context, client: AgentClient, options: SyncOptions): Promise<number> {
  const status = await client.call('sync.status', {});
  const held = status.remotes.filter(
    (one) => one.hold !== null && (options.only === undefined || one.remote === options.only),
  );
  if (held.length === 0)
    throw new AppError('not_found.entry', 'Nothing is held.', { hint: 'Nothing needs to be done.' });
  const decision = options.accept ? 'accept' : 'refuse';
  const decided: RemoteStatus[] = [];
  for (const { remote, hold } of held) {
    if (hold === null) continue;
    for (const line of describeHold(hold).slice(0, -1)) context.say(`${remote}:${line}`);
    const question = decision === 'accept' ? `Do it in ${remote}?` : `Send this vault's state to ${remote} instead?`;
    if (!(await confirm(context, question))) {
      context.say('Nothing was changed.');
      return 1;
    }
    decided.push((await client.call('sync.decide', { remote, decision })).status);
  }
  context.answer({ remotes: decided }, () => decided.map((one) => remoteLine(context, one)));
  return decided.some((one) => one.hold !== null) ? 6 : 0;
}

/** One line of a remote's state, as `status` shows it. */
export function remoteLine(context: Context, remote: RemoteStatus): string {
  const { style } = context;
  const waits = remote.pending + remote.leased;
  const words: Readonly<Record<RemoteStatus['state'], string>> = {
    ok: style.green('ok'),
    syncing: style.cyan(waits === 0 ? 'syncing' : `syncing, ${grouped(waits)} left`),
    offline: style.yellow(`offline, ${grouped(waits)} waiting`),
    needs_you: style.yellow('needs you'),
    off: 'off',
  };
  const parts = [
    words[remote.state],
    remote.parked > 0 ? `${grouped(remote.parked)} set aside` : '',
    remote.lastSuccessAtMs === null ? '' : `last success ${ago(context, remote.lastSuccessAtMs)}`,
  ];
  const reason = remote.reason === null || remote.state === 'off' ? '' : `. ${oneLine(remote.reason)}`;
  return `${remote.remote}: ${parts.filter(Boolean).join(', ')}${reason}`;
}

export function remoteLines(context: Context, { remotes }: SyncStatus): string {
  const configured = remotes.filter((remote) => remote.configured);
  if (configured.length === 0) return 'none configured; everything stays on this machine';
  return configured.map((remote) => remoteLine(context, remote)).join('; ');
}
