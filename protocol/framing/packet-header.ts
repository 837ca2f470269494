/**
 * The 4-byte header in front of every packet: payload length (3 bytes, little-endian) and sequence id. A payload of
 * 2^24 - 1 bytes or more is cut into fragments of that size; the last one is shorter, maybe empty.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */

export const PACKET_HEADER_BYTES = 4;
/** Largest payload of one fragment; a fragment of exactly this size is followed by another. */
export const MAX_FRAGMENT_BYTES = 0xff_ffff;

export function writePacketHeader(
  bytes: Uint8Array,
  offset: number,
  payloadBytes: number,
  sequenceId: number,
): void {
  bytes[offset] = payloadBytes & 0xff;
  bytes[offset + 1] = (payloadBytes >>> 8) & 0xff;
  bytes[offset + 2] = (payloadBytes >>> 16) & 0xff;
  bytes[offset + 3] = sequenceId & 0xff;
}

/** How many fragments, so how many sequence ids, a payload takes. */
export function fragmentCount(payloadBytes: number): number {
  return Math.floor(payloadBytes / MAX_FRAGMENT_BYTES) + 1;
}

/** The sequence id that follows a payload sent under `sequenceId`; ids wrap at 256. */
export function nextSequenceId(sequenceId: number, payloadBytes = 0): number {
  return (sequenceId + fragmentCount(payloadBytes)) & 0xff;
}

/** Complete packet(s) of one payload, headers included, in a buffer of its own. */
export function framePacket(payload: Uint8Array, sequenceId: number): Buffer {
  const fragments = fragmentCount(payload.length);
  const framed = Buffer.allocUnsafe(payload.length + fragments * PACKET_HEADER_BYTES);
  let from = 0;
  let to = 0;
  for (let fragment = 0; fragment < fragments; fragment += 1) {
    const length = Math.min(MAX_FRAGMENT_BYTES, payload.length - from);
    writePacketHeader(framed, to, length, sequenceId + fragment);
    framed.set(payload.subarray(from, from + length), to + PACKET_HEADER_BYTES);
    from += length;
    to += PACKET_HEADER_BYTES + length;
  }
  return framed;
}
