/** What the stand-in says of itself. */
export const VERSIONS_TEXT = { electron: '45.4.1', chrome: '150.0.0.0' } as const;
