import t from 'tap';
import { BufferWriter } from '../../../../protocol/encoding/buffer-writer.ts';
import { framePacket, MAX_FRAGMENT_BYTES } from '../../../../protocol/framing/packet-header.ts';

t.test('grows as needed and keeps what was written', async (t) => {
  const writer = new BufferWriter(1);
  for (let value = 0; value < 1000; value += 1) writer.writeU16(value);
  t.equal(writer.length, 2000);
  const bytes = writer.asView();
  t.ok(
    Array.from({ length: 1000 }, (_, index) => bytes.readUInt16LE(index * 2)).every(
      (value, index) => value === index,
    ),
  );
});

t.test('zeros overwrite what the memory held', async (t) => {
  const writer = new BufferWriter(64);
  writer.writeBytes(Buffer.alloc(64, 0xff)).writeZeros(300);
  t.ok(
    writer
      .take()
      .subarray(64)
      .every((byte) => byte === 0),
  );
});

t.test('a packet gets its header', async (t) => {
  const writer = new BufferWriter();
  t.equal(writer.beginPacket(0).writeString('abc').endPacket(), 1);
  t.equal(writer.beginPacket(255).endPacket(), 0, 'sequence ids wrap');
  t.equal(writer.take().toString('hex'), '03000000616263000000ff');
});

t.test('take empties the writer and gives the bytes away', async (t) => {
  const writer = new BufferWriter();
  const first = writer.writeString('first').take();
  t.equal(writer.length, 0);
  writer.writeString('other');
  t.equal(first.toString(), 'first');
  const copy = writer.asCopy();
  writer.writeString('!');
  t.equal(copy.toString(), 'other');
});

t.test('payloads around the fragment size are cut as servers do', async (t) => {
  for (const size of [
    MAX_FRAGMENT_BYTES - 1,
    MAX_FRAGMENT_BYTES,
    MAX_FRAGMENT_BYTES + 1,
    2 * MAX_FRAGMENT_BYTES,
  ]) {
    const payload = Buffer.alloc(size, 'x');
    payload.write('begin');
    payload.write('end', size - 3);
    payload.write('seam', Math.min(size - 10, MAX_FRAGMENT_BYTES - 2));
    const writer = new BufferWriter().writeString('before');
    const fragments = Math.floor(size / MAX_FRAGMENT_BYTES) + 1;
    t.equal(writer.beginPacket(254).writeBytes(payload).endPacket(), (254 + fragments) & 0xff);
    writer.writeString('behind');
    const expected = Buffer.concat([Buffer.from('before'), framePacket(payload, 254), Buffer.from('behind')]);
    t.ok(writer.take().equals(expected), `${size} bytes in ${fragments} fragments`);
  }
});

t.test('wrong use is refused', async (t) => {
  const writer = new BufferWriter();
  t.throws(() => writer.endPacket(), RangeError);
  writer.beginPacket(0);
  t.throws(() => writer.beginPacket(1), RangeError);
  t.throws(() => writer.take(), RangeError);
  t.throws(() => writer.writeU8(256), RangeError);
  t.throws(() => writer.writeU16(-1), RangeError);
  t.throws(() => writer.writeU64(2n ** 64n), RangeError);
  t.throws(() => writer.writeNullTerminatedString('a\0b'), RangeError);
  t.throws(() => writer.writeNullTerminatedBytes(Buffer.from([0])), RangeError);
});
