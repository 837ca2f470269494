/** Writes what an import has made: for its owner only, as it holds passwords, and over nothing that is there. */
import { chmodSync, writeFileSync } from 'node:fs';
import { makeFolder } from '../../common/make-folder.ts';

export interface OutputFile {
  readonly path: string;
  readonly content: string;
}

export interface Output {
  /** Where secrets are written to; null for none. */
  readonly folder: string | null;
  readonly secrets: readonly OutputFile[];
  readonly files: readonly OutputFile[];
  readonly replaces: boolean;
}

/** Says which file could not be written, and why. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

const OWNER_ONLY = 0o600;
const FOLDER_OF_OWNER = 0o700;

function fail(path: string, error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  const reason =
    code === 'EEXIST' ? 'it is there already, --force replaces it' : `it cannot be written (${code})`;
  throw new OutputError(`${path}: ${reason}`);
}

/** @throws OutputError */
export function writeFiles({ folder, secrets, files, replaces }: Output): void {
  if (folder !== null) {
    try {
      makeFolder(folder, FOLDER_OF_OWNER);
    } catch (error) {
      fail(folder, error);
    }
  }
  for (const { path, content } of [...secrets, ...files]) {
    try {
      writeFileSync(path, content, { mode: OWNER_ONLY, flag: replaces ? 'w' : 'wx' });
      // The mode is for new files only.
      chmodSync(path, OWNER_ONLY);
    } catch (error) {
      fail(path, error);
    }
  }
}
