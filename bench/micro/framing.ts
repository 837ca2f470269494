/** Cutting a stream of bytes into packets. */

import { framePacket, PacketReader } from '../../protocol/index.ts';
import { PacketInput } from '../../src/data/frontend/packet-input.ts';
import type { Microbenchmark } from './harness.ts';

const CHUNK_BYTES = 64 * 1024;

function rows(payloadBytes: number): Buffer {
  const packet = framePacket(Buffer.alloc(payloadBytes, 'x'), 1);
  return Buffer.concat(Array.from({ length: Math.floor(CHUNK_BYTES / packet.length) }, () => packet));
}

/** The chunk is cut where a network would: not at packet boundaries. */
function reading(name: string, stream: Buffer, cut: number): Microbenchmark {
  let seen = 0;
  const reader = new PacketReader((payload, sequenceId) => {
    seen += payload.length + sequenceId;
  }, CHUNK_BYTES);
  const pieces: Buffer[] = [];
  for (let at = 0; at < stream.length; at += cut) pieces.push(stream.subarray(at, at + cut));
  return {
    name: `packet reader: ${name}`,
    bytesPerOperation: stream.length,
    run: (operations) => {
      seen = 0;
      for (let operation = 0; operation < operations; operation++) {
        for (const piece of pieces) reader.push(piece);
      }
      return seen;
    },
  };
}

/** A client's statements on their way into a session, cut anywhere. */
function clientInput(name: string, stream: Buffer, cut: number): Microbenchmark {
  let seen = 0;
  const input = new PacketInput(
    {
      acceptsPacket: () => true,
      packet: (_buffer, start, end, sequenceId) => {
        seen += end - start + sequenceId;
      },
      packetTooLarge: () => {
        throw new Error('no packet here is too large');
      },
    },
    CHUNK_BYTES,
  );
  // A reader's buffer, as the socket has one: the input may not keep it.
  const pieces: Buffer[] = [];
  for (let at = 0; at < stream.length; at += cut) pieces.push(stream.subarray(at, at + cut));
  return {
    name: `packet input: ${name}`,
    bytesPerOperation: stream.length,
    run: (operations) => {
      seen = 0;
      for (let operation = 0; operation < operations; operation++) {
        for (const piece of pieces) input.push(piece, piece.length);
      }
      return seen;
    },
  };
}

const STATEMENT = framePacket(Buffer.alloc(40, 'x'), 0);
const SMALL_ROWS = rows(100);

export const benchmarks: readonly Microbenchmark[] = [
  clientInput('one 40-byte statement', STATEMENT, CHUNK_BYTES),
  clientInput('one 40-byte statement in two chunks', STATEMENT, 30),
  reading('one 40-byte statement', STATEMENT, CHUNK_BYTES),
  reading('64 KiB of 100-byte rows', SMALL_ROWS, SMALL_ROWS.length),
  reading('the same in chunks of 1447 bytes', SMALL_ROWS, 1447),
];
