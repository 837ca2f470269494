import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Debian keeps servers in sbin, which an ordinary user's PATH may lack. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of the first of these programs that exists, or null. */
export async function findProgramIfAny(names: readonly string[]): Promise<string | null> {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...SBIN];
  for (const name of names) {
    for (const directory of directories) {
      const path = join(directory, name);
      if (await isExecutable(path)) return path;
    }
  }
  return null;
}

export async function findProgram(names: readonly string[]): Promise<string> {
  const path = await findProgramIfAny(names);
  if (path === null)
    throw new Error(`none of ${names.join(', ')} is in PATH: run sh test/support/setup.sh servers`);
  return path;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
