import type { Command } from 'commander';
import type { AgentStatus } from '../../../shared/contract.ts';
import type { RootInfo } from '../../../shared/model.ts';
import type { Context } from './context.ts';
import { define, type Runner } from './define.ts';
import { ago, displayPath, filesAndSize, formatBytes, formatDuration, oneLine, plural, when } from './format.ts';
import { remoteLines } from './sync.ts';

export function addStatus(program: Command, runner: Runner): void {
  define(
    program,
    runner,
    {
      usage: 'status',
      summary: 'Show whether everything is captured, what waits and what needs you',
      examples: ['angles status', 'angles status --json'],
    },
    (context) =>
      context.withAgent(async (client) => {
        const status = await client.call('agent.status', {});
        context.answer(status, () => describeStatus(context, status));
      }),
  );
}

/** The whole state on one screen. */
function describeStatus(context: Context, status: AgentStatus): string[] {
  const { style } = context;
  const running = status.mode === 'running';
  const facts: (readonly [string, string])[] = [
    ['Vault', displayPath(status.dataFolder)],
    [
      'Captured',
      `${filesAndSize(status.totals.files, status.totals.sizeBytes)}, ${plural(status.totals.snapshots, 'version')} in ${formatBytes(status.totals.storedBytes)}`,
    ],
    [
      'Records',
      `${plural(status.totals.decisions, 'decision')}, ${plural(status.totals.memories, 'memory', 'memories')}`,
    ],
    ['Last save', ago(context, status.lastCaptureAtMs)],
    ['Waiting', waiting(status)],
    ['Remotes', remoteLines(context, status.sync)],
    ...(status.sync.conflicts === 0
      ? []
      : [['Conflicts', `${status.sync.conflicts} open (\`angles conflicts\`)`] as const]),
    ...(status.pausedUntilMs === null
      ? []
      : [['Paused', `sending and backing up rest until ${when(context, status.pausedUntilMs)}`] as const]),
    ...status.next.map(
      (next) =>
        [
          'Next',
          `${oneLine(next.what)}${next.atMs === null ? '' : ` in ${formatDuration(next.atMs - status.nowMs)}`}`,
        ] as const,
    ),
    ...(status.dashboardUrl === null
      ? []
      : [['Dashboard', `${status.dashboardUrl} (\`angles open\` signs you in)`] as const]),
  ];
  return [
    `${verdict(context, status)}${status.safety.sinceMs === null ? '' : style.dim(` (since ${when(context, status.safety.sinceMs)})`)}`,
    running
      ? style.dim(`Angles ${status.version} runs as process ${status.pid} since ${when(context, status.startedAtMs)}.`)
      : `${style.yellow('The agent is not running:')} new saves are captured at its next start. Start it with \`angles start\`.`,
    ...status.attention.flatMap((item) => [
      '',
      `${style.yellow('Needs you:')} ${oneLine(item.message)}`,
      `  ${oneLine(item.fix)}`,
    ]),
    '',
    ...(status.roots.length === 0
      ? ['No folder is watched. Add one with `angles roots add PATH`.']
      : rootTable(context, status.roots)),
    '',
    ...facts.map(([name, value]) => `${style.dim(name.padEnd(10))} ${value}`),
  ];
}

function verdict(context: Context, status: AgentStatus): string {
  const { style } = context;
  const summary = style.bold(oneLine(status.safety.summary));
  if (status.safety.verdict === 'safe') return `${style.green('Safe.')} ${summary}`;
  if (status.safety.verdict === 'working') return `${style.cyan('Working.')} ${summary}`;
  return `${style.yellow('Attention.')} ${summary}`;
}

function waiting(status: AgentStatus): string {
  const { capture, index } = status.waiting;
  if (capture === 0 && index === 0) return 'nothing';
  return [
    capture > 0 ? `${plural(capture, 'file')} to capture` : '',
    index > 0 ? `${plural(index, 'entry', 'entries')} to index` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

/** The watched folders, as `status` and `roots` show them. */
export function rootTable(context: Context, roots: readonly RootInfo[]): string[] {
  const { style } = context;
  const rows = roots.map((root) => [
    displayPath(root.path),
    root.state === 'watching' ? style.green(root.state) : style.yellow(root.state),
    String(root.files),
    formatBytes(root.sizeBytes),
    root.skipped === 0 ? '-' : String(root.skipped),
    ago(context, root.lastScanAtMs),
  ]);
  const table = context.table(
    [
      { title: 'FOLDER', cut: 'end' },
      { title: 'STATE' },
      { title: 'FILES', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'SKIPPED', align: 'right' },
      { title: 'SCANNED' },
    ],
    rows,
  );
  const reasons = roots
    .filter((root) => root.reason !== null)
    .map((root) =>
      `${style.yellow(displayPath(root.path))}: ${oneLine(root.reason ?? '')} ${oneLine(root.fix ?? '')}`.trimEnd(),
    );
  return [...table, ...reasons];
}
