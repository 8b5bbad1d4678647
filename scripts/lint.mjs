/**
 * Format and lint: `node scripts/lint.mjs` checks, `node scripts/lint.mjs --write` mends.
 * Biome's own wrapper wants the packages of every platform in the lockfile, and not every registry has them; so its
 * binary for Linux is a dependency of its own, and elsewhere npx fetches the wrapper.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = '2.6.8';
const root = join(import.meta.dirname, '..');
const binary = join(root, 'node_modules', '@biomejs', `cli-${process.platform}-${process.arch}`, 'biome');
const args = process.argv.includes('--write') ? ['check', '--write', '.'] : ['ci', '--colors=off', '.'];
const [command, first] = existsSync(binary) ? [binary, []] : ['npx', ['--yes', `@biomejs/biome@${VERSION}`]];
const { status, error } = spawnSync(command, [...first, ...args], { cwd: root, stdio: 'inherit' });
if (error) throw error;
process.exitCode = status ?? 1;
