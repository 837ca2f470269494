/**
 * Answers SELECT and SET of `@@sluice.name`, as text and prepared. What the variables mean, whoever provides them knows; no
 * server sees them, and none is asked.
 */

import {
  Capability,
  decodeComStmtExecute,
  encodeComStmtPrepareOk,
  encodeResultColumn,
  frameEof,
  frameOk,
  framePacket,
  hasCapability,
  MariadbCapability,
  type ParameterType,
  ResultsetWriter,
  SESSION_STATUS_FLAGS,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import {
  type OwnAssignment,
  type OwnColumn,
  type OwnStatement,
  type OwnValue,
  parseOwnStatement,
} from '../../sql/sluice-variables.ts';
import { routeOf } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { ClientStatement } from './client-statement.ts';
import type { Session } from './session.ts';

/** The variables of one session. Names are without `sluice.`, in lower case. */
export interface SluiceVariables {
  readonly names: readonly string[];
  /** Of these, those that SET is refused for. */
  readonly readOnly: ReadonlySet<string>;
  read(name: string): string | null;
  /** @param value null for DEFAULT. @returns why not, else null. */
  write(name: string, value: string | null): ClientError | null;
}

/** For `write`: what a server says of a value that it does not take. */
export function wrongValue(name: string, value: string): ClientError {
  return clientError('PROXY_WRONG_VARIABLE_VALUE', { name: `sluice.${name}`, value });
}

const HERE = routeOf(RouteTarget.sluice, RouteReason.answeredHere);

/** Widest in use: a set of GTIDs. */
const VALUE_LENGTH = 4096;

export class OwnVariables {
  readonly #session: Session;
  readonly #context: WorkerContext;
  /** null: there are none. */
  provider: SluiceVariables | null = null;
  /** Of the parameters of prepared statements, as they were bound last. */
  readonly #types = new WeakMap<ClientStatement, readonly ParameterType[]>();

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
  }

  /** A text, `buffer[start, end)` with its command. */
  answer(buffer: Buffer, start: number, end: number, context: LexicalContext): void {
    const statement = parseOwnStatement(buffer, start + 1, end, context);
    const refusal = this.#refusalOf(statement);
    if (statement === null || refusal !== null) this.#refuse(refusal ?? notAlone());
    else this.#run(statement, [], false);
  }

  /** COM_STMT_PREPARE. @param keep called if the client has the statement now. @returns false if it is none of ours. */
  prepares(prepared: ClientStatement, keep: () => void): boolean {
    if (!prepared.plan.statement.ownVariables) return false;
    const statement = this.#parse(prepared);
    const refusal = this.#refusalOf(statement);
    if (statement === null || refusal !== null) {
      this.#refuse(refusal ?? notAlone());
      return true;
    }
    prepared.parameterCount = statement.kind === 'set' ? statement.parameters : 0;
    const columns = statement.kind === 'select' ? statement.columns : [];
    this.#session.write(this.#preparation(prepared, columns));
    keep();
    this.#done();
    return true;
  }

  /** COM_STMT_EXECUTE in `buffer[start, end)`. @returns false if it is none of ours. */
  executes(prepared: ClientStatement, buffer: Buffer, start: number, end: number): boolean {
    if (!prepared.plan.statement.ownVariables) return false;
    const session = this.#session;
    session.record.answersBy(HERE, prepared.plan);
    if (session.rules.admits(prepared)) this.#execute(prepared, buffer, start, end);
    return true;
  }

  /** COM_STMT_SEND_LONG_DATA: it has no answer, the execution tells. @returns false if it is none of ours. */
  refusesLongData(prepared: ClientStatement): boolean {
    if (!prepared.plan.statement.ownVariables) return false;
    prepared.longDataError = clientError('PROXY_NOT_PREPARABLE', {});
    this.#session.commandDone();
    return true;
  }

  #parse({ prepared: { text } }: ClientStatement): OwnStatement | null {
    const context = this.#session.lexicalContext();
    return context === null ? null : parseOwnStatement(text, 0, text.length, context);
  }

  #execute(prepared: ClientStatement, buffer: Buffer, start: number, end: number): void {
    const statement = this.#parse(prepared);
    if (statement === null) {
      this.#refuse(notAlone());
      return;
    }
    try {
      const knownTypes = this.#types.get(prepared) ?? [];
      const { parameterCount } = prepared;
      const view = buffer.subarray(start, end);
      const { clientCapabilities } = this.#session;
      const execution = decodeComStmtExecute(view, clientCapabilities, { parameterCount, knownTypes });
      if (execution.typesSent) this.#types.set(prepared, execution.types);
      const values = execution.values.slice(0, parameterCount).map((value) => textOf(value));
      this.#run(statement, values, true);
    } catch {
      this.#refuse(clientError('PROXY_MALFORMED_PACKET', {}));
    }
  }

  #run(statement: OwnStatement, parameters: readonly (string | null)[], isBinary: boolean): void {
    if (statement.kind === 'select') this.#show(statement.columns, statement.isEmpty, isBinary);
    else this.#assign(statement.assignments, parameters);
  }

  #show(columns: readonly OwnColumn[], isEmpty: boolean, isBinary: boolean): void {
    const session = this.#session;
    const definitions = columns.map(({ label }) => ({ name: label, length: VALUE_LENGTH }));
    const writer = new ResultsetWriter(
      definitions,
      {
        capabilities: session.clientCapabilities,
        statusFlags: session.state.statusFlags & SESSION_STATUS_FLAGS,
        warnings: 0,
        sequenceId: session.errorSequence,
        mariadbMetadata: this.#metadata,
      },
      isBinary ? 'binary' : 'text',
    );
    const values = columns.map(({ variable }) => this.provider?.read(variable) ?? null);
    if (!isEmpty) writer.row(values);
    writer.end();
    session.write(writer.take());
    session.run.residue.answeredRows();
    this.#done();
  }

  #assign(assignments: readonly OwnAssignment[], parameters: readonly (string | null)[]): void {
    const session = this.#session;
    for (const { variable, value } of assignments) {
      const text = assignedText(value, parameters);
      const error =
        text === undefined ? wrongValue(variable, 'NULL') : (this.provider?.write(variable, text) ?? null);
      if (error === null) continue;
      this.#refuse(error);
      return;
    }
    const statusFlags = session.state.statusFlags & SESSION_STATUS_FLAGS;
    session.write(frameOk({ statusFlags }, session.clientCapabilities, session.errorSequence));
    session.run.residue.ownOk();
    this.#done();
  }

  #done(): void {
    const { run } = this.#session;
    run.lastErrno = 0;
    run.lastWarnings = 0;
    this.#session.commandDone();
  }

  #refuse(error: ClientError): void {
    const session = this.#session;
    session.run.residue.ownError(error, this.#context.backends.dialect.flavor === 'mariadb');
    session.run.lastErrno = error.errno;
    session.refuse(error);
  }

  /** What is wrong with it whatever the values are. */
  #refusalOf(statement: OwnStatement | null): ClientError | null {
    if (statement === null) return notAlone();
    const names = this.provider?.names ?? [];
    const uses = statement.kind === 'select' ? statement.columns : statement.assignments;
    const unknown = uses.find(({ variable }) => !names.includes(variable));
    if (unknown !== undefined) {
      const known = names.map((name) => `sluice.${name}`).join(', ');
      return clientError('PROXY_UNKNOWN_VARIABLE', { name: `sluice.${unknown.variable}`, known });
    }
    if (statement.kind === 'select') return null;
    for (const { variable, isGlobal } of statement.assignments) {
      const name = `sluice.${variable}`;
      if (isGlobal) return clientError('PROXY_SESSION_VARIABLE', { name });
      if (this.provider?.readOnly.has(variable) === true)
        return clientError('PROXY_READ_ONLY_VARIABLE', { name });
    }
    return null;
  }

  get #metadata(): { readonly extendedMetadata: boolean; readonly cacheMetadata: boolean } {
    const { mariadbFlags } = this.#session.connectionKey;
    return {
      extendedMetadata: hasCapability(mariadbFlags, MariadbCapability.MARIADB_CLIENT_EXTENDED_METADATA),
      cacheMetadata: hasCapability(mariadbFlags, MariadbCapability.MARIADB_CLIENT_CACHE_METADATA),
    };
  }

  /** COM_STMT_PREPARE_OK with the definitions of parameters and columns. */
  #preparation({ id, parameterCount }: ClientStatement, columns: readonly OwnColumn[]): Buffer {
    const { clientCapabilities: capabilities, state, errorSequence } = this.#session;
    const ok = {
      statementId: id,
      columnCount: columns.length,
      parameterCount,
      warnings: 0,
      metadataFollows: true,
    };
    let sequence = errorSequence;
    const packets = [framePacket(encodeComStmtPrepareOk(ok, capabilities), sequence++ & 0xff)];
    const deprecatesEof = hasCapability(capabilities, Capability.CLIENT_DEPRECATE_EOF);
    const eof = { statusFlags: state.statusFlags & SESSION_STATUS_FLAGS, warnings: 0 };
    const define = (names: readonly string[]): void => {
      if (names.length === 0) return;
      for (const name of names) {
        const column = encodeResultColumn({ name, length: VALUE_LENGTH }, this.#metadata);
        packets.push(framePacket(column, sequence++ & 0xff));
      }
      if (!deprecatesEof) packets.push(frameEof(eof, capabilities, sequence++ & 0xff));
    };
    define(Array.from({ length: parameterCount }, () => '?'));
    define(columns.map(({ label }) => label));
    return Buffer.concat(packets);
  }
}

function notAlone(): ClientError {
  return clientError('PROXY_OWN_VARIABLE_MIXED', {});
}

/** null: the default; undefined: NULL, which no variable takes. */
function assignedText(value: OwnValue, parameters: readonly (string | null)[]): string | null | undefined {
  switch (value.kind) {
    case 'text':
      return value.text;
    case 'default':
      return null;
    case 'null':
      return undefined;
    case 'parameter':
      return parameters[value.index] ?? undefined;
  }
}

/** A parameter; undefined where it came as long data, which is refused before. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return Buffer.isBuffer(value) ? value.toString() : String(value);
}
