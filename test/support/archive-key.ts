import { createHash } from 'node:crypto';
import type { ArchiveKey } from '../../src/main/backup/archive-format.ts';

/** A key for tests, another one for each name. */
export function testArchiveKey(name = 'first'): ArchiveKey {
  const bytes = createHash('sha256').update(`key of a test: ${name}`).digest();
  return {
    fingerprint: bytes.toString('hex').slice(0, 16),
    passphrase: `pass-${bytes.toString('base64url')}`,
    macKey: bytes,
  };
}
