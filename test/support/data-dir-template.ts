/**
 * Initialising a data directory takes a second (MariaDB) to three (MySQL); copying one takes a tenth of that. So each
 * kind of server is initialised once per version, and every server of every test starts from a copy.
 */

import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

export interface DataDirTemplate {
  /** Names the template; must differ between versions and between different ways of initialising. */
  readonly key: string;
  /**
   * Makes the data directory at this path, which does not exist yet. Temporary files belong into `temporaryDirectory`:
   * a starting server removes what it takes for left-overs from the folder that it uses for them.
   */
  readonly initialise: (dataDir: string, temporaryDirectory: string) => Promise<void>;
}

/** Servers that start together make their template once. */
const making = new Map<string, Promise<string>>();

/** Copies the template to `target`, making the template first where it is missing. */
export async function copyTemplate(template: DataDirTemplate, target: string): Promise<void> {
  let source = making.get(template.key);
  if (source === undefined) {
    source = ensureTemplate(template);
    making.set(template.key, source);
  }
  await mkdir(target, { mode: 0o750 });
  await execFileAsync('cp', ['-r', '--reflink=auto', `${await source}/.`, target]);
}

async function ensureTemplate(template: DataDirTemplate): Promise<string> {
  const cache = process.env.SLUICE_TEST_TEMPLATES ?? join(tmpdir(), 'sluice-test-templates');
  const wanted = join(cache, template.key);
  if (await exists(wanted)) return wanted;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'making-'));
  try {
    const made = join(work, 'data');
    const temporary = join(work, 'tmp');
    await mkdir(temporary);
    await template.initialise(made, temporary);
    await rename(made, wanted);
  } catch (error) {
    // Somebody else may have been first: a directory that is not empty is not replaced by rename.
    if (!(await exists(wanted))) throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return wanted;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
