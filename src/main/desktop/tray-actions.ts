import { app } from 'electron';
import { pauseEndMs, type TrayAction } from '../../shared/tray-state.ts';
import type { AgentApi } from '../api-types.ts';
import type { MainWindow } from './main-window.ts';

export type TrayActionsNeeds = {
  readonly api: AgentApi;
  readonly window: MainWindow;
  readonly nowMs: () => number;
  readonly log: { readonly error: (message: string, data?: Record<string, unknown>) => void };
};

/** Does what was chosen in the tray or the menu; a failure is shown in the window. */
export function createTrayActions(needs: TrayActionsNeeds): (action: TrayAction) => void {
  return (action) => {
    run(needs, action).catch((error: unknown) => {
      needs.log.error('What was chosen in the menu failed.', { action, error });
      needs.window.show();
      const text = error instanceof Error ? error.message : String(error);
      needs.window.tell('desktop.notice', { tone: 'error', text });
    });
  };
}

async function run({ api, window, nowMs }: TrayActionsNeeds, action: TrayAction): Promise<void> {
  switch (action) {
    case 'open':
      return window.show();
    case 'sync': {
      const { plans } = await api.methods['sync.run']({});
      const failed = plans.find((plan) => plan.problem !== null)?.problem;
      if (failed !== null && failed !== undefined) throw new Error(`${failed.message} ${failed.fix}`);
      return sayDone(window, 'Everything is sent and read.');
    }
    case 'backup': {
      const { isNew, backup } = await api.methods['backups.run']({});
      return sayDone(
        window,
        isNew ? `Backed up: ${backup.files} files, read back.` : 'Backed up already: nothing changed.',
      );
    }
    case 'pause-30':
    case 'pause-120':
    case 'pause-tomorrow':
      await api.methods['agent.pause']({ untilMs: pauseEndMs(action, nowMs()) });
      return;
    case 'resume':
      await api.methods['agent.resume']({});
      return;
    case 'conflicts':
    case 'logs':
    case 'settings':
      return window.show(`#/${action}`);
    case 'quit':
      return app.quit();
    default:
      return window.show(`#/file?path=${encodeURIComponent(action.slice('file:'.length))}`);
  }
}

/** Success is silent, unless the window is open anyway. */
function sayDone(window: MainWindow, text: string): void {
  if (window.contents() !== null) window.tell('desktop.notice', { tone: 'ok', text });
}
