/** A folder of this process alone, for the file behind the tables of MEMORY: it holds passwords. */

import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'sluice-memory-';
const PATTERN = /^sluice-memory-(\d+)-[0-9a-f]+$/;

/** @returns null where no folder can be made */
export function makePrivateFolder(parents: readonly (string | null)[]): string | null {
  for (const parent of [...parents.filter((folder) => folder !== null), tmpdir()]) {
    try {
      removeLeftovers(parent);
      const folder = join(parent, `${PREFIX}${process.pid}-${randomBytes(6).toString('hex')}`);
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
    const pid = PATTERN.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
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
