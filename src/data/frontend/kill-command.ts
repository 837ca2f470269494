/**
 * KILL. Sluice's ids are its clients'; they are where no server's thread ids are (`FIRST_CONNECTION_ID`), and every
 * other id is a thread of the primary: that of one of Sluice's own connections stands for the session it serves now,
 * the rest is the primary's business.
 */

import { clientError } from '../../common/errors.ts';
import { KillOutcome } from '../../common/thread-messages.ts';
import { type KillStatement, KillTarget } from '../../sql/kill-statement.ts';
import { askAs } from '../backend/own-query.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { Session } from './session.ts';
import { SessionPhase } from './session-phase.ts';

/** MariaDB 10.11: from here on SUPER does not imply CONNECTION ADMIN. */
const SUPER_SPLIT_VERSION = 101100;

export class KillCommand {
  readonly #session: Session;
  readonly #context: WorkerContext;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
  }

  /**
   * @param done the OK for the client, and what comes after it.
   * @param forward sends the command to the primary as it is.
   */
  run(kill: KillStatement, done: () => void, forward: () => void): void {
    if (kill.target === KillTarget.user) {
      this.#killUser(kill, forward);
      return;
    }
    const { connectionId } = this.#session.identity;
    const queryOnly = kill.target === KillTarget.query;
    // Sessions without a server connection are known by no thread.
    if (kill.id === 0) this.#session.refuse(clientError('PROXY_NO_SUCH_THREAD', { connectionId: 0 }));
    else if (kill.id === null || kill.id === connectionId) this.#killSelf(queryOnly);
    else this.#request(kill.id, queryOnly, false, done, forward);
  }

  #request(id: number, queryOnly: boolean, ofAll: boolean, done: () => void, forward: () => void): void {
    const session = this.#session;
    const { username } = session;
    const target = { connectionId: id, queryOnly, username, ofAll, allOfUser: null };
    this.#context.sessions.requestKill(target, (outcome) => {
      if (session.phase === SessionPhase.closed) return;
      if (outcome === KillOutcome.killed) done();
      else if (outcome === KillOutcome.unknown) forward();
      else if (ofAll) session.refuse(clientError('PROXY_KILL_DENIED', { connectionId: id }));
      else
        this.#whetherAdministrator((mayAll) => {
          if (mayAll) this.#request(id, queryOnly, true, done, forward);
          else session.refuse(clientError('PROXY_KILL_DENIED', { connectionId: id }));
        });
    });
  }

  /** MariaDB's KILL USER: the sessions here, and then whatever else the primary has of this user. */
  #killUser(kill: KillStatement, forward: () => void): void {
    const session = this.#session;
    const { username } = session;
    const { connectionId } = session.identity;
    const allOfUser = kill.user === '' ? username : kill.user;
    const target = { connectionId, queryOnly: kill.queryOnly, username, ofAll: true, allOfUser };
    const kills = (mayAll: boolean): void => {
      if (!mayAll) session.refuse(clientError('PROXY_KILL_DENIED', { connectionId }));
      else
        this.#context.sessions.requestKill(target, () => {
          if (session.phase !== SessionPhase.closed) forward();
        });
    };
    if (allOfUser === username) kills(true);
    else this.#whetherAdministrator(kills);
  }

  /** Whether the account may kill what belongs to others, by what the primary says of its privileges. */
  #whetherAdministrator(then: (mayAll: boolean) => void): void {
    const session = this.#session;
    const { primary, dialect } = this.#context.backends;
    if (primary === null) {
      then(false);
      return;
    }
    const mariadb =
      dialect.versionId >= SUPER_SPLIT_VERSION ? ['CONNECTION ADMIN'] : ['CONNECTION ADMIN', 'SUPER'];
    const privileges = dialect.flavor === 'mariadb' ? mariadb : ['CONNECTION_ADMIN', 'SUPER'];
    const answer = (mayAll: boolean): void => {
      if (session.phase !== SessionPhase.closed) then(mayAll);
    };
    askAs({
      pool: primary,
      connectionKey: session.connectionKey,
      collationId: session.collationId,
      sql:
        "SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = CONCAT('''', " +
        "LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1), " +
        "'''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''') " +
        `AND PRIVILEGE_TYPE IN (${privileges.map((name) => `'${name}'`).join(', ')})`,
      stillWanted: () => session.phase !== SessionPhase.closed,
      answered: ({ rows }) => answer(Number(rows[0]?.[0] ?? 0) > 0),
      failed: () => answer(false),
    });
  }

  /** The statement that ends is the KILL itself: MySQL calls it interrupted, MariaDB the connection killed. */
  #killSelf(queryOnly: boolean): void {
    const session = this.#session;
    const isMysql = this.#context.backends.dialect.flavor === 'mysql';
    const code = queryOnly || isMysql ? 'PROXY_QUERY_INTERRUPTED' : 'PROXY_CONNECTION_KILLED';
    session.sendError(clientError(code, {}));
    if (queryOnly) session.commandDone();
    else session.close('KILL of itself');
  }
}
