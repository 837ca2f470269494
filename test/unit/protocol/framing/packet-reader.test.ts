/** Every stream is fed whole, byte by byte, and in two parts cut at every place. */

import t from 'tap';
import {
  framePacket,
  MAX_FRAGMENT_BYTES,
  nextSequenceId,
  PacketOutOfOrderError,
  PacketReader,
  PacketTooLargeError,
} from '../../../../protocol/index.ts';

type Seen = [sequenceId: number, payload: string][];

function read(chunks: readonly Buffer[], expected: number | null = null, maxPacketBytes = 1000): Seen {
  const seen: Seen = [];
  const reader = new PacketReader((payload, sequenceId) => {
    seen.push([sequenceId, payload.toString()]);
  }, maxPacketBytes);
  reader.expect(expected);
  for (const chunk of chunks) reader.push(chunk);
  return seen;
}

const stream = Buffer.concat([
  framePacket(Buffer.from('one'), 0),
  framePacket(Buffer.alloc(0), 1),
  framePacket(Buffer.from('three'), 2),
]);
const packets: Seen = [
  [0, 'one'],
  [1, ''],
  [2, 'three'],
];

t.test('chunks cut anywhere', async (t) => {
  t.strictSame(read([stream]), packets, 'whole');
  t.strictSame(read([...stream].map((byte) => Buffer.from([byte]))), packets, 'byte by byte');
  for (let cut = 0; cut <= stream.length; cut += 1) {
    t.strictSame(read([stream.subarray(0, cut), stream.subarray(cut)]), packets, `cut at ${cut}`);
  }
  t.strictSame(read([stream.subarray(0, -1)]), packets.slice(0, 2), 'the last packet is not complete');
});

t.test('a packet within one chunk is a view of it', async (t) => {
  const chunk = Buffer.from(stream);
  let view: Buffer | null = null;
  new PacketReader((payload) => {
    view ??= payload;
  }, 1000).push(chunk);
  chunk.fill(0x7a);
  t.equal(String(view), 'zzz');
});

t.test('the memory of a chunk may be used again', async (t) => {
  const seen: Seen = [];
  const reader = new PacketReader((payload, sequenceId) => seen.push([sequenceId, payload.toString()]), 1000);
  const memory = Buffer.alloc(4);
  for (let from = 0; from < stream.length; from += memory.length) {
    const length = stream.copy(memory, 0, from);
    reader.push(memory.subarray(0, length));
  }
  t.strictSame(seen, packets);
});

t.test('boundaries', async (t) => {
  const reader = new PacketReader(() => {}, 1000);
  t.ok(reader.isAtBoundary);
  reader.push(stream.subarray(0, 3));
  t.notOk(reader.isAtBoundary);
  reader.push(stream.subarray(3));
  t.ok(reader.isAtBoundary);
});

t.test('sequence ids', async (t) => {
  t.strictSame(read([stream], 0), packets);
  t.throws(() => read([stream], 1), { expected: 1, received: 0 } as PacketOutOfOrderError);
  const jump = Buffer.concat([framePacket(Buffer.from('a'), 5), framePacket(Buffer.from('b'), 7)]);
  t.throws(() => read([jump], 5), PacketOutOfOrderError);
  t.strictSame(read([jump]), [
    [5, 'a'],
    [7, 'b'],
  ]);
  const wrap = Buffer.concat([framePacket(Buffer.from('a'), 255), framePacket(Buffer.from('b'), 0)]);
  t.equal(read([wrap], 255).length, 2, 'they wrap at 256');
});

t.test('a limit is enforced before anything is held', async (t) => {
  const error = t.throws(() => read([framePacket(Buffer.alloc(11), 0).subarray(0, 4)], null, 10));
  t.match(error, { maxPacketBytes: 10, packetBytes: 11 });
  t.ok(error instanceof PacketTooLargeError);
  t.equal(read([framePacket(Buffer.alloc(10), 0)], null, 10).length, 1, 'exactly the limit');
});

t.test('stopping hands over what is left', async (t) => {
  const seen: string[] = [];
  const reader: PacketReader = new PacketReader((payload) => {
    seen.push(payload.toString());
    reader.stop();
  }, 1000);
  reader.push(Buffer.concat([framePacket(Buffer.from('SSLRequest'), 1), Buffer.from('TLS bytes')]));
  reader.push(Buffer.from(', more'));
  t.strictSame(seen, ['SSLRequest']);
  t.equal(reader.rest().toString(), 'TLS bytes, more');
});

t.test('payloads over 16 MiB', async (t) => {
  const limit = 3 * MAX_FRAGMENT_BYTES;
  for (const size of [MAX_FRAGMENT_BYTES, MAX_FRAGMENT_BYTES + 1, 2 * MAX_FRAGMENT_BYTES]) {
    const payload = Buffer.alloc(size, 'x');
    payload.write('seam', MAX_FRAGMENT_BYTES - 2);
    const framed = Buffer.concat([framePacket(payload, 3), framePacket(Buffer.from('next'), 9)]);
    for (const checked of [true, false]) {
      const seen: [number, boolean][] = [];
      const reader = new PacketReader((received, sequenceId) => {
        seen.push([sequenceId, received.equals(payload)]);
        if (checked) reader.expect(9);
      }, limit);
      if (checked) reader.expect(3);
      for (let from = 0; from < framed.length; from += 5_000_001)
        reader.push(framed.subarray(from, from + 5_000_001));
      const last = (nextSequenceId(3, size) - 1) & 0xff;
      t.strictSame(
        seen,
        [
          [last, true],
          [9, false],
        ],
        `${size} bytes, ${checked ? 'checked' : 'unchecked'}`,
      );
    }
  }
  const outOfOrder = framePacket(Buffer.alloc(MAX_FRAGMENT_BYTES + 1), 0);
  outOfOrder[4 + MAX_FRAGMENT_BYTES + 3] = 5;
  t.throws(() => read([outOfOrder], null, limit), PacketOutOfOrderError, 'fragments are checked in any case');
  const tooLarge = framePacket(Buffer.alloc(MAX_FRAGMENT_BYTES + 10), 0).subarray(0, MAX_FRAGMENT_BYTES + 8);
  t.throws(
    () => read([tooLarge], null, MAX_FRAGMENT_BYTES + 9),
    PacketTooLargeError,
    'fragments count together',
  );
});
