/** Puts a command on its connection: the entry in the queue of expected replies, what goes in front, and its bytes. */

import { performance } from 'node:perf_hooks';
import { AnswerShape, Command, fragmentCount } from '../../../protocol/index.ts';
import type { WrittenRows } from '../../common/row-flux.ts';
import { ServerCounter } from '../../common/shared-counters.ts';
import { StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { BackendStatement } from '../backend/backend-statements.ts';
import type { ReplyOwner } from '../backend/expected-reply.ts';
import { forbidSeveral } from '../backend/several-statements.ts';
import { COMMIT_SEQUENCE } from '../replay/commit-tag.ts';
import { emptyDiagnostics } from './empty-diagnostics.ts';
import { type PinningSession, writtenRows } from './pinned-row.ts';
import type { RunParts } from './run-state.ts';

export class RunSending {
  readonly #run: RunParts;
  readonly #owner: ReplyOwner;
  readonly #session: PinningSession;

  /** @param owner of the replies that are awaited. */
  constructor(run: RunParts, owner: ReplyOwner) {
    this.#run = run;
    this.#owner = owner;
    const { now, client, context } = run;
    this.#session = {
      run: now,
      state: client.state,
      lexicalContext: () => {
        const { flavor, versionId } = context.backends.dialect;
        return client.state.lexicalContext(flavor, versionId);
      },
    };
  }

  /** @param prepared what the connection's server knows the prepared statement by; null where none is executed. */
  send(
    connection: BackendConnection,
    buffer: Buffer,
    start: number,
    end: number,
    prepared: BackendStatement | null,
  ): void {
    const { now, context, passage, residue, commitTag } = this.#run;
    now.sentAt = performance.now();
    passage.bytes = 0;
    const isMarked = this.#sendInFront(connection, buffer, start, end);
    if (now.shared) connection.batchSize = connection.owed === 0 ? 1 : connection.batchSize + 1;
    this.#noteWrites(connection, buffer, start, end);
    connection.lastUser = residue;
    const { counters } = context;
    counters.addServer(connection.server.slot, ServerCounter.queries);
    counters.addServer(connection.server.slot, ServerCounter.bytesSent, end - start);
    const { statement } = now;
    if (isMarked) {
      const text = now.command === Command.COM_QUERY ? buffer.subarray(start + 1, end) : null;
      commitTag.send(connection, text, () => this.#expect(connection, COMMIT_SEQUENCE));
      return;
    }
    this.#expect(connection, fragmentCount(end - start));
    if (statement === null || prepared === null) connection.sendPacket(buffer, start, end);
    else statement.send(connection, prepared, buffer, start, end);
  }

  #expect(connection: BackendConnection, firstSequence: number): void {
    const { now, client, passage } = this.#run;
    connection.expect({
      shape: now.shape,
      owner: this.#owner,
      sink: passage,
      clientCapabilities: client.clientCapabilities,
      statusBefore: client.state.statusFlags,
      firstSequence,
      clientSequence: client.errorSequence,
      parts: now.plan?.statement ?? null,
      columnsTold: now.shape === AnswerShape.query ? (now.statement?.columnCount ?? 0) : 0,
      repeatable: now.repeatable,
    });
  }

  /** @returns whether the command is a COMMIT that goes out with a mark. */
  #sendInFront(connection: BackendConnection, buffer: Buffer, start: number, end: number): boolean {
    const { now, client, passage, commitTag } = this.#run;
    if (connection.takesSeveral && now.command === Command.COM_QUERY)
      forbidSeveral(connection, buffer.subarray(start + 1, end));
    if (now.plan === null && !passage.silent) this.#emptyDiagnostics(connection);
    else if (!now.shared && now.shape !== AnswerShape.prepare)
      return commitTag.marks(connection, now.plan ?? now.statement?.plan ?? null, client.state.variables);
    return false;
  }

  /** What it may write, before the server can tell that it has. */
  #noteWrites(connection: BackendConnection, buffer: Buffer, start: number, end: number): void {
    const { now, client, context } = this.#run;
    const { state, causality, marks } = client;
    const schema = now.statement === null ? state.schema : now.statement.prepared.schema;
    const { trustViews } = context.snapshot.settings.routing;
    const rows = this.#writtenRows(schema, buffer, start, end);
    marks.sends(connection, now.command, now.plan, schema, trustViews, rows);
    causality.sends(now.plan, schema, connection.tracksState && !state.clientTracks);
  }

  /** The only ones that it changes, if that is certain, and anybody wants to know. */
  #writtenRows(schema: string | null, buffer: Buffer, start: number, end: number): WrittenRows | null {
    const { now, context, passage } = this.#run;
    const { plan, command } = now;
    // Who is not heard of is not told of another schema either.
    if (
      passage.silent ||
      plan === null ||
      !context.marks.looksForRows ||
      plan.mayBeOfRow === false ||
      plan.statement.kind !== StatementKind.write
    )
      return null;
    if (command !== Command.COM_QUERY && command !== Command.COM_STMT_EXECUTE) return null;
    const slots = plan.writeSlots(schema, context.tables);
    if (!context.marks.wantsRow(slots)) return null;
    return writtenRows(this.#session, plan, slots, context.tables.keys, buffer, start, end);
  }

  /**
   * On MySQL other commands than statements add to the list of warnings. Another session may have filled it, or this
   * one before statements that ran elsewhere.
   */
  #emptyDiagnostics(connection: BackendConnection): void {
    const { now, residue } = this.#run;
    const isLast = connection.lastUser === residue && residue.lastConnection === connection;
    if (now.shape !== AnswerShape.single || isLast) return;
    if (connection.server.flavor !== 'mysql') return;
    emptyDiagnostics(connection);
  }
}
