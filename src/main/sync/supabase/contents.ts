import { createHash } from 'node:crypto';
import type { OutgoingContent } from '../connector.ts';
import { causeOf } from './answer-error.ts';
import type { SupabaseConnection } from './client.ts';
import { storageFailure } from './storage.ts';
import { encodeText } from './wire-text.ts';
import { withAbort } from './with-abort.ts';

export const CONTENTS_BUCKET = 'file_contents';
/** A text up to this many bytes lies in its row. */
export const INLINE_BYTES = 256 * 1024;

/**
 * Brings a text that is too long for its row to its bucket, under its SHA-256, and gives the name to note in the row;
 * null for a text that goes into the row. Done before the row is written, so that no row names what is not there.
 * Safe to repeat: the same text has the same name.
 */
export async function uploadLongText(
  connection: SupabaseConnection,
  content: OutgoingContent | null,
  signal: AbortSignal,
): Promise<string | null> {
  if (content?.kind !== 'text' || Buffer.byteLength(content.text) <= INLINE_BYTES) return null;
  const bytes = Buffer.from(content.text.isWellFormed() ? content.text : encodeText(content.text));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const name = `${await connection.folder(signal)}/${sha256.slice(0, 2)}/${sha256}`;
  signal.throwIfAborted();
  const { storage } = await connection.client();
  const upload = storage.from(CONTENTS_BUCKET).upload(name, bytes, { contentType: 'text/plain; charset=utf-8' });
  const { error } = await withAbort(upload, signal);
  if (error === null) return name;
  const failure = storageFailure(error, CONTENTS_BUCKET, signal);
  // It is there already: by its name it is the same.
  if (causeOf(failure)?.status === 409) return name;
  throw failure;
}
