/**
 * What a session has made that binds it to its connection, thing by thing: temporary tables, handlers, statements
 * prepared as text, locks of GET_LOCK. The pin ends with the last of them. What cannot be told by name keeps it up to
 * the end of the session.
 */

import { ER_UNKNOWN_STMT_HANDLER } from '../../common/server-errno.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import { lockNames, preparedText } from '../../sql/literal-arguments.ts';
import {
  ClassReason,
  LockUse,
  type NamedChange,
  PinReason,
  type StatementClass,
  StatementKind,
  type TableReference,
} from '../../sql/statement-class.ts';
import { Plan } from '../router/plan.ts';
import type { PlanCache } from '../router/plan-cache.ts';

/** With more than this the session is not followed any further. */
const MAX_NAMES = 256;

class NamedThings {
  readonly names = new Set<string>();
  /** There are some without a name. */
  obscure = false;

  add(name: string | null): void {
    if (name === null || this.names.size >= MAX_NAMES) this.obscure = true;
    else this.names.add(name);
  }

  get isEmpty(): boolean {
    return this.names.size === 0 && !this.obscure;
  }
}

export class NamedPins {
  readonly #things = new Map<PinReason, NamedThings>();
  /** What EXECUTE of a name runs; null where the text was no literal. */
  readonly #prepared = new Map<string, Plan | null>();
  #preparing: Plan | null = null;

  /**
   * What stands in the literals of a statement that is about to run.
   * @param buffer null where they are not at hand.
   */
  begins(
    statement: StatementClass,
    buffer: Buffer | null,
    start: number,
    end: number,
    context: LexicalContext | null,
    plans: PlanCache,
  ): void {
    this.#preparing = null;
    const isReadable = buffer !== null && context !== null;
    if (statement.pins.includes(PinReason.userLock))
      this.#noteLocks(isReadable ? lockNames(buffer, start, end, context) : null);
    if (!isReadable) return;
    if (statement.named?.pin !== PinReason.textPrepare || statement.named.gains?.length === 0) return;
    const text = preparedText(buffer, start, end, context);
    if (text !== null) this.#preparing = plans.planFor(text, 0, text.length, context);
  }

  /** What an EXECUTE stands for, as far as it is known; the plan itself for everything else. */
  resolve(
    plan: Plan,
    buffer: Buffer,
    start: number,
    end: number,
    context: LexicalContext,
    plans: PlanCache,
  ): Plan {
    const { statement } = plan;
    if (statement.command !== 'EXECUTE' || statement.statementCount !== 1) return plan;
    const { executes } = statement;
    if (executes !== null) return this.#prepared.get(executes) ?? plan;
    const text = preparedText(buffer, start, end, context);
    return text === null ? plan : executionOf(plans.planFor(text, 0, text.length, context));
  }

  /**
   * After a statement.
   * @param schema the session's, in front of names without one.
   * @returns the pins that have ended.
   */
  ends(statement: StatementClass, errno: number, schema: string | null): PinReason[] {
    const ended: PinReason[] = errno === 0 ? [...statement.releases] : [];
    if (errno === 0 && statement.locks === LockUse.releasesAll) ended.push(PinReason.userLock);
    const { named } = statement;
    if (named !== null) this.#apply(named, errno, schema);
    // Several statements at once: whatever they have made has no name.
    else if (errno === 0) this.#obscure(statement.pins);
    const pin = named?.pin;
    if (pin !== undefined && this.#things.get(pin)?.isEmpty !== false) ended.push(pin);
    for (const reason of ended) this.#things.delete(reason);
    return ended;
  }

  /** A question whose answer is 0 or NULL when none of the locks is held any more; null where there is nothing to ask. */
  get lockProbe(): string | null {
    const locks = this.#things.get(PinReason.userLock);
    if (locks === undefined || locks.obscure) return null;
    const held = [...locks.names].map((name) => `COALESCE(IS_USED_LOCK('${name}')=CONNECTION_ID(),0)`);
    return `SELECT ${held.join('+')}`;
  }

  get mayHoldLocks(): boolean {
    return this.#things.has(PinReason.userLock);
  }

  locksFreed(): void {
    this.#things.delete(PinReason.userLock);
  }

  clear(): void {
    this.#things.clear();
    this.#prepared.clear();
  }

  #thingsOf(pin: PinReason): NamedThings {
    let things = this.#things.get(pin);
    if (things === undefined) {
      things = new NamedThings();
      this.#things.set(pin, things);
    }
    return things;
  }

  /** Whether they have been taken will be asked. */
  #noteLocks(names: readonly string[] | null): void {
    const locks = this.#thingsOf(PinReason.userLock);
    if (names === null) locks.obscure = true;
    for (const name of names ?? []) locks.add(name);
  }

  #obscure(pins: readonly PinReason[]): void {
    for (const pin of pins)
      if (pin !== PinReason.userLock && NAMED.has(pin)) this.#thingsOf(pin).obscure = true;
  }

  #apply(named: NamedChange, errno: number, schema: string | null): void {
    const things = this.#things.get(named.pin);
    if (errno === ER_UNKNOWN_STMT_HANDLER && named.pin === PinReason.textPrepare)
      for (const name of named.loses) things?.names.delete(keyOf(name, named.pin, schema));
    if (errno !== 0) return;
    for (const name of named.loses) {
      things?.names.delete(keyOf(name, named.pin, schema));
      this.#prepared.delete(name.table);
    }
    for (const [before, after] of named.renames)
      if (things?.names.delete(keyOf(before, named.pin, schema)))
        things.names.add(keyOf(after, named.pin, schema));
    // A rename that is not understood concerns temporary tables only if there are some.
    if (named.gains === null) {
      if (things !== undefined || named.pin !== PinReason.temporaryTable)
        this.#thingsOf(named.pin).obscure = true;
      return;
    }
    for (const name of named.gains) {
      this.#thingsOf(named.pin).add(keyOf(name, named.pin, schema));
      if (named.pin === PinReason.textPrepare)
        this.#prepared.set(name.table, this.#preparing === null ? null : executionOf(this.#preparing));
    }
  }
}

const NAMED: ReadonlySet<PinReason> = new Set<PinReason>([
  PinReason.temporaryTable,
  PinReason.handler,
  PinReason.textPrepare,
]);

function keyOf(name: TableReference, pin: PinReason, schema: string | null): string {
  return pin === PinReason.temporaryTable ? `${name.schema ?? schema ?? ''}\0${name.table}` : name.table;
}

/** It runs as the statement that was prepared, but where the name is. */
function executionOf(inner: Plan): Plan {
  const statement: StatementClass = {
    ...inner.statement,
    provenRead: false,
    reason: ClassReason.notARead,
    detail: 'EXECUTE',
    beginReadOnly: false,
    // Its literals are not in the text that runs.
    locks: inner.statement.locks === LockUse.none ? LockUse.none : LockUse.some,
    kind: inner.statement.kind === StatementKind.read ? StatementKind.read : inner.statement.kind,
  };
  return new Plan(statement, inner.normalized, inner.contextKey, inner.hashLow, inner.hashHigh);
}
