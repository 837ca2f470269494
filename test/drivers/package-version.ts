import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The version in the `package.json` of a checkout. */
export async function packageVersion(source: string): Promise<string> {
  const description: unknown = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
  const version = (description as { version?: unknown }).version;
  return typeof version === 'string' ? version : 'unknown';
}
