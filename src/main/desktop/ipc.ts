import { type IpcMain, type IpcMainInvokeEvent, ipcMain, type WebContents } from 'electron';
import { z } from 'zod';
import { type DesktopMethodName, type DesktopMethods, desktopMethods } from '../../shared/desktop.ts';
import { AppError, toWireError, type WireError } from '../../shared/errors.ts';
import type { AgentApi } from '../api-types.ts';
import { callMethod } from '../headless/dispatch.ts';
import { isAppUrl } from './address.ts';
import { CALL_CHANNEL, EVENT_CHANNEL } from './channels.ts';

export type IpcAnswer = { readonly value: unknown } | { readonly error: WireError };

export type IpcNeeds = {
  readonly api: AgentApi;
  readonly desktop: DesktopMethods;
  /** The contents of the window that may call; null while there is none. */
  readonly windowContents: () => WebContents | null;
  readonly log: { readonly warn: Write; readonly error: Write };
};
type Write = (message: string, data?: Record<string, unknown>) => void;

/**
 * Answers calls of the window over one channel; returns how to stop. Every call is checked three times: it comes from
 * the main frame of our window at our address, its method exists, its input fits the contract. Failures are values.
 */
export function serveCalls(needs: IpcNeeds, carrier: Pick<IpcMain, 'handle' | 'removeHandler'> = ipcMain): () => void {
  carrier.handle(CALL_CHANNEL, async (event, ...args: unknown[]): Promise<IpcAnswer> => {
    try {
      if (!isTrusted(event, needs.windowContents())) {
        needs.log.warn('A call from a place that may not call was refused.', { from: event.senderFrame?.url ?? '' });
        throw new AppError('server.forbidden', 'This page may not call the agent.');
      }
      return { value: await answer(needs, args) };
    } catch (error) {
      if (!(error instanceof AppError))
        needs.log.error('a call of the window failed', { error: String((error as Error | undefined)?.stack ?? error) });
      return { error: toWireError(error) };
    }
  });
  return () => carrier.removeHandler(CALL_CHANNEL);
}

/** Sends every event of the agent to a window, as long as the window lives; returns how to stop. */
export function forwardEvents(api: AgentApi, contents: WebContents): () => void {
  return api.subscribe((event) => sendEvent(contents, event.event, event.payload));
}

/** Sends one event to a window; one that is gone hears nothing. */
export function sendEvent(contents: WebContents, event: string, payload: unknown): void {
  if (!contents.isDestroyed()) contents.send(EVENT_CHANNEL, event, payload);
}

async function answer({ api, desktop }: IpcNeeds, args: readonly unknown[]): Promise<unknown> {
  const [method, input] = args;
  if (typeof method !== 'string' || args.length > 2)
    throw new AppError('usage.bad_argument', 'A call has a method and an input.');
  if (!isDesktopMethod(method)) return callMethod(api, method, input);
  const checked = desktopMethods[method].in.safeParse(input);
  if (!checked.success) throw new AppError('usage.bad_argument', z.prettifyError(checked.error));
  const handler = desktop[method] as (input: unknown) => Promise<unknown>;
  return handler(checked.data);
}

function isTrusted({ sender, senderFrame }: IpcMainInvokeEvent, ours: WebContents | null): boolean {
  return (
    ours !== null &&
    sender === ours &&
    senderFrame !== null &&
    senderFrame === sender.mainFrame &&
    isAppUrl(senderFrame.url)
  );
}

function isDesktopMethod(method: string): method is DesktopMethodName {
  return Object.hasOwn(desktopMethods, method);
}
