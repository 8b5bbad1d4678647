import { createDecipheriv } from 'node:crypto';

/**
 * The frame of an encrypted OpenPGP message (RFC 4880, 4.2 and 5): packets with their lengths. Decrypting is the
 * library's work; this only says what is there, and that nothing else is.
 */
export type MessageFrame = {
  /** The first bytes of the encrypted data, for {@link fitsSessionKey}. */
  readonly firstBytes: Buffer;
  /** Position after the last packet. */
  readonly endsAt: number;
};

const SYMMETRIC_KEY_PACKET = 3;
const PUBLIC_KEY_PACKET = 1;
const MARKER_PACKET = 10;
const ENCRYPTED_PACKET = 18;

/** Reads bytes of the file at a position; fewer only at its end. */
export type ReadAt = (position: number, length: number) => Buffer;

/** The frame; null when it is not one whole message with a passphrase and integrity protection. */
export function readFrame(readAt: ReadAt, sizeBytes: number): MessageFrame | null {
  let position = 0;
  let hasKey = false;
  while (position < sizeBytes) {
    const packet = readPacket(readAt, position, sizeBytes);
    if (packet === null) return null;
    if (packet.tag === ENCRYPTED_PACKET) {
      const firstBytes = readAt(packet.bodyAt, 1 + 18).subarray(1);
      const version = readAt(packet.bodyAt, 1)[0];
      return hasKey && version === 1 && firstBytes.length === 18 ? { firstBytes, endsAt: packet.endsAt } : null;
    }
    if (packet.tag === SYMMETRIC_KEY_PACKET) hasKey = true;
    else if (packet.tag !== PUBLIC_KEY_PACKET && packet.tag !== MARKER_PACKET) return null;
    position = packet.endsAt;
  }
  return null;
}

type Packet = { readonly tag: number; readonly bodyAt: number; readonly endsAt: number };

function readPacket(readAt: ReadAt, position: number, sizeBytes: number): Packet | null {
  const first = readAt(position, 1)[0] ?? 0;
  if ((first & 0x80) === 0) return null;
  if ((first & 0x40) === 0) return readOldPacket(readAt, position, first, sizeBytes);
  const tag = first & 0x3f;
  let bodyAt = -1;
  for (let at = position + 1; ; ) {
    const length = readLength(readAt, at);
    if (length === null) return null;
    if (bodyAt === -1) bodyAt = at + length.headerBytes;
    at += length.headerBytes + length.bytes;
    if (at > sizeBytes) return null;
    if (!length.isPartial) return { tag, bodyAt, endsAt: at };
  }
}

function readLength(
  readAt: ReadAt,
  at: number,
): { readonly bytes: number; readonly headerBytes: number; readonly isPartial: boolean } | null {
  const head = readAt(at, 5);
  const first = head[0];
  if (first === undefined) return null;
  if (first < 192) return { bytes: first, headerBytes: 1, isPartial: false };
  if (first < 224) return { bytes: ((first - 192) << 8) + (head[1] ?? 0) + 192, headerBytes: 2, isPartial: false };
  if (first < 255) return { bytes: 2 ** (first & 0x1f), headerBytes: 1, isPartial: true };
  return head.length < 5 ? null : { bytes: head.readUInt32BE(1), headerBytes: 5, isPartial: false };
}

function readOldPacket(readAt: ReadAt, position: number, first: number, sizeBytes: number): Packet | null {
  const tag = (first >> 2) & 0x0f;
  const lengthBytes = [1, 2, 4, 0][first & 3] ?? 0;
  const bodyAt = position + 1 + lengthBytes;
  // Without a length it lasts to the end of the file.
  if (lengthBytes === 0) return { tag, bodyAt, endsAt: sizeBytes };
  const head = readAt(position + 1, lengthBytes);
  if (head.length < lengthBytes) return null;
  const endsAt = bodyAt + head.readUIntBE(0, lengthBytes);
  return endsAt > sizeBytes ? null : { tag, bodyAt, endsAt };
}

/**
 * Whether a key fits the encrypted data, by the two bytes that are repeated at its begin (RFC 4880, 5.13): tells a
 * wrong key from a damaged file. True for keys of other ciphers than AES, which cannot be tested here.
 */
export function fitsSessionKey(firstBytes: Buffer, key: Uint8Array, algorithm: string | null): boolean {
  const cipher = /^aes(128|192|256)$/.exec(algorithm ?? '');
  if (cipher === null) return true;
  const decipher = createDecipheriv(`aes-${cipher[1]}-cfb`, key, Buffer.alloc(16));
  const plain = decipher.update(firstBytes);
  return plain[14] === plain[16] && plain[15] === plain[17];
}
