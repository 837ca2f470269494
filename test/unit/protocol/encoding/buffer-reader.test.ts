import t from 'tap';
import { BufferReader } from '../../../../protocol/encoding/buffer-reader.ts';
import { BufferWriter } from '../../../../protocol/encoding/buffer-writer.ts';
import { MalformedPacketError } from '../../../../protocol/errors.ts';

interface ReadCase {
  readonly name: string;
  readonly write: (writer: BufferWriter) => unknown;
  readonly read: (reader: BufferReader) => unknown;
  readonly value: unknown;
  readonly bytes: number;
}

const text = Buffer.from('naïve');
const CASES: readonly ReadCase[] = [
  { name: 'u8', write: (w) => w.writeU8(0xfe), read: (r) => r.readU8(), value: 0xfe, bytes: 1 },
  { name: 'u16', write: (w) => w.writeU16(0xfedc), read: (r) => r.readU16(), value: 0xfedc, bytes: 2 },
  { name: 'u24', write: (w) => w.writeU24(0xfedcba), read: (r) => r.readU24(), value: 0xfedcba, bytes: 3 },
  {
    name: 'u32',
    write: (w) => w.writeU32(0xfedcba98),
    read: (r) => r.readU32(),
    value: 0xfedcba98,
    bytes: 4,
  },
  {
    name: 'u64',
    write: (w) => w.writeU64(2n ** 64n - 2n),
    read: (r) => r.readU64(),
    value: 2n ** 64n - 2n,
    bytes: 8,
  },
  {
    name: 'u64 as number',
    write: (w) => w.writeU64(2 ** 53 - 1),
    read: (r) => r.readU64AsNumber(),
    value: 2 ** 53 - 1,
    bytes: 8,
  },
  { name: 'i8', write: (w) => w.writeI8(-2), read: (r) => r.readI8(), value: -2, bytes: 1 },
  { name: 'i16', write: (w) => w.writeI16(-300), read: (r) => r.readI16(), value: -300, bytes: 2 },
  { name: 'i32', write: (w) => w.writeI32(-70_000), read: (r) => r.readI32(), value: -70_000, bytes: 4 },
  {
    name: 'i64',
    write: (w) => w.writeI64(-(2n ** 63n)),
    read: (r) => r.readI64(),
    value: -(2n ** 63n),
    bytes: 8,
  },
  { name: 'float', write: (w) => w.writeFloat(0.5), read: (r) => r.readFloat(), value: 0.5, bytes: 4 },
  { name: 'double', write: (w) => w.writeDouble(0.1), read: (r) => r.readDouble(), value: 0.1, bytes: 8 },
  {
    name: 'lenenc',
    write: (w) => w.writeLenenc(70_000),
    read: (r) => r.readLenenc(),
    value: 70_000,
    bytes: 4,
  },
  {
    name: 'lenenc bigint',
    write: (w) => w.writeLenenc(7),
    read: (r) => r.readLenencBigint(),
    value: 7n,
    bytes: 1,
  },
  {
    name: 'lenenc number',
    write: (w) => w.writeLenenc(2 ** 40),
    read: (r) => r.readLenencNumber(),
    value: 2 ** 40,
    bytes: 9,
  },
  {
    name: 'lenenc bytes',
    write: (w) => w.writeLenencBytes(text),
    read: (r) => r.readLenencBytes(),
    value: text,
    bytes: 7,
  },
  {
    name: 'lenenc string',
    write: (w) => w.writeLenencString('naïve'),
    read: (r) => r.readLenencString(),
    value: 'naïve',
    bytes: 7,
  },
  {
    name: 'string<NUL>',
    write: (w) => w.writeNullTerminatedString('naïve'),
    read: (r) => r.readNullTerminatedString(),
    value: 'naïve',
    bytes: 7,
  },
  {
    name: 'bytes<NUL>',
    write: (w) => w.writeNullTerminatedBytes(text),
    read: (r) => r.readNullTerminatedBytes(),
    value: text,
    bytes: 7,
  },
  {
    name: 'string<fix>',
    write: (w) => w.writeBytes(text),
    read: (r) => r.readBytes(6),
    value: text,
    bytes: 6,
  },
];

