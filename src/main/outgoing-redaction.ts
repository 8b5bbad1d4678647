import { createRedactor, REDACTED } from './log/redact.ts';
import type { Redaction } from './sync/parts.ts';

const MARKER = '[REDACTED:secret]';

/** Takes out of a text what leaves the machine nowhere: the shapes that logs hide, and the configured secrets. */
export function createOutgoingRedaction(secrets: () => readonly string[]): (text: string) => Redaction {
  return (text) => {
    const redactor = createRedactor();
    for (const secret of secrets()) redactor.addSecret(secret);
    const pieces = redactor.text(text).split(REDACTED);
    const before = text.split(REDACTED).length;
    // A text that quotes the marker of the logs has it before, and keeps it.
    if (pieces.length === before) return { text, redactions: 0, kinds: [] };
    return { text: pieces.join(MARKER), redactions: pieces.length - before, kinds: ['secret'] };
  };
}
