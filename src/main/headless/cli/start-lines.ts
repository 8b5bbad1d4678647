import type { AgentApi } from '../../api-types.ts';
import type { Context } from './context.ts';
import { logLine } from './logs.ts';
import { createProgressView } from './progress.ts';

/** What a running agent prints by itself: the progress of its first capture, then a line per problem. */
export type WatchLines = {
  /** Clears the progress bar; progress that still comes is not shown. */
  readonly endProgress: () => void;
  readonly close: () => void;
};

export function createWatchLines(context: Context, api: AgentApi, wanted: boolean): WatchLines {
  const { stderr, env } = context.io;
  const isBar = stderr.isTTY && env.TERM !== 'dumb';
  const view = createProgressView(isBar ? stderr.columns : null);
  let active = wanted && !context.global.json;
  let drawn = false;
  const clear = (): void => {
    if (drawn) stderr.write('\r\u001b[K');
    drawn = false;
  };
  const stop = api.subscribe((event) => {
    if (event.event === 'progress' && active) {
      const line = view.update(event.payload);
      if (line === null) return;
      stderr.write(isBar ? `\r${line}\u001b[K` : `${line}\n`);
      drawn = isBar;
    } else if (event.event === 'log' && (event.payload.level === 'warn' || event.payload.level === 'error')) {
      clear();
      context.say(logLine({ ...context, style: context.errStyle }, { ...event.payload, data: {} }));
    }
  });
  return {
    endProgress: () => {
      clear();
      active = false;
    },
    close: () => {
      clear();
      stop();
    },
  };
}
