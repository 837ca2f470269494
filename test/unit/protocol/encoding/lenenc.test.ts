/** One table with a value on each side of every width boundary; each row is written, read, and read truncated. */

import t from 'tap';
import {
  lenencSize,
  lenencSizeAt,
  readLenenc,
  readLenencNumber,
  writeLenenc,
} from '../../../../protocol/encoding/lenenc.ts';
import { MalformedPacketError } from '../../../../protocol/errors.ts';

const CASES: readonly (readonly [value: number | bigint, bytes: readonly number[]])[] = [
  [0, [0]],
  [1, [1]],
  [0xfa, [0xfa]],
  [0xfb, [0xfc, 0xfb, 0x00]],
  [0xfc, [0xfc, 0xfc, 0x00]],
  [0xff, [0xfc, 0xff, 0x00]],
  [0x100, [0xfc, 0x00, 0x01]],
  [0xffff, [0xfc, 0xff, 0xff]],
  [0x1_0000, [0xfd, 0x00, 0x00, 0x01]],
  [0xff_ffff, [0xfd, 0xff, 0xff, 0xff]],
  [0x100_0000, [0xfe, 0, 0, 0, 1, 0, 0, 0, 0]],
  [0xffff_ffff, [0xfe, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
  [0x1_0000_0000, [0xfe, 0, 0, 0, 0, 1, 0, 0, 0]],
  [Number.MAX_SAFE_INTEGER, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x00]],
  [2n ** 53n, [0xfe, 0, 0, 0, 0, 0, 0, 0x20, 0]],
  [2n ** 64n - 1n, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
];

for (const [value, wire] of CASES) {
  t.test(String(value), async (t) => {
    const bytes = Uint8Array.from(wire);
    t.equal(lenencSize(value), bytes.length);
    const written = new Uint8Array(bytes.length);
    t.equal(writeLenenc(written, 0, value), bytes.length);
    t.strictSame(written, bytes);
    const shifted = new Uint8Array(bytes.length + 5).fill(0xaa);
    t.equal(writeLenenc(shifted, 3, value), 3 + bytes.length);
    t.strictSame(shifted.subarray(3, 3 + bytes.length), bytes);
    t.strictSame([...shifted.subarray(0, 3), ...shifted.subarray(-2)], [0xaa, 0xaa, 0xaa, 0xaa, 0xaa]);
    t.equal(readLenenc(bytes, 0, bytes.length), value);
    t.equal(readLenenc(shifted, 3, 3 + bytes.length), value);
    t.equal(lenencSizeAt(shifted, 3, shifted.length), bytes.length);
    if (typeof value === 'number') t.equal(readLenencNumber(bytes, 0, bytes.length), value);
    else t.throws(() => readLenencNumber(bytes, 0, bytes.length), MalformedPacketError);
    for (let length = 0; length < bytes.length; length += 1) {
      // The bytes behind the end are there; they must not be read.
      t.throws(() => readLenenc(bytes, 0, length), MalformedPacketError, `cut to ${length} bytes`);
    }
    t.throws(() => writeLenenc(new Uint8Array(bytes.length - 1), 0, value), RangeError);
  });
}

t.test('a bigint is written as the number of the same value', async (t) => {
  for (const [value, wire] of CASES) {
    const written = new Uint8Array(wire.length);
    writeLenenc(written, 0, BigInt(value));
    t.strictSame([...written], wire);
  }
});

t.test('the two first bytes that are no length', async (t) => {
  for (const first of [0xfb, 0xff]) {
    const bytes = Uint8Array.from([first, 0, 0, 0, 0, 0, 0, 0, 0]);
    t.throws(() => readLenenc(bytes, 0, bytes.length), MalformedPacketError);
    t.throws(() => lenencSizeAt(bytes, 0, bytes.length), MalformedPacketError);
  }
});

t.test('values that cannot be written', async (t) => {
  for (const value of [-1, -1n, 0.5, Number.NaN, 2n ** 64n]) {
    t.throws(() => writeLenenc(new Uint8Array(16), 0, value), RangeError, String(value));
  }
});
