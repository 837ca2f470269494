/** A file system of a few megabytes in memory, for a server whose disk is to become full. Needs root. */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/owned-resources.ts';

const FILLING_BYTES = 1024 * 1024;

export class SmallDisk {
  readonly #mountPoint: string;
  readonly #disposeAtExit = (): void => this.dispose();
  #mounted = false;

  private constructor(sizeBytes: number) {
    this.#mountPoint = makeTemporaryDirectory('disk');
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', this.#mountPoint]);
    this.#mounted = true;
    // In front of the removal of temporary directories, which cannot remove a mount point.
    process.prependOnceListener('exit', this.#disposeAtExit);
  }

  /** Why this machine cannot have it, or null. */
  static unavailableReason(): string | null {
    try {
      SmallDisk.mount(FILLING_BYTES).dispose();
      return null;
    } catch (error) {
      return `a file system cannot be mounted: ${(error as Error).message}`;
    }
  }

  static mount(sizeBytes: number): SmallDisk {
    return new SmallDisk(sizeBytes);
  }

  /** For a server's data; does not exist yet. */
  get dataDir(): string {
    return join(this.#mountPoint, 'data');
  }

  /** Takes all that is left, and what is freed meanwhile. */
  fill(): void {
    mkdirSync(join(this.#mountPoint, 'filling'), { recursive: true });
    const zeros = Buffer.alloc(FILLING_BYTES);
    const file = openSync(join(this.#mountPoint, 'filling', 'zeros'), 'a');
    try {
      for (;;) {
        const { bavail, bsize } = statfsSync(this.#mountPoint);
        const left = bavail * bsize;
        if (left === 0) return;
        writeSync(file, zeros, 0, Math.min(left, zeros.length));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Gives back what `fill` has taken. */
  free(): void {
    rmSync(join(this.#mountPoint, 'filling'), { recursive: true, force: true });
  }

  /** Once the server on it has ended. */
  dispose(): void {
    process.removeListener('exit', this.#disposeAtExit);
    if (this.#mounted) execFileSync('umount', ['--lazy', this.#mountPoint]);
    this.#mounted = false;
    removeTemporaryDirectory(this.#mountPoint);
  }
}
