/** The newest versions of the settings file, each as it was, beside the backups. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../durable.ts';

const KEPT = 10;
const NAME = /^config_\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}-\d{3}\.json$/;

/** Copies the settings file when it is not what the newest copy holds; the newest ten copies stay. */
export function keepConfigCopy(configFile: string, folder: string, nowMs: number): void {
  if (!existsSync(configFile)) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const names = readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort();
  const newest = names.at(-1);
  if (newest !== undefined && readFileSync(join(folder, newest)).equals(readFileSync(configFile))) return;
  const time = new Date(nowMs).toISOString().slice(0, 23).replace('T', '_').replace(/[:.]/g, '-');
  copyFileSync(configFile, join(folder, `config_${time}.json`));
  syncFolder(folder);
  for (const name of names.slice(0, Math.max(0, names.length + 1 - KEPT))) rmSync(join(folder, name), { force: true });
}
