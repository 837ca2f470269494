/** Looks at a file of `dataDir` before it is used: a broken one is put aside, one that cannot be written is only read. */

import { accessSync, constants, existsSync, renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { makeFolder } from '../common/make-folder.ts';
import { sqliteCodeOf } from './store-failure.ts';

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

/** Somebody else may be in the middle of a copy of it. */
const LOCK_TIMEOUT_MS = 5000;
/** Result codes of a file that is no database any more; all others say that it cannot be read now. */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

type Verdict =
  | { readonly kind: 'sound' }
  | { readonly kind: 'broken' | 'unreadable'; readonly reason: string };

/**
 * Opens and closes it.
 * @param schema the name that it is attached by: views of operators may have it in them.
 */
export function examineFile(path: string, schema: string, now: Date): FileState {
  const blocked = whyNotWritable(path);
  if (!existsSync(path)) {
    if (blocked === null) return { kind: 'writable', source: path, notices: [] };
    const notice = `${path} cannot be made (${blocked}): nothing can be kept`;
    return { kind: 'unusable', reason: blocked, notices: [notice] };
  }
  const source = blocked === null ? path : readOnlySource(path);
  const verdict = soundness(source, schema);
  if (verdict.kind === 'broken') return putAside(path, verdict.reason, now);
  if (verdict.kind === 'unreadable') {
    const notice = `${path} cannot be read (${verdict.reason}): it stays as it is, and is not used`;
    return { kind: 'unusable', reason: verdict.reason, notices: [notice] };
  }
  if (blocked === null) return { kind: 'writable', source, notices: [] };
  const notice = `${path} cannot be written to (${blocked}): it is read, and SAVE … TO DISK fails`;
  return { kind: 'readOnly', source, reason: blocked, notices: [notice] };
}

/** The folder counts as well, since SQLite keeps a journal beside the file. */
function whyNotWritable(path: string): string | null {
  const folder = dirname(path);
  try {
    makeFolder(folder, 0o700);
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

function soundness(source: string, schema: string): Verdict {
  const database = new DatabaseSync(':memory:', { timeout: LOCK_TIMEOUT_MS });
  try {
    database.prepare(`ATTACH ? AS ${schema}`).run(source);
    const found = database.prepare(`PRAGMA ${schema}.quick_check(1)`).get();
    const verdict = String(found === undefined ? '' : Object.values(found)[0]);
    return verdict === 'ok' ? { kind: 'sound' } : { kind: 'broken', reason: verdict };
  } catch (error) {
    const code = (sqliteCodeOf(error) ?? 0) & 0xff;
    const isBroken = code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
    return { kind: isBroken ? 'broken' : 'unreadable', reason: (error as Error).message };
  } finally {
    database.close();
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
