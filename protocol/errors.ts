/** What goes wrong with bytes. Errors carry fields, so that nobody has to read their text. */

/** Base of everything this library throws on purpose; anything else it throws is a bug of the caller or of ours. */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A packet that ends too early, or whose bytes cannot mean what its place says. */
export class MalformedPacketError extends ProtocolError {
  override readonly name = 'MalformedPacketError';
  /** The field that could not be read, e.g. `length-encoded integer`. */
  readonly what: string;
  /** Byte offset within the payload at which reading failed. */
  readonly offset: number;

  constructor(what: string, offset: number) {
    super('PROTOCOL_MALFORMED_PACKET', `Malformed packet: ${what} at offset ${offset}`);
    this.what = what;
    this.offset = offset;
  }
}

/** A sequence id that is not the next one: a server answers ER_NET_PACKETS_OUT_OF_ORDER (1156). */
export class PacketOutOfOrderError extends ProtocolError {
  override readonly name = 'PacketOutOfOrderError';
  readonly expected: number;
  readonly received: number;

  constructor(expected: number, received: number) {
    super('PROTOCOL_PACKET_OUT_OF_ORDER', `Expected sequence id ${expected} and received ${received}`);
    this.expected = expected;
    this.received = received;
  }
}

/** A packet (all its fragments together) over the limit: a server answers ER_NET_PACKET_TOO_LARGE (1153). */
export class PacketTooLargeError extends ProtocolError {
  override readonly name = 'PacketTooLargeError';
  readonly maxPacketBytes: number;
  readonly packetBytes: number;

  constructor(packetBytes: number, maxPacketBytes: number) {
    super(
      'PROTOCOL_PACKET_TOO_LARGE',
      `A packet of at least ${packetBytes} bytes is over the limit of ${maxPacketBytes} bytes`,
    );
    this.packetBytes = packetBytes;
    this.maxPacketBytes = maxPacketBytes;
  }
}

/** A state machine was driven in a way its table does not allow: always a bug of the caller. */
export class IllegalTransitionError extends ProtocolError {
  override readonly name = 'IllegalTransitionError';

  constructor(machine: string, from: string, to: string, allowed: readonly string[]) {
    super(
      'PROTOCOL_ILLEGAL_TRANSITION',
      `${machine} cannot go from ${from} to ${to}; allowed: ${allowed.length === 0 ? 'nothing' : allowed.join(', ')}`,
    );
  }
}
