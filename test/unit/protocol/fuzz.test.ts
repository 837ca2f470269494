/**
 * Whatever bytes a peer sends: a decoder gives a value or a MalformedPacketError, a state machine a step, never
 * another exception. The seed is printed; set SLUICE_FUZZ_SEED to repeat a run, SLUICE_FUZZ_RUNS for a longer one.
 */

import fc from 'fast-check';
import t from 'tap';
import {
  BufferReader,
  type CachedSecret,
  Capability,
  ClientHandshake,
  createNonce,
  decodeErr,
  framePacket,
  MalformedPacketError,
  PacketOutOfOrderError,
  PacketReader,
  PacketTooLargeError,
  ServerHandshake,
  uniteCapabilities,
} from '../../../protocol/index.ts';
import { samples } from './packets/samples.ts';

const seed = Number(process.env.SLUICE_FUZZ_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.SLUICE_FUZZ_RUNS ?? 150);
t.comment(`seed ${seed}`);

const noise = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));

/** A sample with some bytes changed, some taken out and some put in: near enough to get deep into a decoder. */
function mutated(encoded: Buffer): fc.Arbitrary<Buffer> {
  const position = fc.nat({ max: Math.max(0, encoded.length - 1) });
  const edit = fc.tuple(
    position,
    fc.constantFrom('set', 'delete', 'insert'),
    fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0xfb, 0xfc, 0xfd, 0xfe, 0xff)),
  );
  return fc.array(edit, { minLength: 1, maxLength: 5 }).map((edits) => {
    const bytes = [...encoded];
    for (const [at, kind, value] of edits) {
      if (kind === 'set') bytes[at] = value;
      else bytes.splice(at, kind === 'delete' ? 1 : 0, ...(kind === 'insert' ? [value] : []));
    }
    return Buffer.from(bytes);
  });
}

function onlyMalformed(run: () => unknown): boolean {
  try {
    run();
  } catch (error) {
    if (!(error instanceof MalformedPacketError)) throw error;
  }
  return true;
}

t.test('every decoder', async (t) => {
  for (const { name, encoded, decode } of samples) {
    fc.assert(
      fc.property(fc.oneof(noise, mutated(encoded)), (bytes) => onlyMalformed(() => decode(bytes))),
      { seed, numRuns },
    );
    t.pass(name);
  }
});

t.test('every read of the reader, in any order', async (t) => {
  const reads = [
    (r: BufferReader) => r.readU8(),
    (r: BufferReader) => r.readU16(),
    (r: BufferReader) => r.readU24(),
    (r: BufferReader) => r.readU32(),
    (r: BufferReader) => r.readU64AsNumber(),
    (r: BufferReader) => r.readI64(),
    (r: BufferReader) => r.readDouble(),
    (r: BufferReader) => r.readLenenc(),
    (r: BufferReader) => r.readLenencBytes(),
    (r: BufferReader) => r.readNullTerminatedString(),
    (r: BufferReader) => r.readBytes(3),
    (r: BufferReader) => r.peekU8(),
  ];
  fc.assert(
    fc.property(noise, fc.array(fc.constantFrom(...reads), { maxLength: 20 }), (bytes, chosen) =>
      onlyMalformed(() => {
        const reader = new BufferReader(bytes);
        for (const read of chosen) {
          read(reader);
          if (reader.remaining < 0 || reader.offset + reader.remaining !== bytes.length)
            throw new Error('lost');
        }
      }),
    ),
    { seed, numRuns: numRuns * 10 },
  );
  t.pass();
});

t.test('the packet reader, fed with noise in any cuts', async (t) => {
  fc.assert(
    fc.property(fc.array(noise, { maxLength: 10 }), fc.boolean(), (chunks, checked) => {
      const seen: number[] = [];
      const reader = new PacketReader((payload) => seen.push(payload.length), 1000);
      if (checked) reader.expect(0);
      try {
        for (const chunk of chunks) reader.push(chunk);
      } catch (error) {
        if (!(error instanceof PacketOutOfOrderError) && !(error instanceof PacketTooLargeError)) throw error;
      }
      return seen.every((length) => length <= 1000);
    }),
    { seed, numRuns: numRuns * 10 },
  );
  t.pass();
});

const everything = uniteCapabilities(...Object.values(Capability));
const interesting = samples
  .filter(({ name }) => /Handshake|Auth|SSL|OK|ERR/.test(name))
  .map(({ encoded }) => encoded);
const handshakePacket = fc.oneof(
  noise,
  fc.constantFrom(...interesting).chain((encoded) => fc.oneof(fc.constant(encoded), mutated(encoded))),
);

t.test('a server handshake with any client', async (t) => {
  fc.assert(
    fc.property(
      fc.array(handshakePacket, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      (payloads, secureTransport) => {
        const handshake = new ServerHandshake({
          serverVersion: '8.0.40',
          threadId: 1,
          capabilities: everything,
          collationId: 45,
          statusFlags: 2,
          defaultPlugin: 'caching_sha2_password',
          nonce: createNonce(),
          secureTransport,
          lookup: (username) => ({ password: username === '' ? null : 'secret' }),
          secretCache: new Map<string, CachedSecret>(),
          host: 'h',
        });
        let sequenceId = 1;
        for (const payload of payloads) {
          const step = handshake.receive(payload, sequenceId);
          sequenceId = (sequenceId + 2) & 0xff;
          if (step.kind === 'startTls') {
            handshake.tlsEstablished();
            sequenceId = 2;
          }
          if (step.kind === 'rejected') return decodeErr(step.packets.subarray(4)).errno === step.errno;
          if (step.kind === 'accepted') return true;
        }
        return true;
      },
    ),
    { seed, numRuns: numRuns * 10 },
  );
  t.pass();
});

t.test('a client handshake with any server', async (t) => {
  fc.assert(
    fc.property(fc.array(handshakePacket, { minLength: 1, maxLength: 6 }), (payloads) => {
      const handshake = new ClientHandshake({
        username: 'u',
        password: { kind: 'plain', value: 'secret' },
        database: null,
        capabilities: everything,
        collationId: 45,
        connectAttributes: {},
        maxPacketBytes: 2 ** 24,
        allowRsa: true,
        secureTransport: false,
      });
      let sequenceId = 0;
      for (const payload of payloads) {
        let step = handshake.receive(payload, sequenceId);
        sequenceId = (sequenceId + 2) & 0xff;
        if (step.kind === 'startTls') {
          step = handshake.tlsEstablished();
          sequenceId = 3;
        }
        if (step.kind === 'wait') sequenceId = (sequenceId - 1) & 0xff;
        if (step.kind === 'failed' || step.kind === 'done') return true;
      }
      return true;
    }),
    { seed, numRuns: numRuns * 10 },
  );
  t.pass();
});

t.test('any payloads survive framing and any cuts', async (t) => {
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(noise, { maxLength: 6 }), cuts, (payloads, positions) => {
      const stream = Buffer.concat(payloads.map((payload, index) => framePacket(payload, index)));
      const received: Buffer[] = [];
      const reader = new PacketReader((payload) => received.push(Buffer.from(payload)), 1000);
      reader.expect(0);
      let from = 0;
      for (const cut of [...positions.toSorted((left, right) => left - right), stream.length]) {
        const to = Math.max(from, Math.min(cut, stream.length));
        reader.push(stream.subarray(from, to));
        from = to;
      }
      return (
        received.length === payloads.length && received.every((one, index) => one.equals(payloads[index]!))
      );
    }),
    { seed, numRuns: numRuns * 5 },
  );
  t.pass();
});
