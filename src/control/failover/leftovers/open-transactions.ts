/**
 * Transactions that clients have left open on a server, with row locks. Read from `innodb_trx`, which servers make anew only
 * if nobody has read it for 100 ms, together with the process list, which is always as it is now.
 */

import type { ServerLink } from '../servers/server-link.ts';

export interface OpenTransaction {
  /** Of thread and transaction: no other one has it as long as the server runs. */
  readonly key: string;
  readonly threadId: string;
  /** `user@host:port` as the process list has it. */
  readonly account: string;
  /** KILL was sent, and the thread has not ended. */
  readonly isKilled: boolean;
  /** It takes as long as what it has done did. */
  readonly isRollingBack: boolean;
}

/** Neither appliers of replication nor XA transactions that nobody is connected to: a KILL ends neither. */
const FIND = `SELECT CONCAT(p.ID, '/', t.trx_id) AS id, p.ID AS thread, CONCAT(p.USER, '@', p.HOST) AS account,
    p.COMMAND AS command, t.trx_state AS state
  FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
  WHERE p.ID <> CONNECTION_ID() AND p.USER NOT IN ('system user', 'event_scheduler')
    AND (t.trx_rows_modified > 0 OR t.trx_rows_locked > 0)
  ORDER BY t.trx_started LIMIT 1000`;

/** @throws ServerOrderError; 1227 without PROCESS */
export async function readOpenTransactions(link: ServerLink): Promise<readonly OpenTransaction[]> {
  const rows = await link.query(FIND);
  return rows.map(({ id, thread, account, command, state }) => ({
    key: id ?? '',
    threadId: thread ?? '',
    account: account ?? '',
    isKilled: command === 'Killed',
    isRollingBack: state === 'ROLLING BACK',
  }));
}

const NAMED = 10;

/** For events: `4711 (app@10.0.0.7:40312), …`. */
export function describeTransactions(transactions: readonly OpenTransaction[]): string {
  const named = transactions.slice(0, NAMED).map(({ threadId, account }) => `${threadId} (${account})`);
  const more = transactions.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}
