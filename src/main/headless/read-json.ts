import type { IncomingMessage } from 'node:http';
import { AppError } from '../../shared/errors.ts';

export const BODY_LIMIT_BYTES = 2 * 1_024 * 1_024;

/** Reads a request's JSON body; an empty one is `{}`. Throws `server.bad_request`, without waiting for what is too large. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request);
  if (body.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new AppError('server.bad_request', 'The body is not valid JSON.', { cause });
  }
}

// Not `for await`: leaving it early destroys the connection before the refusal is sent.
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const tooLarge = (): void => {
      request.removeAllListeners('data').pause();
      reject(new AppError('server.bad_request', 'The body is larger than 2 MB.'));
    };
    if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) {
      tooLarge();
      return;
    }
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > BODY_LIMIT_BYTES) tooLarge();
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', (cause) => reject(new AppError('server.bad_request', 'The body was cut off.', { cause })));
  });
}
