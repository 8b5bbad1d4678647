import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { displayPath } from '../../shared/display.ts';
import type { LogLevel, LogRecord } from '../../shared/model.ts';
import { createDiskSink } from './disk-sink.ts';
import { listLogFiles } from './line-file.ts';
import { hideText, type Plain, toPlain } from './plain.ts';
import { createRedactor } from './redact.ts';
import { isoTime, type LogLimits, planTidy } from './rotation.ts';
import { runTidy } from './tidy.ts';

/** A record as it leaves the log: redacted, its message one line without control characters. */
export type LogEntry = Omit<LogRecord, 'seq'>;
export type LogData = Readonly<Record<string, unknown>>;

type Write = (message: string, data?: LogData) => void;

/** Writes records of one component. No call throws, whatever is in `data`; secrets in it are hidden. */
export type Logger = {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  /** A logger whose records share a new run id, for one piece of work. */
  readonly run: (name: string) => RunLogger;
};

export type RunLogger = Logger & {
  readonly runId: string;
  /** Ends the work: one record with its duration. */
  readonly done: (message?: string, data?: LogData, level?: LogLevel) => void;
};

export type Log = {
  readonly component: (name: string) => Logger;
  /** Hides this exact value from now on, and its base64, URL-encoded, JSON-escaped and hex forms. */
  readonly addSecret: (value: string) => void;
  readonly setLevel: (level: LogLevel) => void;
  readonly setLimits: (limits: LogLimits) => void;
  /** Compresses and deletes old log files. Call at start and daily; safe to repeat; never rejects. */
  readonly tidy: () => Promise<void>;
  /** What the disk could not take, in all: for the health check. */
  readonly stats: () => LogStats;
  /** The newest records (at most 200), also those that the disk did not take. */
  readonly newest: () => readonly LogEntry[];
  readonly close: () => void;
};

export type LogStats = {
  /** Why nothing can be written now; null when all is well. */
  readonly failing: string | null;
  /** Records that never reached the disk. */
  readonly dropped: number;
};

export type LogOptions = {
  /** Created with mode 0700 when it does not exist. */
  readonly folder: string;
  readonly level: LogLevel;
  readonly limits: LogLimits;
  readonly nowMs: () => number;
  /** Gets each record, redacted, in the same tick. */
  readonly onRecord: (entry: LogEntry) => void;
  /** For durations: a clock that never jumps. */
  readonly monotonicMs?: () => number;
  readonly randomId?: () => string;
};

const NEWEST = 200;
const LONGEST_MESSAGE = 8_192;
const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

type Extra = { readonly runId: string | null; readonly durationMs: number | null };
const NO_RUN: Extra = { runId: null, durationMs: null };

/**
 * The log: JSON lines in `folder/angles.log`, one record a line, written before the call returns.
 * A disk that cannot be written never stops the caller: see {@link LogStats}.
 */
export function createLog(options: LogOptions): Log {
  const { nowMs, monotonicMs = () => performance.now(), randomId = () => randomBytes(5).toString('hex') } = options;
  const redactor = createRedactor();
  const sink = createDiskSink(options.folder, options.limits, createRenderer());
  const newest: LogEntry[] = [];
  let { level: lowest, limits } = options;

  const emit = (component: string, level: LogLevel, message: string, data: unknown, extra: Extra): void => {
    if (RANK[level] < RANK[lowest]) return;
    const oneLine = (text: string, longest: number): string => displayPath(hideText(text, redactor.text, longest));
    const entry: LogEntry = {
      timeMs: Math.trunc(nowMs()),
      level,
      component: oneLine(component, 100),
      message: oneLine(String(message), LONGEST_MESSAGE),
      runId: extra.runId === null ? null : oneLine(extra.runId, 100),
      durationMs: extra.durationMs,
      data: dataFields(toPlain(data ?? {}, redactor.text)),
    };
    newest.push(entry);
    if (newest.length > NEWEST) newest.shift();
    sink.write(entry);
    options.onRecord(entry);
  };

  const logger = (component: string, extra: Extra): Logger => ({
    debug: (message, data) => emit(component, 'debug', message, data, extra),
    info: (message, data) => emit(component, 'info', message, data, extra),
    warn: (message, data) => emit(component, 'warn', message, data, extra),
    error: (message, data) => emit(component, 'error', message, data, extra),
    run: (name) => {
      const runId = `${name}-${randomId()}`;
      const startedMs = monotonicMs();
      const done: RunLogger['done'] = (message = `${name} done`, data, level = 'info') => {
        const durationMs = Math.round((monotonicMs() - startedMs) * 10) / 10;
        emit(component, level, message, data, { runId, durationMs });
      };
      return { ...logger(component, { runId, durationMs: null }), runId, done };
    },
  });

  const tidy = async (): Promise<void> => {
    try {
      const done = await runTidy(options.folder, planTidy(listLogFiles(options.folder), nowMs(), limits));
      if (done.deleted + done.compressed > 0) emit('log', 'info', 'Old log files were tidied.', done, NO_RUN);
      else if (done.failed.length > 0) emit('log', 'warn', 'Old log files could not be tidied.', done, NO_RUN);
    } catch (error) {
      emit('log', 'warn', 'The log folder could not be read.', { error }, NO_RUN);
    }
  };

  return {
    component: (name) => logger(name, NO_RUN),
    addSecret: redactor.addSecret,
    setLevel: (level) => {
      lowest = level;
    },
    setLimits: (next) => {
      limits = next;
      sink.setLimits(next);
    },
    tidy,
    stats: sink.stats,
    newest: () => [...newest],
    close: sink.close,
  };
}

function dataFields(plain: Plain): LogEntry['data'] {
  return typeof plain === 'object' && plain !== null && !Array.isArray(plain) ? { ...plain } : { value: plain };
}

/** Turns entries into lines by pino, which only formats here: the line goes where we put it, in this thread. */
function createRenderer(): (entry: LogEntry) => string {
  let line = '';
  let timeMs = 0;
  const formatter = pino(
    {
      level: 'debug',
      base: null,
      timestamp: () => `,"time":"${isoTime(timeMs)}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (text: string) => (line = text) },
  );
  return (entry) => {
    timeMs = entry.timeMs;
    const { component, runId, durationMs, data, level, message } = entry;
    formatter[level](
      {
        component,
        ...(runId === null ? {} : { runId }),
        ...(durationMs === null ? {} : { durationMs }),
        ...(Object.keys(data).length === 0 ? {} : { data }),
      },
      '%s',
      message,
    );
    return escapeLine(line);
  };
}

/**
 * JSON leaves some characters as they are that a terminal or a log viewer obeys: DEL and the C1 controls (ESC in one
 * byte), line separators, turns of the reading direction. In a JSON line they can stand only inside a text.
 */
function escapeLine(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
