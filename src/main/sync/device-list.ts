/** The devices that share a project, and that this one is among them. */
import type { Device } from '../../shared/contract-sync.ts';
import { AppError } from '../../shared/errors.ts';
import type { Connections } from './connections.ts';
import { withDeadline } from './deadline.ts';
import type { DeviceNote, SyncEngineParts, SyncMethods } from './engine-parts.ts';
import type { Leader } from './leader.ts';
import { problemOf } from './problem-of.ts';
import { quietError } from './quiet-connector.ts';

export type DeviceList = {
  /** What `devices.list` answers. */
  readonly list: () => ReturnType<SyncMethods['devices.list']>;
  /** A sign of life, and a look who else is there. Never rejects. */
  readonly heartbeat: () => Promise<void>;
};

const DEVICE_LIMIT_MS = 15_000;
const OTHERS = 'sync.other_devices';
const ANOTHER_WITHIN_MS = 30 * 86_400_000;

/** False as soon as this device knows of another one in the project. */
export const isAlone = ({ meta }: SyncEngineParts['stores']): boolean => meta.get(OTHERS) !== 'yes';

export function createDeviceList(
  parts: Pick<SyncEngineParts, 'stores' | 'shell' | 'device'>,
  connections: Connections,
  leader: Leader,
  waiting: () => number,
): DeviceList {
  const { stores, shell } = parts;

  const thisDevice = (): DeviceNote => ({ deviceId: stores.deviceId, ...parts.device, unsent: waiting() });

  const list: DeviceList['list'] = async () => {
    const state = leader.state();
    const isLeader = (deviceId: string): boolean => connections.isConfigured('notion') && state.deviceId === deviceId;
    const own: Device = {
      ...thisDevice(),
      isThis: true,
      lastSeenAtMs: shell.nowMs(),
      isLeader: isLeader(stores.deviceId),
    };
    const directory = connections.of('supabase')?.devices;
    if (directory === undefined) return { devices: [own], problem: null };
    try {
      const known = await withDeadline(DEVICE_LIMIT_MS, AbortSignal.timeout(2 * DEVICE_LIMIT_MS), directory.list);
      const others = known
        .filter((one) => one.deviceId !== stores.deviceId)
        .map((one): Device => ({ ...one, isThis: false, isLeader: isLeader(one.deviceId) }));
      return { devices: [own, ...others], problem: null };
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      return { devices: [own], problem: problemOf(quietError(cause, shell.redact) as AppError) };
    }
  };

  /** Whether somebody else shares the project: one that was not seen for a month does not. */
  const noteOthers = (known: readonly { readonly deviceId: string; readonly lastSeenAtMs: number }[]): void => {
    const newestMs = Math.max(...known.map(({ lastSeenAtMs }) => lastSeenAtMs));
    const others = known.filter(
      (one) => one.deviceId !== stores.deviceId && newestMs - one.lastSeenAtMs < ANOTHER_WITHIN_MS,
    );
    const word = others.length > 0 ? 'yes' : 'no';
    if (stores.meta.get(OTHERS) !== word) stores.meta.set(OTHERS, word);
  };
  const heartbeat = async (): Promise<void> => {
    const directory = connections.of('supabase')?.devices;
    if (directory === undefined) return;
    try {
      const limit = AbortSignal.timeout(2 * DEVICE_LIMIT_MS);
      await withDeadline(DEVICE_LIMIT_MS, limit, (signal) => directory.seen(thisDevice(), signal));
      noteOthers(await withDeadline(DEVICE_LIMIT_MS, limit, directory.list));
    } catch {
      // The state of the remote tells what is wrong with it; this is only a sign of life.
    }
  };

  return { list, heartbeat };
}
