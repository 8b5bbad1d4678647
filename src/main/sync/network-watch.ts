import { networkInterfaces } from 'node:os';

export type NetworkWatch = { readonly start: () => void; readonly stop: () => void };

/** Looking at the names of the network costs nothing; it is done only while something cannot be reached. */
const NETWORK_EVERY_MS = 1_000;
const NETWORK_IDLE_MS = 10_000;

/** Calls back when the network changed while something waits for it. */
export function createNetworkWatch(isWaiting: () => boolean, onChange: () => void): NetworkWatch {
  const look = createLook(onChange);
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const turn = (): void => {
    const waits = isWaiting();
    if (waits) look();
    if (isStopped) return;
    timer = setTimeout(turn, waits ? NETWORK_EVERY_MS : NETWORK_IDLE_MS);
    timer.unref();
  };
  return {
    start: turn,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Calls back when the addresses of this machine are not the ones of the last look. */
function createLook(onChange: () => void): () => void {
  let known: string | null = null;
  return () => {
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => (list ?? []).filter((one) => !one.internal).map((one) => one.address))
      .sort()
      .join();
    if (known !== null && addresses !== known && addresses !== '') onChange();
    known = addresses;
  };
}
