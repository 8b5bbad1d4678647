/** Reads what Python's `cryptography.fernet` wrote (github.com/fernet/spec): base64url of version, time, IV, AES-128-CBC, HMAC-SHA-256. */
import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync } from 'node:fs';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { writeAll } from '../durable.ts';

const HEAD_BYTES = 1 + 8 + 16;
const MAC_BYTES = 32;
/** A multiple of 4 characters, so that each chunk decodes by itself. */
const CHUNK_CHARACTERS = 1_048_576;

/** Whether a file begins like a token: version 0x80 and a time before the year 2106. */
export function looksLikeFernet(head: Buffer): boolean {
  return /^gAAAAA[A-Za-z0-9_-]/.test(head.toString('latin1'));
}

/** The two halves of a Fernet key; null when the text is none. */
export function parseFernetKey(text: string): { readonly signing: Buffer; readonly encryption: Buffer } | null {
  if (!/^[A-Za-z0-9_-]{43}=?$/.test(text.trim())) return null;
  const key = Buffer.from(text.trim(), 'base64url');
  return key.length === 32 ? { signing: key.subarray(0, 16), encryption: key.subarray(16) } : null;
}

/**
 * Decrypts a token of any size into `target`, a new file. The whole is proven before one byte is decrypted.
 * Throws `backup.key_invalid`, `backup.key_wrong` (a wrong key and a changed token look the same) and `backup.damaged`.
 */
export function decryptFernet(file: string, keyText: string, target: string): void {
  const key = parseFernetKey(keyText);
  if (key === null)
    throw new AppError('backup.key_invalid', 'This backup needs a Fernet key: 44 characters of base64url.');
  const input = openSync(file, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const mac = createHmac('sha256', key.signing);
    let length = 0;
    let tail: Buffer = Buffer.alloc(0);
    for (const piece of decoded(input, file)) {
      if (length < HEAD_BYTES) piece.copy(head, length);
      length += piece.length;
      const all = Buffer.concat([tail, piece]);
      mac.update(all.subarray(0, Math.max(0, all.length - MAC_BYTES)));
      tail = all.subarray(Math.max(0, all.length - MAC_BYTES));
    }
    if (length < HEAD_BYTES + 16 + MAC_BYTES || head[0] !== 0x80 || (length - HEAD_BYTES - MAC_BYTES) % 16 !== 0)
      throw new AppError('backup.damaged', `${displayPath(file)} is no whole Fernet token.`);
    if (!timingSafeEqual(mac.digest(), tail))
      throw new AppError('backup.key_wrong', `The key does not open ${displayPath(file)}, or the file was changed.`);
    decryptBody(input, file, { key: key.encryption, iv: head.subarray(9), length }, target);
  } finally {
    closeSync(input);
  }
}

function decryptBody(
  input: number,
  file: string,
  token: { readonly key: Buffer; readonly iv: Buffer; readonly length: number },
  target: string,
): void {
  const decipher = createDecipheriv('aes-128-cbc', token.key, token.iv);
  const output = openSync(target, 'wx', 0o600);
  const endsAt = token.length - MAC_BYTES;
  let at = 0;
  try {
    for (const piece of decoded(input, file)) {
      const from = Math.max(0, HEAD_BYTES - at);
      const to = Math.min(piece.length, endsAt - at);
      at += piece.length;
      if (to > from) writeAll(output, decipher.update(piece.subarray(from, to)));
    }
    writeAll(output, decipher.final());
    fsyncSync(output);
  } finally {
    closeSync(output);
  }
}

function* decoded(descriptor: number, file: string): Generator<Buffer> {
  const size = fstatSync(descriptor).size;
  const chunk = Buffer.alloc(CHUNK_CHARACTERS);
  for (let position = 0; position < size; position += CHUNK_CHARACTERS) {
    let count = 0;
    while (count < chunk.length) {
      const read = readSync(descriptor, chunk, count, chunk.length - count, position + count);
      if (read === 0) break;
      count += read;
    }
    const isLast = position + count >= size;
    const text = chunk.toString('latin1', 0, count);
    const body = isLast ? text.replace(/\s+$/, '') : text;
    if (!(isLast ? /^[A-Za-z0-9_-]*={0,2}$/ : /^[A-Za-z0-9_-]*$/).test(body))
      throw new AppError('backup.damaged', `${displayPath(file)} is no whole Fernet token.`);
    yield Buffer.from(body, 'base64url');
  }
}
