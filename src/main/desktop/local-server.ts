import type { ShellAgent } from '../api-types.ts';
import { removeEndpoint, writeEndpoint } from '../headless/endpoint.ts';
import { type RunningServer, startServer } from '../headless/server.ts';

export type LocalServerNeeds = {
  readonly agent: ShellAgent;
  readonly dataFolder: string;
  readonly port: number;
  readonly rendererFolder: string;
  readonly version: string;
  readonly nowMs: () => number;
};

/** Lets commands (`angles status`) and a browser reach the agent of the desktop app, as they reach a headless one. */
export async function openLocalServer(needs: LocalServerNeeds): Promise<{ readonly close: () => Promise<void> }> {
  const { agent, dataFolder, version, nowMs } = needs;
  const server: RunningServer = await startServer({
    api: agent.api,
    port: needs.port,
    rendererFolder: needs.rendererFolder,
    log: agent.log.component('server'),
    version,
    nowMs,
  });
  agent.setDashboardUrl(server.url);
  agent.setLinkMaker(server.makeLink);
  writeEndpoint(dataFolder, { pid: process.pid, url: server.url, token: server.token, version, startedAtMs: nowMs() });
  return {
    close: async () => {
      removeEndpoint(dataFolder);
      await server.close();
    },
  };
}
