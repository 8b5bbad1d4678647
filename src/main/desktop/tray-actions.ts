import { app } from 'electron';
import { agentMethods } from '../../shared/contract.ts';
import { pauseEndMs, type TrayAction } from '../../shared/tray-state.ts';
import type { AgentApi } from '../api-types.ts';
import { callMethod } from '../headless/dispatch.ts';
import type { MainWindow } from './main-window.ts';

/** Offered in the tray as soon as the contract has them; each takes no input. */
const OPTIONAL = { sync: 'sync.run', backup: 'backups.run' } as const;

/** What of the optional actions this version of the agent can do. */
export const trayAbilities = (): { readonly sync: boolean; readonly backUp: boolean } => ({
  sync: Object.hasOwn(agentMethods, OPTIONAL.sync),
  backUp: Object.hasOwn(agentMethods, OPTIONAL.backup),
});

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
    case 'sync':
    case 'backup':
      await callMethod(api, OPTIONAL[action], {});
      return;
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
