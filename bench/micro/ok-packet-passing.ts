/** The OK of an UPDATE on its way to a client that does not track: read and cut where it lies, and decoded and made anew. */

import {
  AnswerShape,
  Capability,
  encodeOk,
  encodeSessionState,
  framePacket,
  type OkPacket,
  type ResponseSink,
  ResponseTracker,
  SessionTrackType,
  StatusFlag,
  uniteCapabilities,
} from '../../protocol/index.ts';
import { SessionState } from '../../src/data/frontend/session-state.ts';
import type { Microbenchmark } from './harness.ts';

const CLIENT = uniteCapabilities(Capability.CLIENT_PROTOCOL_41, Capability.CLIENT_DEPRECATE_EOF);
const SERVER = uniteCapabilities(CLIENT, Capability.CLIENT_SESSION_TRACK);
const AUTOCOMMIT = StatusFlag.SERVER_STATUS_AUTOCOMMIT;

/** As MariaDB 10.11 sends it, with Sluice's settings. */
const UPDATED = framePacket(
  encodeOk(
    {
      affectedRows: 1,
      statusFlags: AUTOCOMMIT,
      info: 'Rows matched: 1  Changed: 1  Warnings: 0',
      sessionState: encodeSessionState([
        { type: SessionTrackType.SYSTEM_VARIABLES, name: 'last_gtid', value: '0-1-4711234' },
        { type: SessionTrackType.TRANSACTION_STATE, state: '________' },
        { type: SessionTrackType.TRANSACTION_CHARACTERISTICS, characteristics: '' },
      ]),
    },
    SERVER,
  ),
  1,
);

class DecodingSink implements ResponseSink {
  readonly state = new SessionState();
  bytes = 0;

  forward(_buffer: Buffer, start: number, end: number): boolean {
    this.bytes += end - start;
    return false;
  }

  okPacket(ok: OkPacket): Buffer | null {
    return this.state.apply(ok, false);
  }

  errPacket(): boolean {
    return false;
  }

  localInfile(): void {}
}

class CuttingSink extends DecodingSink {
  sessionState(buffer: Buffer, start: number, end: number, statusFlags: number): boolean {
    return this.state.applyRoutine(buffer, start, end, statusFlags);
  }
}

function passing(name: string, sink: DecodingSink): Microbenchmark {
  const tracker = new ResponseTracker(SERVER, sink);
  const received = Buffer.alloc(UPDATED.length);
  return {
    name: `OK: of an UPDATE, ${name}`,
    run: (operations) => {
      for (let operation = 0; operation < operations; operation++) {
        UPDATED.copy(received);
        tracker.begin(AnswerShape.query, sink, CLIENT, AUTOCOMMIT);
        tracker.advance(received, 0, received.length, 0);
      }
      return sink.bytes;
    },
  };
}

export const benchmarks: readonly Microbenchmark[] = [
  passing('cut where it lies', new CuttingSink()),
  passing('decoded and encoded', new DecodingSink()),
];