for (const { name, write, read, value, bytes } of CASES) {
  t.test(name, async (t) => {
    const writer = new BufferWriter();
    write(writer);
    const written = writer.take();
    t.equal(written.length, bytes);
    const reader = new BufferReader(written);
    t.strictSame(read(reader), value);
    t.equal(reader.remaining, 0);
    t.equal(reader.offset, bytes);
    // Within a larger buffer, at an offset, with plausible bytes behind the end.
    const wider = Buffer.concat([Buffer.alloc(3, 1), written, Buffer.alloc(16)]);
    t.strictSame(read(new BufferReader(wider, 3, 3 + bytes)), value);
    for (let length = 0; length < bytes; length += 1) {
      const cut = new BufferReader(wider, 3, 3 + length);
      const error = t.throws(() => read(cut), MalformedPacketError, `cut to ${length} bytes`);
      t.ok((error as unknown as MalformedPacketError).offset <= length);
    }
  });
}

t.test('a Uint8Array that is not a Buffer, and a part of one', async (t) => {
  const bytes = Uint8Array.from([9, 9, 2, 0x61, 0x62, 9]).subarray(2, 5);
  t.equal(new BufferReader(bytes).readLenencString(), 'ab');
});

t.test('a range outside of the bytes is refused', async (t) => {
  const bytes = Buffer.alloc(4);
  for (const [start, end] of [
    [-1, 2],
    [3, 2],
    [0, 5],
  ] as const) {
    t.throws(() => new BufferReader(bytes, start, end), RangeError, `${start}..${end}`);
  }
});

t.test('what is left', async (t) => {
  const reader = new BufferReader(Buffer.from('abc'));
  reader.skip(1);
  t.equal(reader.peekU8(), 0x62);
  t.throws(() => reader.assertEnd('test'), MalformedPacketError);
  t.equal(reader.readRestString(), 'bc');
  t.equal(reader.peekU8(), -1);
  t.equal(reader.readRest().length, 0);
  reader.assertEnd('test');
  t.throws(() => reader.skip(1), MalformedPacketError);
  t.throws(() => reader.readBytes(-1), MalformedPacketError);
});

t.test('the end of the packet may end a string in place of its NUL', async (t) => {
  const reader = new BufferReader(Buffer.from('ab\0cd'));
  t.equal(reader.readNullTerminatedOrRestString(), 'ab');
  t.equal(reader.readNullTerminatedOrRestString(), 'cd');
  t.equal(reader.readNullTerminatedOrRestString(), '');
});

t.test('views, not copies', async (t) => {
  const bytes = Buffer.from([1, 0x61, 0x62]);
  const reader = new BufferReader(bytes);
  const first = reader.readLenencBytes();
  const rest = reader.readRest();
  bytes.fill(0x7a);
  t.equal(first.toString() + rest.toString(), 'zz');
});

t.test('a length over 2^53 is malformed, and allocates nothing', async (t) => {
  const bytes = Buffer.alloc(9, 0xff);
  bytes[0] = 0xfe;
  t.throws(() => new BufferReader(bytes).readLenencBytes(), MalformedPacketError);
  t.throws(() => new BufferReader(bytes).readLenencNumber(), MalformedPacketError);
  t.throws(() => new BufferReader(bytes.subarray(1)).readU64AsNumber(), MalformedPacketError);
  t.equal(new BufferReader(bytes).readLenenc(), 2n ** 64n - 1n);
});

t.test('the error names the field and where it begins', async (t) => {
  const reader = new BufferReader(Buffer.from([0xff, 7, 5, 0x61]), 1);
  reader.skip(1);
  const error = t.throws(() => reader.readLenencBytes('schema'), MalformedPacketError);
  t.match(error, { what: 'schema', offset: 1, message: 'Malformed packet: schema at offset 1' });
});
