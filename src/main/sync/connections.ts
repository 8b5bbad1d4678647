/** Which remotes are connected, and why one could not be. */
import { AppError } from '../../shared/errors.ts';
import { type Remote, remote as remoteSchema } from '../../shared/model.ts';
import type { RemoteParts, SyncEngineParts } from './engine-parts.ts';
import type { LeaseService } from './leader.ts';
import { quietConnector } from './quiet-connector.ts';
import type { Session } from './session-parts.ts';

export type Connections = {
  readonly configure: () => Promise<void>;
  readonly reconnect: (remote: Remote) => Promise<void>;
  readonly of: (remote: Remote) => RemoteParts | null;
  readonly failure: (remote: Remote) => AppError | null;
  readonly isConfigured: (remote: Remote) => boolean;
  readonly close: () => Promise<void>;
};
type Connection = { readonly key: string; readonly own: RemoteParts | null; readonly failure: AppError | null };

/** Makes and ends connectors as settings and keys come and go; one that is the same stays. */
export function createConnections(
  parts: Pick<SyncEngineParts, 'stores' | 'shell' | 'configured'> & {
    readonly connect: (remote: Remote) => Promise<RemoteParts | null>;
  },
  sessionOf: (remote: Remote) => Session,
  setLeases: (leases: LeaseService | null) => void,
): Connections {
  const { outbox } = parts.stores;
  const known = new Map<Remote, Connection>();
  let isClosed = false;
  let queue: Promise<void> = Promise.resolve();

  const close = async (remote: Remote): Promise<void> => {
    const own = known.get(remote)?.own ?? null;
    known.delete(remote);
    sessionOf(remote).connect(null);
    await own?.connector.close();
  };
  const open = async (remote: Remote, key: string): Promise<void> => {
    let own: RemoteParts | null = null;
    let failure: AppError | null = null;
    try {
      const made = await parts.connect(remote);
      own = made === null ? null : { ...made, connector: quietConnector(made.connector, parts.shell.redact) };
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      failure = cause;
    }
    known.set(remote, { key, own, failure });
  };
  const apply = async (): Promise<void> => {
    if (isClosed) return;
    const wanted = new Map(parts.configured().map(({ remote, key }) => [remote, key]));
    const isSame = wanted.size === known.size && [...wanted].every(([remote, key]) => known.get(remote)?.key === key);
    if (isSame) return;
    for (const [remote, { key }] of [...known]) if (wanted.get(remote) !== key) await close(remote);
    for (const [remote, key] of wanted) if (!known.has(remote)) await open(remote, key);
    const tables = [...known].flatMap(([remote, { own }]) => (own === null ? [] : [[remote, own.connector.tables]]));
    outbox.setConfigured([...wanted.keys()], Object.fromEntries(tables));
    setLeases(known.get('supabase')?.own?.leases ?? null);
    for (const remote of remoteSchema.options) sessionOf(remote).connect(known.get(remote)?.own?.connector ?? null);
    parts.shell.onState(null);
  };
  const configure = (): Promise<void> => {
    queue = queue.then(apply).catch((cause: unknown) => {
      parts.shell.log.error('The remotes could not be connected.', { error: cause });
    });
    return queue;
  };
  return {
    configure,
    reconnect: async (remote) => {
      await queue;
      await close(remote);
      await configure();
    },
    of: (remote) => known.get(remote)?.own ?? null,
    failure: (remote) => known.get(remote)?.failure ?? null,
    isConfigured: (remote) => parts.configured().some((one) => one.remote === remote),
    close: async () => {
      isClosed = true;
      await queue;
      for (const remote of [...known.keys()]) await close(remote);
    },
  };
}
