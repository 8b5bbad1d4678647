/** A real agent in this process, with a watched folder and backups that come after a second of quiet. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Agent, openAgent } from '../../src/main/agent.ts';
import type { AgentMode } from '../../src/main/api-types.ts';
import type { AgentMethods } from '../../src/shared/contract.ts';
import type { BackupStatus } from '../../src/shared/contract-backup.ts';

export type BackupAgent = {
  readonly home: string;
  readonly dataFolder: string;
  readonly root: string;
  readonly environment: Record<string, string>;
  /** Moves the wall clock that the agent sees. */
  readonly clock: { aheadMs: number };
  readonly put: (path: string, text: string | Buffer) => void;
  /** Starts an agent (again) on this data folder; the one before is stopped. */
  readonly open: (mode?: AgentMode) => Promise<Agent>;
  readonly api: () => AgentMethods;
  readonly wake: () => void;
  /** Resolves when the status is so; asks whenever the agent says that something changed. */
  readonly until: (isSo: (status: BackupStatus) => boolean) => Promise<BackupStatus>;
  readonly gitFolder: () => string;
  readonly git: (...args: string[]) => string;
  readonly stop: () => Promise<void>;
  readonly remove: () => Promise<void>;
};

export function newBackupAgent(
  settings: Record<string, unknown> = {},
  environment: Record<string, string> = {},
): BackupAgent {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'angles-service-')));
  const dataFolder = join(home, 'data');
  const root = join(home, 'notes');
  mkdirSync(dataFolder, { mode: 0o700 });
  mkdirSync(root);
  const config = {
    roots: [{ path: root }],
    watch: { quiet_ms: 20 },
    backup: { quiet_seconds: 1, ...(settings.backup as object | undefined) },
    ...Object.fromEntries(Object.entries(settings).filter(([key]) => key !== 'backup')),
  };
  writeFileSync(join(dataFolder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  const all: Record<string, string> = { HOME: home, ...environment };
  const clock = { aheadMs: 0 };
  const power: ((event: 'suspend' | 'resume') => void)[] = [];
  let agent: Agent | null = null;
  const stop = async (): Promise<void> => {
    const open = agent;
    agent = null;
    await open?.stop();
  };
  const api = (): AgentMethods => {
    if (agent === null) throw new Error('no agent runs');
    return agent.api.methods;
  };
  const gitFolder = (): string => {
    const names = readdirSync(join(dataFolder, 'backups')).filter((name) => name.endsWith('.git'));
    return join(dataFolder, 'backups', names.sort().at(-1) ?? '');
  };
  return {
    home,
    dataFolder,
    root,
    environment: all,
    clock,
    put: (path, text) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    open: async (mode = 'running') => {
      await stop();
      power.length = 0;
      agent = await openAgent(
        {
          dataFolder,
          environment: all,
          version: '0.0.0',
          shell: 'test',
          nowMs: () => Date.now() + clock.aheadMs,
          notify: () => undefined,
          onPower: (listener) => {
            power.push(listener);
            return () => undefined;
          },
        },
        mode,
      );
      await agent.start();
      return agent;
    },
    api,
    wake: () => {
      for (const listener of power) listener('resume');
    },
    until: (isSo) =>
      new Promise((resolve, reject) => {
        if (agent === null) throw new Error('no agent runs');
        const open = agent;
        let isAsking = false;
        let isAgain = false;
        const ask = async (): Promise<void> => {
          if (isAsking) {
            isAgain = true;
            return;
          }
          isAsking = true;
          const status = await open.api.methods['backups.status']({});
          isAsking = false;
          if (isSo(status)) {
            end();
            resolve(status);
          } else if (isAgain) {
            isAgain = false;
            await ask();
          }
        };
        const unsubscribe = open.api.subscribe(() => void ask().catch(fail));
        const end = (): void => unsubscribe();
        const fail = (cause: unknown): void => {
          end();
          reject(cause);
        };
        ask().catch(fail);
      }),
    gitFolder,
    git: (...args) => execFileSync('git', ['--git-dir', gitFolder(), ...args], { encoding: 'utf8' }).trim(),
    stop,
    remove: async () => {
      await stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
