/** The connection that knows what a statement asks about: LAST_INSERT_ID(), FOUND_ROWS(), warnings, user variables. */

import { PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { Residue } from './residue.ts';
import type { SearchClient } from './search-client.ts';

export function usesResidue({ residue }: StatementClass): boolean {
  return residue.lastInsertId || residue.diagnostics || residue.foundRows || residue.rowCount;
}

export class AskedConnection {
  readonly #client: SearchClient;
  readonly #context: WorkerContext;
  readonly #residue: Residue;
  readonly #fetched: () => void;

  /** @param fetched called when what was to be read from another connection has been. */
  constructor(client: SearchClient, context: WorkerContext, residue: Residue, fetched: () => void) {
    this.#client = client;
    this.#context = context;
    this.#residue = residue;
    this.#fetched = fetched;
  }

  /**
   * What only another connection knows is read from there first.
   * @param held the one that the statement goes to, where that is known
   * @returns true if it is being read
   */
  fetches(statement: StatementClass, held: BackendConnection | null): boolean {
    if (!this.#asks(statement)) return false;
    return this.#residue.fetches(statement, held ?? this.wanted(statement), this.#fetched);
  }

  /** A statement that asks for what the last one left goes to the connection where it is. */
  goBack(statement: StatementClass): BackendConnection | null {
    if (!this.#asks(statement)) return null;
    const wanted = this.wanted(statement);
    if (wanted === null) return null;
    return this.#context.backends.poolOf(wanted.server.address)?.takeIdle(wanted) === true ? wanted : null;
  }

  #asks(statement: StatementClass): boolean {
    return usesResidue(statement) || this.#residue.concerns(statement);
  }

  /** Where the answer is, unless the rest of the statement cannot run there: other capabilities by now, a write. */
  wanted(statement: StatementClass): BackendConnection | null {
    const wanted = this.#residue.wantedConnection(statement);
    if (wanted === null || wanted.key.text !== this.#client.connectionKey.text) return null;
    if (this.refuses(statement, wanted) || this.#losesList(statement, wanted)) return null;
    const isPrimary = wanted.server.address === this.#context.backends.primary?.server.address;
    if (isPrimary) return wanted;
    return !statement.mayWrite && this.#client.routing.seesEnoughOn(wanted, statement) ? wanted : null;
  }

  /** A variable that the session has never set has a type of its own, which no assignment brings back. */
  refuses(statement: StatementClass, { userVariables }: BackendConnection): boolean {
    if (userVariables.isEmpty) return false;
    const own = this.#client.state.userVariables;
    // What is held serves whatever comes next.
    if (this.#mayHold(statement) && !userVariables.isWithin(own)) return true;
    return statement.readsVariables.some((name) => userVariables.has(name) && !own.has(name));
  }

  #mayHold({ kind, pins }: StatementClass): boolean {
    if (kind === StatementKind.begin || this.#client.state.variables?.autocommit === false) return true;
    return pins.some((reason) => reason !== PinReason.userVariable);
  }

  /** MySQL empties its list of warnings with the SET that brings the session's variables there. */
  #losesList({ residue, userVariables }: StatementClass, connection: BackendConnection): boolean {
    if (!residue.diagnostics || connection.server.flavor !== 'mysql') return false;
    const mentions = userVariables === null || userVariables.length > 0;
    return mentions && connection.userVariables !== this.#client.state.userVariables;
  }
}
