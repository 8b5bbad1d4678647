import { join } from 'node:path';

const NEEDED = ['APPLE_ID', 'APPLE_APP_SPECIFIC_PASSWORD', 'APPLE_TEAM_ID'];

/** Lets Apple notarise the macOS app when the account for it is in the environment; says so when it is not. */
// biome-ignore lint/style/noDefaultExport: electron-builder asks for one
export default async function afterSign({ electronPlatformName, appOutDir, packager }) {
  if (electronPlatformName !== 'darwin') return;
  const missing = NEEDED.filter((name) => !process.env[name]);
  if (missing.length > 0) {
    console.log(`Not notarised, as ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not set.`);
    return;
  }
  const { notarize } = await import('@electron/notarize');
  await notarize({
    appPath: join(appOutDir, `${packager.appInfo.productFilename}.app`),
    appleId: process.env.APPLE_ID,
    appleIdPassword: process.env.APPLE_APP_SPECIFIC_PASSWORD,
    teamId: process.env.APPLE_TEAM_ID,
  });
}
