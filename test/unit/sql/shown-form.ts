import type { DigestScanner } from '../../../src/sql/digest.ts';

/** The normal form of the last scan; bytes that are not UTF-8 are replacement characters, and marks are left out. */
export function shownForm(scanner: DigestScanner): string {
  return scanner.normalized.toString('utf8', 0, scanner.normalizedLength).replaceAll('\0', '');
}
