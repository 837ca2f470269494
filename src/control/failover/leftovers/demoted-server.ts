/**
 * What clients have left open on one server that is the primary no more.
 *
 * Nothing of it can be committed: servers refuse that when they are read-only, and roll back. But a transaction whose client
 * does nothing keeps its row locks, and replication, which waits for them, gives up after some tries. Connections of Sluice's
 * own clients are closed, which ends their transactions; those of others, and those whose end the server has never heard of
 * because the network was cut, are ended with KILL.
 *
 * KILL may fail on MySQL 5.7: the killing thread closes the socket of the killed one, and if a new connection gets the number
 * of that socket at once, the killed thread waits for its next command until its `wait_timeout` is over, locks and all. Another
 * KILL changes nothing.
 */

import { ER_KILL_DENIED_ERROR, ER_NO_SUCH_THREAD } from '../../../common/server-errno.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';
import { errnoOf, isDenied } from '../../monitor/server-error.ts';
import type { FailoverEvent } from '../failover-event.ts';
import type { ServerOperator } from '../servers/server-operator.ts';
import { describeTransactions, type OpenTransaction, readOpenTransactions } from './open-transactions.ts';

export interface DemotedServerOptions {
  readonly address: ServerAddress;
  readonly note: (event: FailoverEvent) => void;
  readonly nowMs: () => number;
}

/** Whether transactions may be ended by now, and why not. */
export type Permission = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** A KILL that has not had its effect after this long will have none. */
const KILL_TAKES_MS = 1500;

const STUCK =
  'KILL did not end them, as happens on MySQL 5.7: each ends when the wait_timeout of its session is over. ' +
  'Restart the server to free the rows sooner';
const DENIED =
  'the monitor account may not end them: GRANT SUPER (MySQL 8: CONNECTION_ADMIN, MariaDB: CONNECTION ADMIN) ON *.* to it, or KILL them';
const UNSEEN = 'the monitor account may not look for them: GRANT PROCESS ON *.* to it';

/** A replica's applier that has given up on a lock. */
const LOCK_WAIT = /\b1205\b/;

export class DemotedServer {
  readonly #options: DemotedServerOptions;
  readonly #sinceMs: number;
  /** Those that were open when the server was seen read-only first; null before that. Later ones are its own. */
  #known: ReadonlySet<string> | null = null;
  #killedAtMs = 0;
  #isDenied = false;
  #toldReason = '';
  #openBefore = 0;
  /** Some have ended: what waited for them may have given up. */
  #isRestartDue = false;
  #hasRestarted = false;
  #isEmptySeen = false;

  constructor(options: DemotedServerOptions) {
    this.#options = options;
    this.#sinceMs = options.nowMs();
  }

  get address(): ServerAddress {
    return this.#options.address;
  }

  get ageMs(): number {
    return this.#options.nowMs() - this.#sinceMs;
  }

  /**
   * Only while the server is read-only.
   * @param permission null while their clients are given time.
   * @returns whether nothing is left
   * @throws ServerOrderError
   */
  async look(operator: ServerOperator, permission: Permission | null): Promise<boolean> {
    const open = await this.#read(operator);
    if (open === null) return false;
    if (open.length < this.#openBefore) this.#isRestartDue = true;
    this.#openBefore = open.length;
    // Also at the look behind that: an applier may have given up in the same moment.
    const isRestarting = this.#isRestartDue;
    if (isRestarting) await this.#restartApplier(operator);
    if (open.length === 0) {
      const isOver = !isRestarting || this.#isEmptySeen;
      this.#isEmptySeen = true;
      if (isOver && this.#toldReason !== '') this.#gone();
      return isOver;
    }
    if (permission === null) return false;
    if (permission.ok) await this.#end(operator, open);
    else this.#tell(open, permission.reason);
    return false;
  }

  async #read({ link }: ServerOperator): Promise<readonly OpenTransaction[] | null> {
    try {
      const open = await readOpenTransactions(link);
      this.#known ??= new Set(open.map(({ key }) => key));
      return open.filter(({ key }) => this.#known?.has(key));
    } catch (error) {
      if (!isDenied(error)) throw error;
      this.#tell([], UNSEEN);
      return null;
    }
  }

  async #end(operator: ServerOperator, open: readonly OpenTransaction[]): Promise<void> {
    const untouched = open.filter(({ isKilled, isRollingBack }) => !isKilled && !isRollingBack);
    const stuck = open.filter(({ isRollingBack }) => !isRollingBack);
    const isFirst = this.#killedAtMs === 0;
    if (isFirst) this.#killedAtMs = this.#options.nowMs();
    for (const { threadId } of this.#isDenied ? [] : untouched) await this.#kill(operator, threadId);
    if (this.#isDenied) this.#tell(open, DENIED);
    else if (isFirst && untouched.length > 0)
      this.#options.note({
        address: this.address,
        kind: 'transactions-killed',
        transactions: describeTransactions(untouched),
      });
    else if (stuck.length > 0 && this.#options.nowMs() - this.#killedAtMs >= KILL_TAKES_MS)
      this.#tell(stuck, STUCK);
  }

  async #kill({ link }: ServerOperator, threadId: string): Promise<void> {
    try {
      await link.query(`KILL ${threadId}`);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === ER_KILL_DENIED_ERROR || isDenied(error)) this.#isDenied = true;
      else if (errno !== ER_NO_SUCH_THREAD) throw error;
    }
  }

  /** Once for each reason: who is left is told when it is the first time. */
  #tell(open: readonly OpenTransaction[], reason: string): void {
    if (this.#toldReason === reason) return;
    this.#toldReason = reason;
    this.#options.note({
      address: this.address,
      kind: 'transactions-left',
      transactions: describeTransactions(open),
      reason,
    });
  }

  #gone(): void {
    const { address } = this;
    const afterMs = Math.round(this.ageMs);
    this.#options.note({ kind: 'transactions-gone', address, afterMs, restarted: this.#hasRestarted });
  }

  async #restartApplier(operator: ServerOperator): Promise<void> {
    if (await restartApplier(operator)) this.#hasRestarted = true;
  }
}

/** What has stopped since it waited too long for a lock. */
async function restartApplier(operator: ServerOperator): Promise<boolean> {
  const { channels } = await operator.readState();
  const stopped = channels.filter(
    ({ sqlRunning, sqlError }) => sqlRunning === 'No' && LOCK_WAIT.test(sqlError),
  );
  for (const { name } of stopped) await operator.startReplication(name, 'sql');
  return stopped.length > 0;
}
