/** `npm run demo` as a person starts it in a terminal: a decision goes both ways, and nothing is left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { angles, endOf } from '../support/daemon.ts';
import { needs } from '../support/needs.ts';
import { NODE } from '../support/strace.ts';
import { until } from '../support/sync-whole.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'angles-dt-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Demo = { readonly child: ChildProcess; readonly output: () => string; readonly type: (line: string) => void };

function startDemo(name: string, path = process.env.PATH ?? ''): Demo {
  const temporary = join(folder, name);
  mkdirSync(temporary);
  const child = spawn(NODE, [join(ROOT, 'scripts/demo.mjs')], {
    cwd: ROOT,
    env: { PATH: path, HOME: temporary, TMPDIR: temporary },
    // A group of its own, as a terminal makes one: Ctrl-C goes to all of it.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece: Buffer) => {
      output += piece.toString();
    });
  return { child, output: () => output, type: (line) => void child.stdin.write(`${line}\n`) };
}

/** Processes whose command line names this folder. */
const processesIn = (name: string): string[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(join(folder, name)) ? [line] : [];
      } catch {
        return [];
      }
    });

test('a decision goes both ways, and Ctrl-C leaves nothing behind', needs('postgres and postgrest'), async () => {
  const { child, output, type } = startDemo('whole');
  const ended = endOf(child);
  const says = (pattern: RegExp): Promise<RegExpExecArray> => until(() => pattern.exec(output()), 60_000);
  try {
    const [, link = ''] = await says(/^Dashboard\s+(http:\/\/127\.0\.0\.1:\d+\/open\/\S+)/m);
    const page = await fetch(link, { redirect: 'manual' });
    expect(page.status).toBeLessThan(400);
    const [, home = ''] = await says(/ANGLES_HOME='([^']+)'/);
    type('s Decided in Supabase');
    await says(/Edited in Supabase: "Decided in Supabase"\.\nAll three say so/);
    type('n Decided in Notion');
    await says(/Edited in Notion: "Decided in Notion"\.\nAll three say so/);
    type('a Decided here');
    await says(/Edited in the vault: "Decided here"\.\nAll three say so/);
    type('c');
    await says(/Kept: here ".*", in Supabase ".*"\./);
    const place = { dataFolder: home, root: '', home: dirname(home), services: {} };
    const listed = await angles(place, 'conflicts', 'list', '--json');
    expect([listed.code, JSON.parse(listed.stdout).conflicts.length]).toEqual([0, 1]);
    type('d');
    await says(/^notion {4}\S/m);
  } finally {
    process.kill(-(child.pid ?? 0), 'SIGINT');
  }
  expect([await ended, output()]).toEqual([0, expect.stringContaining('everything of the demo goes away')]);
  expect(output()).not.toMatch(/did not work|Error/);
  expect(readdirSync(join(folder, 'whole'))).toEqual([]);
  expect(processesIn('whole')).toEqual([]);
});

test('where its servers cannot run it says why, what is needed, and starts nothing', async () => {
  const { child, output } = startDemo('without', join(folder, 'no-programs'));
  expect(await endOf(child)).toBe(1);
  expect(output()).toMatch(/What to do: .*(util-linux|npm ci)/s);
  expect(readdirSync(join(folder, 'without'))).toEqual([]);
});
