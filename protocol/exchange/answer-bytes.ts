/** Reading and writing of the small packets of an answer where they lie in the read buffer. */

import { MalformedPacketError } from '../errors.ts';

export const EOF_PACKET_BYTES = 9;

/** The first packet of a result set: only the shortest form of a count is one. */
export function readColumnCount(buffer: Buffer, start: number, end: number): number {
  const first = buffer[start]!;
  if (first < 0xfb) {
    if (end !== start + 1 || first === 0) throw new MalformedPacketError('column count', start);
    return first;
  }
  if (first === 0xfc && end === start + 3) {
    const count = buffer.readUInt16LE(start + 1);
    if (count >= 0xfb) return count;
  }
  throw new MalformedPacketError('column count', start);
}

/** Status flags of an OK with header 0xFE. */
export function readResultEndStatus(buffer: Buffer, payload: number, end: number): number {
  return buffer.readUInt16LE(resultEndStatusOffset(buffer, payload, end));
}

/** They follow two length-encoded numbers. */
export function resultEndStatusOffset(buffer: Buffer, payload: number, end: number): number {
  let position = payload + 1;
  for (let i = 0; i < 2; i++) {
    const first = buffer[position]!;
    position += first < 0xfb ? 1 : first === 0xfc ? 3 : first === 0xfd ? 4 : 9;
  }
  if (position + 2 > end) throw new MalformedPacketError('short OK packet', payload);
  return position;
}

/** A whole EOF packet, its header included. */
export function writeEof(
  buffer: Buffer,
  at: number,
  sequence: number,
  status: number,
  warnings: number,
): void {
  buffer[at] = 5;
  buffer[at + 1] = 0;
  buffer[at + 2] = 0;
  buffer[at + 3] = sequence;
  buffer[at + 4] = 0xfe;
  buffer[at + 5] = warnings & 0xff;
  buffer[at + 6] = warnings >>> 8;
  buffer[at + 7] = status & 0xff;
  buffer[at + 8] = status >>> 8;
}
