/** Looks for savepoints in a server's binlog, from a position on to its end. */

import type { Row } from '../../monitor/monitor-connection.ts';
import { quote } from '../servers/replication-statements.ts';
import type { BinlogPosition } from './binlog-positions.ts';

export type RunStatement = (sql: string) => Promise<readonly Row[]>;

/** The server holds up its commits while it reads: a little at a time. */
const EVENTS_PER_QUERY = 1000;
/** Beyond this many a search would take longer than anybody waits. */
const MAX_EVENTS = 500_000;

const SAVEPOINT = /^SAVEPOINT `(sluice_[0-9a-f]+_\d+)`$/;

/** The end of what was searched lies beyond what can be read in reasonable time. */
class BinlogTooLongError extends Error {
  constructor() {
    super(`more than ${MAX_EVENTS} events of the binlog would have to be read`);
    this.name = 'BinlogTooLongError';
  }
}

/** @returns those of the tags that stand in a committed transaction. */
export async function findCommittedTags(
  run: RunStatement,
  from: BinlogPosition,
  wanted: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const reader = new TagReader(wanted);
  const logs = (await run('SHOW BINARY LOGS')).map((row) => row.Log_name ?? '');
  const first = logs.indexOf(from.file);
  if (first === -1) throw new Error(`its binlog ${from.file} is not there any more`);
  let events = 0;
  for (const file of logs.slice(first)) {
    let offset = file === from.file ? from.offset : 0;
    for (;;) {
      const start = offset === 0 ? '' : `FROM ${offset} `;
      const rows = await run(`SHOW BINLOG EVENTS IN ${quote(file)} ${start}LIMIT ${EVENTS_PER_QUERY}`);
      for (const row of rows) reader.take(row.Event_type ?? '', row.Info ?? '');
      if (reader.isDone) return reader.committed;
      events += rows.length;
      if (events > MAX_EVENTS) throw new BinlogTooLongError();
      if (rows.length < EVENTS_PER_QUERY) break;
      offset = Number(rows.at(-1)?.End_log_pos);
    }
  }
  return reader.committed;
}

/**
 * A transaction with changes that cannot be undone (of MyISAM tables) is logged when it is rolled back, too: only the
 * event at its end tells.
 */
export class TagReader {
  readonly committed = new Set<string>();
  readonly #wanted: ReadonlySet<string>;
  #inTransaction: string[] = [];

  constructor(wanted: ReadonlySet<string>) {
    this.#wanted = wanted;
  }

  get isDone(): boolean {
    return this.committed.size === this.#wanted.size;
  }

  take(type: string, info: string): void {
    if (/^(?:Anonymous_)?Gtid/i.test(type)) this.#inTransaction = [];
    else if (type === 'Xid' || (type === 'Query' && endsWith(info, 'COMMIT'))) this.#commit();
    else if (type === 'Query' && endsWith(info, 'ROLLBACK')) this.#inTransaction = [];
    else if (type === 'Query') {
      const tag = SAVEPOINT.exec(withoutUse(info))?.[1];
      if (tag !== undefined && this.#wanted.has(tag)) this.#inTransaction.push(tag);
    }
  }

  #commit(): void {
    for (const tag of this.#inTransaction) this.committed.add(tag);
    this.#inTransaction = [];
  }
}

function endsWith(info: string, word: string): boolean {
  return withoutUse(info).trim() === word;
}

/** MySQL puts the schema in front of statements. */
function withoutUse(info: string): string {
  return info.replace(/^use `(?:[^`]|``)*`; /, '');
}
