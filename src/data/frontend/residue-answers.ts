/**
 * Statements that ask about the one before, on their way to a connection that does not know: what they ask for is
 * fetched, and put into the statement as values, or into an answer.
 */

import { Command, hasCapability, MariadbCapability, SESSION_STATUS_FLAGS } from '../../../protocol/index.ts';
import { clientError } from '../../common/errors.ts';
import type { StatementClass } from '../../sql/statement-class.ts';
import { type CallValue, substituteCalls } from '../../sql/substitute-calls.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { Plan } from '../router/plan.ts';
import type { WorkerContext } from '../worker-context.ts';
import { usesResidue } from './asked-connection.ts';
import { connectionIdValues } from './connection-id-values.ts';
import { diagnosticsAssignment, shownDiagnostics } from './diagnostics-answer.ts';
import type { Session } from './session.ts';
import { SessionPhase } from './session-phase.ts';

/** The statement goes its way as it is; or it is answered, or will come again. */
export const AS_IT_IS = 'as it is';
export const TAKEN = 'taken';

export class ResidueAnswers {
  readonly #session: Session;
  readonly #context: WorkerContext;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
  }

  /** @returns a payload to run instead of `buffer[start, end)`, or what becomes of it. */
  prepare(buffer: Buffer, start: number, end: number, plan: Plan): Buffer | typeof AS_IT_IS | typeof TAKEN {
    const { statement } = plan;
    const { residue } = statement;
    const asks = usesResidue(statement);
    if (!asks && !residue.connectionId) return AS_IT_IS;
    const session = this.#session;
    const context = session.lexicalContext();
    if (context === null) return AS_IT_IS;
    const prepared = session.run.statement;
    const target = asks ? this.#target(statement) : null;
    if (asks && this.#waits(statement, target, buffer, start, end)) return TAKEN;
    const values: Map<string, CallValue> = asks
      ? session.run.residue.countsFor(statement, target)
      : new Map();
    if (residue.diagnostics && !session.run.residue.diagnostics.isTold(target)) {
      const text = prepared === null ? buffer.subarray(start + 1, end) : prepared.prepared.text;
      const taken = this.#diagnostics(text, statement, values);
      if (taken !== AS_IT_IS) return taken;
    }
    if (residue.connectionId) {
      const ids = connectionIdValues(statement, session.identity.connectionId, session.state, context.flavor);
      for (const [name, value] of ids ?? []) values.set(name, value);
    }
    if (values.size === 0) return AS_IT_IS;
    if (prepared === null) return payload(substituteCalls(buffer, start + 1, end, context, values));
    prepared.definition = session.prepared.substituted(prepared, values);
    return AS_IT_IS;
  }

  /** Where the statement will run, if that connection knows what it asks about. */
  #target(statement: StatementClass): BackendConnection | null {
    const { run } = this.#session;
    if (run.held !== null) return run.held;
    const wanted = run.wantedFor(statement);
    const pool = wanted === null ? null : this.#context.backends.poolOf(wanted.server.address);
    return wanted !== null && pool?.hasIdle(wanted) === true ? wanted : null;
  }

  #waits(
    statement: StatementClass,
    target: BackendConnection | null,
    buffer: Buffer,
    start: number,
    end: number,
  ): boolean {
    const session = this.#session;
    let packet: Buffer | null = null;
    const waits = session.run.residue.fetches(statement, target, () => {
      if (packet !== null && session.phase === SessionPhase.busy) session.commands.again(packet);
    });
    if (!waits) return false;
    packet = Buffer.from(buffer.subarray(start, end));
    session.run.statement = null;
    return true;
  }

  #diagnostics(
    text: Buffer,
    statement: StatementClass,
    values: Map<string, CallValue>,
  ): Buffer | typeof AS_IT_IS | typeof TAKEN {
    const session = this.#session;
    const { residue } = session.run;
    const list = residue.diagnostics.memory;
    const context = session.lexicalContext();
    if (context === null) return AS_IT_IS;
    if (statement.command === 'GET') {
      const assignment = diagnosticsAssignment(text, 0, text.length, context, list, {
        isMariadb: context.flavor === 'mariadb',
        resultsCharset: session.state.variables?.values.get('character_set_results') ?? '',
        rowCount: residue.rowCount,
      });
      if (assignment !== null) return payload(Buffer.from(assignment, 'latin1'));
      // An empty list is made by emptying the connection's.
      if (list.rows.length === 0) return AS_IT_IS;
      session.run.statement = null;
      session.refuse(clientError('PROXY_DIAGNOSTICS_GONE', {}));
      return TAKEN;
    }
    if (list.warningCount === 0) return AS_IT_IS;
    const { mariadbFlags } = session.connectionKey;
    const answer = shownDiagnostics(text, 0, text.length, context, list, {
      capabilities: session.clientCapabilities,
      extendedMetadata: hasCapability(mariadbFlags, MariadbCapability.MARIADB_CLIENT_EXTENDED_METADATA),
      flavor: context.flavor,
      isBinary: session.run.statement !== null,
      statusFlags: session.state.statusFlags & SESSION_STATUS_FLAGS,
    });
    if (answer !== null) {
      session.run.statement = null;
      session.write(answer);
      residue.answeredRows();
      session.run.lastErrno = 0;
      session.runFinished();
      return TAKEN;
    }
    values.set('@@warning_count', countOf('@@warning_count', list.warningCount));
    values.set('@@error_count', countOf('@@error_count', list.errorCount));
    return AS_IT_IS;
  }
}

/** The variable that is never read gives the column its type. */
function countOf(name: string, count: number): CallValue {
  return { sql: `IF(1,CAST(${count} AS UNSIGNED),${name})`, optional: false };
}

function payload(text: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([Command.COM_QUERY]), text]);
}
