import type { Session } from 'electron';
import { listStaticFiles } from '../headless/static-files.ts';
import { APP_SCHEME, isAppUrl } from './address.ts';

/** The window talks to the agent over its bridge alone, so it may connect nowhere. */
const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
};

/**
 * Serves the built page at `app://angles/`. Only files that were in the folder at the start have an address, so no
 * path leads out of it, however it is written.
 */
export function serveAppFiles(session: Session, rendererFolder: string): void {
  const files = listStaticFiles(rendererFolder);
  session.protocol.handle(APP_SCHEME, async (request) => {
    const file = isAppUrl(request.url) && request.method === 'GET' ? files.get(pathOf(request.url)) : null;
    if (file === null) return new Response('There is no such file.', { status: 404, headers: HEADERS });
    const { body } = await file.load();
    return new Response(new Uint8Array(body), { status: 200, headers: { ...HEADERS, 'Content-Type': file.type } });
  });
}

function pathOf(url: string): string {
  const { pathname } = new URL(url);
  return pathname === '/' ? '/index.html' : pathname;
}
