import { join } from 'node:path';
import { z } from 'zod';
import { readSmallFile, replaceFile } from '../settings/files.ts';

const noticeState = z.object({
  /** When each notice of the last day was shown. */
  shownAtMs: z.array(z.number()).default([]),
});

const desktopState = z.object({
  /** The person was told once that closing the window does not stop the agent. */
  toldAboutClosing: z.boolean().default(false),
  bounds: z
    .object({ x: z.number().int(), y: z.number().int(), width: z.number().int(), height: z.number().int() })
    .nullable()
    .default(null),
  notices: noticeState.prefault({}),
});
export type DesktopState = z.infer<typeof desktopState>;

/** Small things that the desktop remembers: `desktop.json` in the data folder. Losing it loses nothing of the vault. */
export type StateFile = {
  readonly get: () => DesktopState;
  /** Never throws: on a full disk the program goes on with what it has in memory. */
  readonly change: (change: Partial<DesktopState>) => void;
};

export function openStateFile(dataFolder: string, onProblem: (error: unknown) => void): StateFile {
  const file = join(dataFolder, 'desktop.json');
  let state = read(file, onProblem);
  return {
    get: () => state,
    change: (change) => {
      state = { ...state, ...change };
      try {
        replaceFile(file, `${JSON.stringify(state, null, 2)}\n`);
      } catch (error) {
        onProblem(error);
      }
    },
  };
}

/** A file that cannot be understood counts as none. */
function read(file: string, onProblem: (error: unknown) => void): DesktopState {
  const none = desktopState.parse({});
  try {
    const text = readSmallFile(file);
    return text === null ? none : desktopState.parse(JSON.parse(text));
  } catch (error) {
    onProblem(error);
    return none;
  }
}
