/** What one command's run is in the middle of: shared by the run and by those who take over when something is lost. */

import type { AnswerShape } from '../../../protocol/index.ts';
import type { CommitDoubt } from '../../common/commit-outcome.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { CommitTag } from '../replay/commit-tag.ts';
import type { Plan } from '../router/plan.ts';
import { type Route, routeOf } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { Aftermath } from './aftermath.ts';
import type { AnswerPassage } from './answer-passage.ts';
import { usesResidue } from './asked-connection.ts';
import type { ClientStatement } from './client-statement.ts';
import type { KeptPacket } from './kept-packet.ts';
import type { ReadOnlyPrimary } from './read-only-primary.ts';
import type { Residue } from './residue.ts';
import type { RunClient } from './run-client.ts';
import { RunPhase } from './run-phase.ts';
import type { StatementApproach } from './statement-approach.ts';
import type { StatementKill } from './statement-kill.ts';
import type { StatementTimeout } from './statement-timeout.ts';
import type { StatementTrace } from './statement-trace.ts';
import type { TransactionReplay } from './transaction-replay.ts';

/** Before the first command. */
const NOWHERE = routeOf(RouteTarget.sluice, RouteReason.answeredHere);

export class RunState {
  phase: RunPhase = RunPhase.idle;
  /** Kept between statements: an open transaction, a pin. */
  held: BackendConnection | null = null;
  /** The prepared statement that the next command is about; back to null when it is answered. */
  statement: ClientStatement | null = null;
  /** What runs now. */
  route: Route = NOWHERE;
  plan: Plan | null = null;
  shape: AnswerShape = 0;
  command = 0;
  /** It is a USE, or COM_INIT_DB. */
  entersSchema = false;
  connection: BackendConnection | null = null;
  shared = false;
  repeatable = false;
  /** The same, as long as nothing of its answer has gone out: it has no effect but on its connection. */
  isHarmless = false;
  /** The primary is not asked at once. */
  waitsForHeir = false;
  /** In the middle of a transaction, by a server that is the primary no more. */
  isRefused = false;
  /** Nothing is sent that could change the session. */
  touching = false;
  attempts = 0;
  sentAt = 0;
  abandoned = false;
  interrupted = false;
  /** As the client is told it. */
  interruption: ClientError = clientError('PROXY_QUERY_INTERRUPTED', {});
  kill: StatementKill | null = null;
  /** What its client waits to be told. */
  doubt: CommitDoubt | null = null;
  /** null as long as transactions are not logged. */
  replay: TransactionReplay | null = null;
  /** What the finished run left. */
  lastInsertId = 0;
  lastErrno = 0;
  /** An error of Sluice's own that ended the run. */
  lastError: ClientError | null = null;
  lastWarnings = 0;
}

export interface RunParts {
  readonly client: RunClient;
  readonly context: WorkerContext;
  readonly now: RunState;
  readonly packet: KeptPacket;
  readonly approach: StatementApproach;
  readonly aftermath: Aftermath;
  readonly readOnlyPrimary: ReadOnlyPrimary;
  readonly passage: AnswerPassage;
  readonly timeout: StatementTimeout;
  readonly commitTag: CommitTag;
  readonly residue: Residue;
  readonly trace: StatementTrace;
}

/** What those who take over have the run do. */
export interface RunSteps {
  /** A command that is new, or runs again, on its way from the beginning: its route, plan and shape are known. */
  begin(buffer: Buffer, start: number, end: number, silent: boolean): void;
  /** The kept command looks for a connection, and is sent there. */
  sendKept(): void;
  /** A proven read of whose answer nothing has passed is asked again, elsewhere. */
  repeat(reason: string): void;
  fail(error: ClientError): void;
  /** The client gets it as its answer; nothing runs any more. */
  answerWith(error: ClientError): void;
}

/** It does nothing but to open a transaction, or to read. */
export function isHarmless(plan: Plan | null): boolean {
  if (plan === null || plan.statement.statementCount !== 1) return false;
  const { kind, provenRead } = plan.statement;
  return kind === StatementKind.begin || (provenRead && !usesResidue(plan.statement));
}
