import { powerMonitor } from 'electron';
import type { Host } from '../host.ts';

/** The machine's sleep and its power supply, as the agent hears of them. */
export const onPower: Host['onPower'] = (listener) => {
  const suspend = (): void => listener('suspend');
  const resume = (): void => listener('resume');
  const battery = (): void => listener('on-battery');
  const mains = (): void => listener('on-mains');
  powerMonitor.on('suspend', suspend);
  powerMonitor.on('resume', resume);
  powerMonitor.on('on-battery', battery);
  powerMonitor.on('on-ac', mains);
  return () => {
    powerMonitor.off('suspend', suspend);
    powerMonitor.off('resume', resume);
    powerMonitor.off('on-battery', battery);
    powerMonitor.off('on-ac', mains);
  };
};
