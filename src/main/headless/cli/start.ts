import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { AppError } from '../../../shared/errors.ts';
import type { ShellAgent } from '../../api-types.ts';
import { removeEndpoint, writeEndpoint } from '../endpoint.ts';
import type { RunningServer } from '../server.ts';
import { stoppedLine } from './agent-commands.ts';
import { type Context, createContext } from './context.ts';
import { define, list, type Runner } from './define.ts';
import { displayPath, filesAndSize, took } from './format.ts';
import { makeHost } from './session.ts';
import { createWatchLines } from './start-lines.ts';

type StartOptions = { root: string[]; port?: number; progress: boolean; demo?: boolean };

export function addStart(program: Command, runner: Runner): void {
  define<StartOptions>(
    program,
    runner,
    {
      usage: 'start',
      summary: 'Start the agent: it watches your folders and captures every save',
      examples: [
        'angles start',
        'angles start --root ~/notes --root ~/projects/docs',
        'angles start --port 8080',
        'angles start --demo',
      ],
      notes:
        'Ctrl-C once stops it cleanly, twice at once. Nothing that was captured is ever lost.\nWith no folder given and none configured it makes and watches a first one in your documents.',
      options: [
        list('--root <path>', 'watch this folder too, now and at every start; may be repeated'),
        new Option('--port <n>', 'the port of the dashboard (0: any free one)').argParser(readPort),
        new Option('--demo', 'look around with sample data; all of it goes away at the end'),
        new Option('--no-progress', 'show no progress of the first capture'),
      ],
    },
    (context, _, options) => (options.demo === true ? startSample(context, options) : start(context, options)),
  );
}

/** A vault of its own with sample data, in a temporary folder, whatever the environment names. */
async function startSample(context: Context, options: StartOptions): Promise<number> {
  if (options.root.length > 0)
    throw new AppError('usage.bad_argument', 'With --demo there are folders already: leave --root out.');
  const { io, parts, say } = context;
  const [{ openSamplePlace }, { fillSample }] = await Promise.all([
    import('../../sample-place.ts'),
    import('../../sample.ts'),
  ]);
  const place = openSamplePlace(io.env);
  try {
    say('Making the sample data (a few seconds)...');
    await fillSample({ place, openAgent: parts.openAgent, version: parts.version, nowMs: io.nowMs() });
    say(
      `Sample data, in ${place.folder} until this ends. For commands in another terminal: export ANGLES_HOME='${place.dataFolder}'`,
    );
    const inside = createContext(
      { ...io, env: place.environment },
      { ...parts, dataFolder: place.dataFolder },
      context.global,
    );
    return await start(inside, options);
  } finally {
    place.remove();
  }
}

function readPort(value: string): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535)
    throw new AppError('usage.bad_argument', `"${value}" is not a port.`);
  return Number(value);
}

/** Runs the agent until it is asked to stop; resolves when everything is closed. */
async function start(context: Context, options: StartOptions): Promise<number> {
  const { io, parts } = context;
  const folders = options.root.map((path) => requireFolder(resolve(io.cwd, path)));
  const host = { ...makeHost(io, parts, 'headless'), isSample: options.demo === true };
  const agent = await parts.openAgent(host, 'running');
  const stopWish = listenForStop(context, agent);
  const lines = createWatchLines(context, agent.api, options.progress);
  const log = agent.log.component('agent');
  const stopBugs = io.onBug((error) =>
    log.error('unexpected error', { error: String((error as Error).stack ?? error) }),
  );
  let server: RunningServer | null = null;
  try {
    server = await serve(context, agent, options.port ?? agent.settings().dashboard.port);
    const beganMs = io.nowMs();
    const starting = addFolders(agent, folders).then(() => agent.start());
    // The first folder is made before the first wait of `start`, so the lines below can name it.
    await Promise.race([starting, new Promise(setImmediate)]);
    sayStarted(context, agent, server, folders);
    const stopped = await Promise.race([starting.then(() => false), stopWish.wanted.then(() => true)]);
    if (!stopped) await sayReady(context, agent, io.nowMs() - beganMs, lines.endProgress);
    else starting.catch(() => undefined);
    await stopWish.wanted;
    lines.endProgress();
    context.say('Stopping. Press Ctrl-C again to stop at once.');
  } finally {
    lines.close();
    await stop(context, agent, server);
    stopBugs();
    stopWish.close();
  }
  return 0;
}

