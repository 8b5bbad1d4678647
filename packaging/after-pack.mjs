import { join } from 'node:path';
import { flipFuses } from '@electron/fuses';
import { FUSES } from './fuses.mjs';

/** Sets the fuses of the executable, before it is signed. */
// biome-ignore lint/style/noDefaultExport: electron-builder asks for one
export default async function afterPack({ appOutDir, electronPlatformName, packager }) {
  const { productFilename } = packager.appInfo;
  const names = {
    darwin: join(`${productFilename}.app`, 'Contents', 'MacOS', productFilename),
    mas: join(`${productFilename}.app`, 'Contents', 'MacOS', productFilename),
    win32: `${productFilename}.exe`,
    linux: packager.executableName ?? productFilename,
  };
  await flipFuses(join(appOutDir, names[electronPlatformName]), {
    ...FUSES,
    // An arm64 executable must have a signature, and changing a fuse breaks the one it has.
    resetAdHocDarwinSignature: electronPlatformName === 'darwin',
  });
}
