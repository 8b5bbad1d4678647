const MARKER = /\[REDACTED:[^\][\s]*\]/g;

/**
 * Puts the secrets of a text back into an edited copy of it: the copy left this machine with markers in their places.
 * Null when the markers are not the same ones in the same order any more, or when it is not clear what stood for one.
 * Pure.
 */
export function putBack(original: string, redacted: string, edited: string): string | null {
  const markers = redacted.match(MARKER) ?? [];
  const kept = edited.match(MARKER) ?? [];
  if (markers.length === 0 || markers.length !== kept.length) return null;
  if (markers.some((marker, index) => marker !== kept[index])) return null;
  const secrets = secretsOf(original, redacted.split(MARKER));
  if (secrets === null) return null;
  let next = 0;
  return edited.replace(MARKER, () => secrets[next++] ?? '');
}

/** What stands in the original between the pieces that stayed. */
function secretsOf(original: string, pieces: readonly string[]): string[] | null {
  const [first = '', ...rest] = pieces;
  if (!original.startsWith(first)) return null;
  const secrets: string[] = [];
  let position = first.length;
  for (const [index, piece] of rest.entries()) {
    const isLast = index === rest.length - 1;
    if (piece === '' && !isLast) return null;
    const end = isLast ? original.length - piece.length : original.indexOf(piece, position + 1);
    if (end <= position || !original.startsWith(piece, end)) return null;
    secrets.push(original.slice(position, end));
    position = end + piece.length;
  }
  return secrets;
}
