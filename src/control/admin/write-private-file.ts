/** A file that only its owner may read, as a whole or not at all. */

import { lstat, rename, rm, writeFile } from 'node:fs/promises';

/** @throws where there is something else than a file of this name, or it cannot be written */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found !== null && !found.isFile()) throw new Error('there is something else of this name');
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