/** Throws `root.missing` or `root.not_a_directory`. */
export function requireFolder(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new AppError('root.missing', `${path} does not exist.`);
  if (!stats.isDirectory()) throw new AppError('root.not_a_directory', `${path} is not a folder.`);
  return path;
}

/** Watches a folder; one that is watched already is what was asked for. */
export async function watchFolder(add: (input: { path: string }) => Promise<unknown>, path: string): Promise<void> {
  try {
    await add({ path });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'root.duplicate') throw error;
  }
}

async function addFolders(agent: ShellAgent, folders: readonly string[]): Promise<void> {
  for (const path of folders) await watchFolder(agent.api.methods['roots.add'], path);
}

async function serve(context: Context, agent: ShellAgent, port: number): Promise<RunningServer> {
  const { io, parts } = context;
  const { startServer } = await import('../server.ts');
  const server = await startServer({
    api: agent.api,
    port,
    rendererFolder: parts.rendererFolder,
    log: agent.log.component('server'),
    version: parts.version,
    nowMs: io.nowMs,
  });
  agent.setDashboardUrl(server.url);
  agent.setLinkMaker(server.makeLink);
  writeEndpoint(parts.dataFolder, {
    pid: process.pid,
    url: server.url,
    token: server.token,
    version: parts.version,
    startedAtMs: io.nowMs(),
  });
  return server;
}

async function stop(context: Context, agent: ShellAgent, server: RunningServer | null): Promise<void> {
  if (server !== null) removeEndpoint(context.parts.dataFolder);
  const status = await agent.api.methods['agent.status']({}).catch(() => null);
  await server?.close();
  await agent.stop();
  if (status === null) return;
  const queued = status.outbox.reduce((sum, one) => sum + one.pending + one.leased + one.parked, 0);
  context.say(stoppedLine(queued, status));
}

type StopWish = { readonly wanted: Promise<void>; readonly close: () => void };

/** The first signal, or a call of `agent.stop`, asks for a clean stop; the second signal ends the process at once. */
function listenForStop({ io, say }: Context, agent: ShellAgent): StopWish {
  let signals = 0;
  let wish = (): void => undefined;
  const wanted = new Promise<void>((resolve) => {
    wish = resolve;
  });
  agent.onStopRequested(() => wish());
  const close = io.onSignal(() => {
    signals += 1;
    wish();
    if (signals < 2) return;
    say('Stopped at once. Everything that was captured is durable.');
    io.exitNow(130);
  });
  return { wanted, close };
}

function sayStarted(context: Context, agent: ShellAgent, server: RunningServer, folders: readonly string[]): void {
  const { parts, style } = context;
  const created = agent.describeStart().createdFirstRoot;
  const link = server.makeLink();
  const watched = [...new Set([...agent.settings().roots.map((root) => root.path), ...folders])];
  if (server.portInUse !== null)
    context.say(`Port ${server.portInUse} is in use: the dashboard has port ${server.port}.`);
  const document = {
    pid: process.pid,
    dataFolder: parts.dataFolder,
    url: server.url,
    link,
    roots: watched,
    createdFirstRoot: created,
  };
  context.answer(document, () => [
    style.bold(`Angles ${parts.version} is running.`),
    `${style.dim('Vault     ')} ${displayPath(parts.dataFolder)}`,
    ...watched.map(
      (path, index) =>
        `${style.dim(index === 0 ? 'Watching  ' : '          ')} ${displayPath(path)}${path === created ? ' (made for you, as no folder was configured)' : ''}`,
    ),
    `${style.dim('Dashboard ')} ${style.cyan(link)}`,
    `${style.dim('          ')} The link works once, within ten minutes; \`angles open\` makes another.`,
    `${style.dim('Next      ')} Save a file in a watched folder, then try \`angles history FILE\` or \`angles search WORD\`.`,
    `${style.dim('          ')} Ctrl-C stops the agent; \`angles --help\` lists the commands.`,
  ]);
}

async function sayReady(context: Context, agent: ShellAgent, tookMs: number, endProgress: () => void): Promise<void> {
  const { totals, roots } = await agent.api.methods['agent.status']({});
  endProgress();
  const held = roots.filter((root) => root.hold !== null);
  context.say(
    `Ready after ${took(tookMs)}: ${filesAndSize(totals.files, totals.sizeBytes)} captured. Every save is captured from now on.`,
  );
  for (const root of held)
    context.say(
      `${context.errStyle.yellow('Needs you:')} ${displayPath(root.path)}: ${root.reason ?? ''} ${root.fix ?? ''}`,
    );
}
