/**
 * An agent runs for months beside other programs, so it gives memory back. Two defaults keep it: V8's young generation
 * grows to 48 MB, and glibc raises its threshold for returning memory with each large block that is freed, up to 64 MB
 * (mallopt(3), "dynamic mmap threshold"). Both can only be set before a process starts. Lower than this costs time:
 * below the 300 kB that zstd works in, each use of it took its memory from the system and gave it back (measured:
 * twice the processor time).
 */
const NODE_FLAGS = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'];
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_TRIM_THRESHOLD_: '2097152' };
const MARK = 'ANGLES_LEAN';
/** Commands that do more than ask. */
export const LEAN_COMMANDS: readonly (string | undefined)[] = ['start', 'scan'];

/**
 * Starts this process anew with those settings, in its place: same process id, same terminal. Does nothing where the
 * system or Node cannot do that (then the agent only takes more memory), or when it was done already.
 * @param entry the file that Node runs
 */
export function becomeLean(entry: string, argv: readonly string[]): void {
  if (process.platform !== 'linux' || process.env[MARK] !== undefined || typeof process.execve !== 'function') return;
  const environment: Record<string, string> = { ...MALLOC, [MARK]: '1' };
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) environment[name] = value;
  process.execve(process.execPath, [process.execPath, ...NODE_FLAGS, entry, ...argv], environment);
}
