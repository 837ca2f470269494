/** A folder of this process alone, for the file behind the tables of MEMORY: it holds passwords. */

import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'sluice-memory-';
const PATTERN = /^sluice-memory-(\d+)-([0-9a-f]{8})-[0-9a-f]+$/;
/** Processes of other machines, and of other containers, are not seen: theirs is left alone. */
const HERE = createHash('sha1').update(hostname()).digest('hex').slice(0, 8);

/** @returns null where no folder can be made */
export function makePrivateFolder(parents: readonly (string | null)[]): string | null {
  for (const parent of [...parents.filter((folder) => folder !== null), tmpdir()]) {
    try {
      removeLeftovers(parent);
      const folder = join(parent, `${PREFIX}${process.pid}-${HERE}-${randomBytes(6).toString('hex')}`);
      mkdirSync(folder, { mode: 0o700 });
      return folder;
    } catch {
      // The next one, or none.
    }
  }
  return null;
}

export function removePrivateFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Of processes of this user that were killed. */
function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, pid, where] = PATTERN.exec(name) ?? [];
    if (pid === undefined || where !== HERE || isAlive(Number(pid))) continue;
    const folder = join(parent, name);
    if (statSync(folder, { throwIfNoEntry: false })?.uid === process.getuid?.()) removePrivateFolder(folder);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
