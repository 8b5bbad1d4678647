import { FuseV1Options, FuseVersion } from '@electron/fuses';

/**
 * The switches in Electron's executable. The program is neither a Node nor a debugger target for others, and it runs
 * only the archive it was packaged with; checking the archive without insisting on it could be bypassed.
 */
export const FUSES = {
  version: FuseVersion.V1,
  // A fuse that a newer Electron adds must be decided here before anything is packaged.
  strictlyRequireAllFuses: true,
  [FuseV1Options.RunAsNode]: false,
  [FuseV1Options.EnableCookieEncryption]: true,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  [FuseV1Options.WasmTrapHandlers]: true,
};
