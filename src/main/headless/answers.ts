import type { ServerResponse } from 'node:http';
import { type ErrorCode, toWireError, type WireError } from '../../shared/errors.ts';

/** On every answer. Nothing may embed, sniff, cache or read it from another origin; there is no CORS. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

const CONFLICTS: readonly ErrorCode[] = [
  'ambiguous.id',
  'ambiguous.path',
  'record.changed',
  'root.duplicate',
  'root.nested',
  'root.held',
  'file.exists',
  'data.held',
];
const FAULTS = /^(internal|data\.|content\.|agent\.|watch\.|file\.io_error|file\.busy|config\.unwritable)/;

/** The HTTP status that fits an error of the catalogue. */
export function statusOf(code: ErrorCode): number {
  if (code === 'server.unauthorized') return 401;
  if (code === 'server.forbidden') return 403;
  if (code.startsWith('not_found.') || code === 'server.unknown_method') return 404;
  if (CONFLICTS.includes(code)) return 409;
  return FAULTS.test(code) ? 500 : 400;
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(value));
}

/** Sends an error in its wire form; a bug shows as `internal` without its text. */
export function sendError(response: ServerResponse, error: unknown, status?: number): void {
  const wire: WireError = toWireError(error);
  sendJson(response, status ?? statusOf(wire.code), { error: wire });
}

/** A page for a person, of text only. */
export function sendPage(response: ServerResponse, status: number, title: string, text: string): void {
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} - Angles</title><h1>${title}</h1><p>${text}</p></html>\n`;
  send(response, status, 'text/html; charset=utf-8', page);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { ...SECURITY_HEADERS, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
