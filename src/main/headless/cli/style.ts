import type { Io, Output } from './io.ts';

/** Colours for one stream; every function returns its text as it is when that stream shows none. */
export type Style = {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
};

/** Colour is shown on a terminal that can, unless NO_COLOR (no-color.org), TERM=dumb or --no-color says otherwise. */
export function styleFor(output: Output, env: Io['env'], wanted: boolean): Style {
  const on = wanted && output.isTTY && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  const code = (open: number, close: number) => (text: string) =>
    on ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    bold: code(1, 22),
    dim: code(2, 22),
    red: code(31, 39),
    green: code(32, 39),
    yellow: code(33, 39),
    cyan: code(36, 39),
  };
}
