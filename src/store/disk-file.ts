/** Looks at a file of `dataDir` before it is used: a broken one is put aside, one that cannot be written is only read. */

import { accessSync, constants, existsSync, mkdirSync, renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

export type FileState =
  | { readonly kind: 'writable'; readonly source: string; readonly notices: readonly string[] }
  /** `source` is what ATTACH takes. */
  | {
      readonly kind: 'readOnly';
      readonly source: string;
      readonly reason: string;
      readonly notices: readonly string[];
    }
  | { readonly kind: 'unusable'; readonly reason: string; readonly notices: readonly string[] };

/** Opens and closes it. */
export function examineFile(path: string, now: Date): FileState {
  const blocked = whyNotWritable(path);
  if (!existsSync(path)) {
    if (blocked === null) return { kind: 'writable', source: path, notices: [] };
    const notice = `${path} cannot be made (${blocked}): nothing can be kept`;
    return { kind: 'unusable', reason: blocked, notices: [notice] };
  }
  const source = blocked === null ? path : readOnlySource(path);
  const broken = whyBroken(source);
  if (broken !== null) return putAside(path, broken, now);
  if (blocked === null) return { kind: 'writable', source, notices: [] };
  const notice = `${path} cannot be written to (${blocked}): it is read, and SAVE … TO DISK fails`;
  return { kind: 'readOnly', source, reason: blocked, notices: [notice] };
}

/** The folder counts as well, since SQLite keeps a journal beside the file. */
function whyNotWritable(path: string): string | null {
  const folder = dirname(path);
  try {
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (existsSync(path)) accessSync(path, constants.W_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

function readOnlySource(path: string): string {
  const hasJournal = existsSync(`${path}-journal`) || existsSync(`${path}-wal`);
  // Nobody else writes to it, so that what a journal would undo can be looked past when it cannot be undone.
  return `${pathToFileURL(path).href}?mode=ro${hasJournal ? '&immutable=1' : ''}`;
}

function whyBroken(source: string): string | null {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(source, { timeout: 1000 });
    const found = database.prepare('PRAGMA quick_check(1)').get() as Record<string, unknown> | undefined;
    const verdict = String(found === undefined ? '' : Object.values(found)[0]);
    return verdict === 'ok' ? null : verdict;
  } catch (error) {
    return (error as Error).message;
  } finally {
    database?.close();
  }
}

function putAside(path: string, broken: string, now: Date): FileState {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const aside = `${path}.corrupt-${stamp}`;
  try {
    renameSync(path, aside);
    // A journal of the broken file would be taken for one of the new file.
    for (const suffix of ['-journal', '-wal', '-shm']) {
      if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${aside}${suffix}`);
    }
  } catch (error) {
    const reason = `it is damaged (${broken}) and cannot be put aside: ${(error as Error).message}`;
    return { kind: 'unusable', reason, notices: [`${path} cannot be used: ${reason}`] };
  }
  const notice = `${path} is damaged (${broken}): it was put aside as ${basename(aside)}, and a new one is begun; the configuration file is in force`;
  return { kind: 'writable', source: path, notices: [notice] };
}
