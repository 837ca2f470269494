/** Following answers by their packet headers: what every byte from a server goes through. */

import {
  AnswerShape,
  Capability,
  framePacket,
  type OkPacket,
  type ResponseSink,
  ResponseTracker,
  uniteCapabilities,
} from '../../protocol/index.ts';
import type { Microbenchmark } from './harness.ts';

const WITH_EOF = uniteCapabilities(Capability.CLIENT_PROTOCOL_41, Capability.CLIENT_SECURE_CONNECTION);
const WITHOUT_EOF = uniteCapabilities(WITH_EOF, Capability.CLIENT_DEPRECATE_EOF);
const AUTOCOMMIT = 2;

/** Counts, as a client's write would, and keeps nothing. */
class CountingSink implements ResponseSink {
  bytes = 0;

  forward(_buffer: Buffer, start: number, end: number): boolean {
    this.bytes += end - start;
    return false;
  }

  okPacket(_ok: OkPacket): Buffer | null {
    return null;
  }

  errPacket(): boolean {
    return false;
  }

  localInfile(): void {}
}

/** One column, so many rows of so many bytes, from a server that deprecates EOF. */
function answer(rows: number, rowBytes: number): Buffer {
  const definition = Buffer.from(
    '\x03def\x04test\x06sbtest\x07sbtest1\x01c\x01c\x0c\x2d\0\xe0\x01\0\0\xfe\0\0\0\0\0',
    'latin1',
  );
  const packets = [Buffer.from([1]), definition];
  const row = Buffer.alloc(rowBytes, 'x');
  row[0] = rowBytes - 1;
  for (let index = 0; index < rows; index++) packets.push(row);
  packets.push(Buffer.from([0xfe, 0, 0, AUTOCOMMIT, 0, 0, 0]));
  return Buffer.concat(packets.map((payload, index) => framePacket(payload, (index + 1) & 0xff)));
}

function tracking(name: string, bytes: Buffer, clientCapabilities: number): Microbenchmark {
  const sink = new CountingSink();
  const tracker = new ResponseTracker(WITHOUT_EOF, sink);
  // The tracker may change what passes, in place: each answer is a fresh copy, as if it had just been read.
  const spare = 64;
  const received = Buffer.alloc(spare + bytes.length);
  return {
    name: `response tracker: ${name}`,
    bytesPerOperation: bytes.length,
    run: (operations) => {
      sink.bytes = 0;
      for (let operation = 0; operation < operations; operation++) {
        bytes.copy(received, spare);
        tracker.begin(AnswerShape.query, sink, clientCapabilities, AUTOCOMMIT);
        tracker.advance(received, spare, received.length, 0);
        if (!tracker.complete) throw new Error('the answer has not ended');
      }
      return sink.bytes;
    },
  };
}

const POINT_SELECT = answer(1, 120);
const BLOCK = answer(600, 104);

export const benchmarks: readonly Microbenchmark[] = [
  tracking('point select, as the server sent it', POINT_SELECT, WITHOUT_EOF),
  tracking('point select, for a client that wants EOF', POINT_SELECT, WITH_EOF),
  tracking('600 rows of 104 bytes', BLOCK, WITHOUT_EOF),
];
