/** What a face shows of a content: text when it is text, else base64; cut when it is long. */

export type ShownContent = {
  readonly encoding: 'text' | 'base64';
  readonly content: string;
  readonly truncatedAtBytes: number | null;
};

/** Text when the bytes are valid UTF-8 without NUL. Cut at a character's border. */
export function showContent(bytes: Buffer, maxBytes: number): ShownContent {
  const isCut = bytes.length > maxBytes;
  if (isText(bytes)) {
    const end = isCut ? characterBorder(bytes, maxBytes) : bytes.length;
    return { encoding: 'text', content: bytes.toString('utf8', 0, end), truncatedAtBytes: isCut ? end : null };
  }
  return {
    encoding: 'base64',
    content: bytes.subarray(0, maxBytes).toString('base64'),
    truncatedAtBytes: isCut ? maxBytes : null,
  };
}

export function isText(bytes: Buffer): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    // Not UTF-8: then it is shown as bytes.
    return false;
  }
}

/** The last position at or before `end` that starts a UTF-8 sequence. */
function characterBorder(bytes: Buffer, end: number): number {
  let border = end;
  while (border > 0 && ((bytes[border] ?? 0) & 0xc0) === 0x80) border -= 1;
  return border;
}
