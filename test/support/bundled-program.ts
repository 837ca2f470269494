/**
 * The Sluices of a run are started from the tree that images and packages install: it takes half of what the sources take to
 * start (0.7 instead of 1.4 s of the processor), several hundred times. One test file by itself runs the sources.
 */

import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTree } from '../../docker/build/make-tree.ts';

export interface BundledProgram {
  readonly folder: string;
  /** For SLUICE_TEST_SCRIPT. */
  readonly script: string;
}

/** @throws Error if it cannot be made; whoever gets it removes it */
export async function bundleProgram(): Promise<BundledProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-tree-'));
  // Some tests start it as another user.
  await chmod(folder, 0o755);
  await makeTree(folder);
  return { folder, script: join(folder, 'dist/src/main.js') };
}
