/** The prepared statements that one backend connection has: bounded, the longest unused goes first. */

import type { StatementDefinition } from './statement-definition.ts';

let lastPreparation = 0;

/** For `preparedAt`: later ones are larger. */
export function nextPreparation(): number {
  return ++lastPreparation;
}

export class BackendStatement {
  readonly definition: StatementDefinition;
  /** As the server counts. */
  readonly id: number;
  /** When its COM_STMT_PREPARE was sent (`nextPreparation`). */
  readonly preparedAt: number;
  /** It was executed in another state than its definition says, and may have been prepared anew in that. */
  isUnsure = false;
  /** Types of parameters have been bound: they stay, and an execution without types would use them. */
  typesBound = false;
  lastUse = 0;

  constructor(definition: StatementDefinition, id: number, preparedAt: number) {
    this.definition = definition;
    this.id = id;
    this.preparedAt = preparedAt;
  }
}

export interface StatementsListener {
  /** COM_STMT_CLOSE is due; it has no answer. */
  closeStatement(statementId: number): void;
  /** By how many the statements of this connection have become more. */
  countStatements(difference: number): void;
}

export class BackendStatements {
  readonly #listener: StatementsListener;
  readonly #shared = new Map<StatementDefinition, BackendStatement>();
  /** Taken by one client statement for itself (see `take`). */
  #taken = 0;
  #clock = 0;

  constructor(listener: StatementsListener) {
    this.#listener = listener;
  }

  get size(): number {
    return this.#shared.size + this.#taken;
  }

  /** Without using it: who only looks around does not keep it from being closed. */
  peek(definition: StatementDefinition): BackendStatement | null {
    return this.#shared.get(definition) ?? null;
  }

  /** For an execution that may share it with the next one of anybody. */
  find(definition: StatementDefinition): BackendStatement | null {
    const statement = this.#shared.get(definition);
    if (statement === undefined) return null;
    statement.lastUse = ++this.#clock;
    return statement;
  }

  /** A new one, or one that was taken. It replaces what the definition had; what is over the limit is closed. */
  put(statement: BackendStatement, limit: number): void {
    const before = this.#shared.get(statement.definition);
    if (before !== undefined && before !== statement) this.close(before);
    this.#shared.set(statement.definition, statement);
    statement.lastUse = ++this.#clock;
    if (before === statement) return;
    this.#listener.countStatements(1);
    if (this.#shared.size > limit) this.#closeOldest(limit);
  }

  /** Out of the reach of others: it holds long data, or an open cursor. */
  take(statement: BackendStatement): void {
    if (this.#shared.get(statement.definition) === statement) this.#shared.delete(statement.definition);
    else this.#listener.countStatements(1);
    this.#taken++;
  }

  /** Back from its client statement, clean. */
  giveBack(statement: BackendStatement, limit: number): void {
    this.#taken--;
    this.#listener.countStatements(-1);
    this.put(statement, limit);
  }

  /** @param taken it was one client statement's own. */
  close(statement: BackendStatement, taken = false): void {
    if (taken) this.#taken--;
    else this.#shared.delete(statement.definition);
    this.#listener.countStatements(-1);
    this.#listener.closeStatement(statement.id);
  }

  /** All but those that client statements have for themselves. */
  closeShared(): void {
    for (const statement of [...this.#shared.values()]) this.close(statement);
  }

  /** The server has dropped them all, or is gone. */
  clear(): void {
    this.#listener.countStatements(-this.size);
    this.#shared.clear();
    this.#taken = 0;
  }

  /** A tenth more than necessary, so that not each new one looks through all. */
  #closeOldest(limit: number): void {
    const byAge = [...this.#shared.values()].sort((a, b) => a.lastUse - b.lastUse);
    const surplus = byAge.length - limit + Math.floor(limit / 10);
    for (const statement of byAge.slice(0, Math.min(surplus, byAge.length - 1))) this.close(statement);
  }
}
