/** What a backend connection owes to whom: the entries of its queue of replies, in the order they were asked for. */

import type { AnswerParts, AnswerShape, ResponseSink, ResponseTracker } from '../../../protocol/index.ts';
import type { BackendConnection } from './backend-connection.ts';

/** Who asked. One object may own replies again and again: nothing is allocated per statement but the entry. */
export interface ReplyOwner {
  /** The answer has passed; what the tracker knows of it is valid until the return. */
  replyComplete(connection: BackendConnection, tracker: ResponseTracker): void;
  /** The connection has gone before the answer was complete. `started`: its first bytes had come. */
  replyLost(connection: BackendConnection, reason: string, started: boolean): void;
}

export interface ExpectedReply {
  readonly shape: AnswerShape;
  owner: ReplyOwner;
  sink: ResponseSink;
  readonly clientCapabilities: number;
  readonly statusBefore: number;
  /** Sequence id of the answer's first packet: the number of packets that the command took; 1 if not named. */
  readonly firstSequence?: number;
  /** Sequence id that the client expects the first packet to have; the same unless named. */
  readonly clientSequence?: number;
  /** What the statement's text says about the number of results. */
  readonly parts?: AnswerParts | null;
  /** How many columns its client knows the prepared statement to have; 0 unless named. */
  readonly columnsTold?: number;
  /** A read of a pipelined batch: it may be asked again elsewhere as long as nothing of its answer has passed. */
  readonly repeatable: boolean;
  /** Of a statement of Sluice's own: short, and with a deadline, since a client waits behind it. */
  readonly isOwn?: boolean;
}

/** Takes whatever comes and keeps nothing: the sink of answers that no client waits for. */
export const discardSink: ResponseSink = {
  forward: () => false,
  okPacket: () => null,
  errPacket: () => false,
  localInfile: () => undefined,
};
