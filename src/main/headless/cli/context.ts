import type { AgentClient } from '../../../shared/contract.ts';
import type { OpenAgent } from '../../api-types.ts';
import type { Connection } from '../client.ts';
import type { Io } from './io.ts';
import { type Session, withSession } from './session.ts';
import { type Style, styleFor } from './style.ts';
import { type Column, renderTable } from './table.ts';
import type { TimeContext } from './time.ts';

/** The version of every JSON document that a command prints. */
export const JSON_SCHEMA = 1;

export type GlobalOptions = {
  readonly json: boolean;
  readonly color: boolean;
  /** May a person be asked? */
  readonly input: boolean;
  /** Answers every question with yes. */
  readonly yes: boolean;
};

/** How a command reaches an agent; tests put their own in. */
export type CliParts = {
  readonly version: string;
  readonly dataFolder: string;
  readonly connect: (dataFolder: string) => Promise<Connection | null>;
  readonly openAgent: OpenAgent;
  /** The built dashboard. */
  readonly rendererFolder: string;
  /** How long a command waits for an agent that holds the data folder without answering. */
  readonly heldWaitMs: number;
};

/** What a command works with: it prints its answer through `answer`, and talks to a person through `say`. */
export type Context = {
  readonly io: Io;
  readonly parts: CliParts;
  readonly global: GlobalOptions;
  readonly style: Style;
  readonly errStyle: Style;
  /** The command's answer: one JSON document with --json, else these lines, on stdout. */
  readonly answer: (document: object, lines: () => readonly string[]) => void;
  /** A message to a person, on stderr. */
  readonly say: (line: string) => void;
  readonly table: (columns: readonly Column[], rows: readonly (readonly string[])[]) => string[];
  readonly time: (day: TimeContext['day']) => TimeContext;
  /** Runs work against the running agent, or on the vault itself when none runs. */
  readonly withAgent: <T>(work: (client: AgentClient, session: Session) => Promise<T>) => Promise<T>;
};

export function createContext(io: Io, parts: CliParts, global: GlobalOptions): Context {
  const style = styleFor(io.stdout, io.env, global.color);
  const say = (line: string): void => io.stderr.write(`${line}\n`);
  const width = io.stdout.isTTY ? io.stdout.columns : null;
  return {
    io,
    parts,
    global,
    style,
    errStyle: styleFor(io.stderr, io.env, global.color),
    answer: (document, lines) => {
      if (global.json) io.stdout.write(`${JSON.stringify({ schema: JSON_SCHEMA, ...document })}\n`);
      else for (const line of lines()) io.stdout.write(`${line}\n`);
    },
    say,
    table: (columns, rows) => {
      const [head = '', ...lines] = renderTable(columns, rows, width);
      return [style.dim(head), ...lines];
    },
    time: (day) => ({ nowMs: io.nowMs(), timeZone: io.timeZone, day }),
    withAgent: (work) => withSession({ io, parts, say }, work),
  };
}
