/** Files that stock `gpg` opens: OpenPGP, AES-256 from a passphrase, with a check over the whole. The library is loaded when it is first needed. */
import { closeSync, createReadStream, fstatSync, fsyncSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeWebStream } from 'node:stream/web';
import { displayPath } from '../../shared/display.ts';
import { AppError } from '../../shared/errors.ts';
import { writeAll } from '../durable.ts';
import { fitsSessionKey, type MessageFrame, readFrame } from './openpgp-frame.ts';

const CHUNK_BYTES = 262_144;

/** The bytes of `plain`, encrypted. Bounded memory. A failure of `plain` is a failure of the result. */
export async function encryptStream(plain: Readable, passphrase: string): Promise<Readable> {
  const { createMessage, encrypt, enums } = await import('openpgp');
  const message = await createMessage({
    binary: Readable.toWeb(plain) as ReadableStream<Uint8Array>,
    format: 'binary',
  });
  const encrypted = await encrypt({
    message,
    passwords: passphrase,
    format: 'binary',
    config: {
      aeadProtect: false,
      preferredSymmetricAlgorithm: enums.symmetric.aes256,
      preferredCompressionAlgorithm: enums.compression.uncompressed,
    },
  });
  return Readable.fromWeb(encrypted as unknown as NodeWebStream<Uint8Array>);
}

/**
 * Decrypts a file into `target`, a new file that only this user may read. The whole is proven before this resolves;
 * when it rejects, what `target` holds must not be used. Takes what stock `gpg -c` writes, too.
 * Throws `backup.key_wrong`, `backup.damaged`, `backup.foreign` and `data.full`.
 */
export async function decryptFile(file: string, passphrase: string, target: string): Promise<void> {
  const input = openSync(file, 'r');
  try {
    const sizeBytes = fstatSync(input).size;
    const frame = readFrame((position, length) => readAt(input, position, length), sizeBytes);
    if (frame === null) throw damaged(file, 'it is no whole OpenPGP message with a passphrase');
    if (frame.endsAt !== sizeBytes) throw damaged(file, 'something was added behind its end');
    const sessionKey = await findSessionKey(file, frame, passphrase);
    await decryptWith(file, sizeBytes, sessionKey, target);
  } finally {
    closeSync(input);
  }
}

type SessionKey = { readonly data: Uint8Array; readonly algorithm: string | null };

/** Only the head of the message is read for this, however large the file is. */
async function findSessionKey(file: string, frame: MessageFrame, passphrase: string): Promise<SessionKey> {
  const { decryptSessionKeys, readMessage } = await import('openpgp');
  let keys: readonly SessionKey[];
  const head = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  try {
    const message = await readMessage({ binaryMessage: Readable.toWeb(head) as ReadableStream<Uint8Array> });
    keys = (await decryptSessionKeys({ message, passwords: passphrase })) as readonly SessionKey[];
  } catch {
    // The library does not tell a wrong passphrase from a key packet that is damaged.
    keys = [];
  } finally {
    head.destroy();
  }
  const fitting = keys.find((key) => fitsSessionKey(frame.firstBytes, key.data, key.algorithm));
  if (fitting === undefined) throw new AppError('backup.key_wrong', `The key does not open ${displayPath(file)}.`);
  return fitting;
}

async function decryptWith(file: string, sizeBytes: number, sessionKey: SessionKey, target: string): Promise<void> {
  const { decrypt, readMessage } = await import('openpgp');
  const output = openSync(target, 'wx', 0o600);
  // Ours is not compressed inside, and a zip hardly shrinks: what grows much more is no backup.
  const largestBytes = sizeBytes * 20 + 64 * 1_048_576;
  let written = 0;
  try {
    const bytes = createReadStream(file, { highWaterMark: CHUNK_BYTES });
    const message = await readMessage({ binaryMessage: Readable.toWeb(bytes) as ReadableStream<Uint8Array> });
    const { data } = await decrypt({
      message,
      sessionKeys: { data: sessionKey.data, algorithm: sessionKey.algorithm ?? 'aes256' } as never,
      format: 'binary',
      // The bytes are used only after the stream ended well, which is when the library has proven them.
      config: { allowUnauthenticatedStream: true },
    });
    for await (const piece of data as unknown as AsyncIterable<Uint8Array>) {
      written += piece.length;
      if (written > largestBytes) throw damaged(file, 'it unpacks to far more than a backup can hold');
      writeAll(output, Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
    }
    fsyncSync(output);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new AppError('data.full', 'No space is left to decrypt the backup.', { cause });
    throw damaged(file, 'its checksum does not match', cause);
  } finally {
    closeSync(output);
  }
}

function damaged(file: string, why: string, cause?: unknown): AppError {
  return new AppError('backup.damaged', `${displayPath(file)}: ${why}.`, { cause });
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, position));
}
