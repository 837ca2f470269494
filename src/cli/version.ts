import { readFileSync } from 'node:fs';

/** The version in package.json, which is one folder further up from compiled code than from its source. */
export function readVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const content: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      const { name, version } = content as { readonly name?: unknown; readonly version?: unknown };
      if (name === 'sluice' && typeof version === 'string') return version;
    } catch {
      // Not in this folder.
    }
  }
  return 'unknown';
}
