import { deflateSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import {
  COMPRESSED_HEADER_BYTES,
  CompressedFrameReader,
  CompressionAlgorithm,
  compressedFrame,
  inflatePayload,
  MalformedPacketError,
  MIN_COMPRESS_BYTES,
  PacketTooLargeError,
} from '../../../../protocol/index.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const LIMIT = 1 << 20;
const { zlib, zstd } = CompressionAlgorithm;

function frame(payload: Buffer, uncompressedBytes: number, sequenceId = 0, claimed = payload.length): Buffer {
  const header = Buffer.alloc(COMPRESSED_HEADER_BYTES);
  header.writeUIntLE(claimed, 0, 3);
  header[3] = sequenceId;
  header.writeUIntLE(uncompressedBytes, 4, 3);
  return Buffer.concat([header, payload]);
}

/** What all frames hold, one after the other, and their sequence ids. */
function readAll(
  algorithm: CompressionAlgorithm,
  chunks: readonly Buffer[],
): { content: Buffer; ids: number[] } {
  const reader = new CompressedFrameReader(LIMIT);
  const contents: Buffer[] = [];
  const ids: number[] = [];
  for (const chunk of chunks) {
    reader.append(chunk);
    for (let next = reader.next(); next !== null; next = reader.next()) {
      const { payload, uncompressedBytes, sequenceId } = next;
      ids.push(sequenceId);
      contents.push(
        uncompressedBytes === 0
          ? Buffer.from(payload)
          : inflatePayload(algorithm, payload, uncompressedBytes),
      );
    }
  }
  t.equal(reader.bufferedBytes, 0, 'nothing is left');
  return { content: Buffer.concat(contents), ids };
}

t.test('what is written is read, whole and cut anywhere', async (t) => {
  const random = SeededRandom.fromEnvironment();
  t.comment(`SLUICE_TEST_SEED=${random.seed}`);
  for (const algorithm of [zlib, zstd]) {
    const parts = [1, MIN_COMPRESS_BYTES - 1, MIN_COMPRESS_BYTES, 300, 70_000].map((bytes, index) =>
      index % 2 === 0 ? Buffer.alloc(bytes, 'abc') : random.bytes(bytes),
    );
    const frames = Buffer.concat(parts.map((part, id) => compressedFrame(algorithm, 1, part, 254 + id)));
    const wanted = { content: Buffer.concat(parts), ids: [254, 255, 0, 1, 2] };
    t.strictSame(readAll(algorithm, [frames]), wanted, `${algorithm}, whole`);
    const bytes = Array.from({ length: 500 }, (_, at) => frames.subarray(at, at + 1));
    t.strictSame(readAll(algorithm, [...bytes, frames.subarray(500)]), wanted, `${algorithm}, byte by byte`);
    const cuts: Buffer[] = [];
    for (let at = 0; at < frames.length; ) {
      const length = 1 + random.below(5000);
      cuts.push(frames.subarray(at, at + length));
      at += length;
    }
    t.strictSame(readAll(algorithm, cuts), wanted, `${algorithm}, cut by chance`);
  }
});

t.test('what does not get shorter is sent as it is', async (t) => {
  const short = compressedFrame(zlib, 6, Buffer.alloc(MIN_COMPRESS_BYTES - 1), 3);
  t.equal(short.readUIntLE(4, 3), 0, 'too short');
  t.equal(short.length, COMPRESSED_HEADER_BYTES + MIN_COMPRESS_BYTES - 1);
  const noise = new SeededRandom(1).bytes(2000);
  t.strictSame(compressedFrame(zlib, 6, noise, 3), frame(noise, 0, 3), 'noise');
  const long = compressedFrame(zlib, 6, Buffer.alloc(MIN_COMPRESS_BYTES), 3);
  t.equal(long.readUIntLE(4, 3), MIN_COMPRESS_BYTES, 'long enough');
  t.throws(() => compressedFrame(zlib, 6, Buffer.alloc(1 << 24), 0), RangeError);
});

t.test('a header that announces too much is refused before anything else has come', async (t) => {
  for (const bytes of [
    frame(Buffer.alloc(0), 0, 0, LIMIT + 1),
    frame(Buffer.alloc(0), LIMIT + 1, 0, 20),
    frame(Buffer.alloc(0), 0xff_ffff, 0, 0xff_ffff),
  ]) {
    const reader = new CompressedFrameReader(LIMIT);
    reader.append(bytes);
    t.throws(() => reader.next(), PacketTooLargeError);
  }
  const empty = new CompressedFrameReader(LIMIT);
  empty.append(frame(Buffer.alloc(0), 0));
  t.throws(() => empty.next(), MalformedPacketError, 'a frame of nothing');
});

t.test('lies about the length, and what is not compressed at all', async (t) => {
  const content = Buffer.alloc(10_000, 'x');
  for (const [algorithm, payload] of [
    [zlib, deflateSync(content)],
    [zstd, zstdCompressSync(content)],
  ] as const) {
    t.strictSame(inflatePayload(algorithm, payload, 10_000), content, `${algorithm}: the truth`);
    for (const lie of [1, 9999, 10_001, 0xff_ffff])
      t.throws(() => inflatePayload(algorithm, payload, lie), MalformedPacketError, `${algorithm}: ${lie}`);
    for (const cut of [0, 1, 10, payload.length - 1])
      t.throws(
        () => inflatePayload(algorithm, payload.subarray(0, cut), 10_000),
        MalformedPacketError,
        `${algorithm}: cut at ${cut}`,
      );
    t.throws(() => inflatePayload(algorithm, Buffer.from('no such thing'), 100), MalformedPacketError);
  }
  const bomb = deflateSync(Buffer.alloc(64 << 20), { level: 9 });
  t.throws(
    () => inflatePayload(zlib, bomb, 1000),
    /more bytes than it announced/,
    'inflates no further than announced',
  );
});

t.test('changed bytes never give anything but frames or a refusal', async (t) => {
  const random = SeededRandom.fromEnvironment();
  t.comment(`SLUICE_TEST_SEED=${random.seed}`);
  let refused = 0;
  for (let run = 0; run < 2000; run++) {
    const algorithm = random.pick([zlib, zstd]);
    const bytes = compressedFrame(algorithm, 1, Buffer.alloc(60 + random.below(500), 'ab'), 0);
    for (let change = random.below(3); change >= 0; change--)
      bytes[random.below(bytes.length)] = random.below(256);
    const reader = new CompressedFrameReader(LIMIT);
    reader.append(bytes);
    try {
      const next = reader.next();
      if (next !== null && next.uncompressedBytes > 0) {
        const inflated = inflatePayload(algorithm, next.payload, next.uncompressedBytes);
        if (inflated.length !== next.uncompressedBytes) t.fail('not what was announced');
      }
    } catch (error) {
      if (!(error instanceof MalformedPacketError || error instanceof PacketTooLargeError)) throw error;
      refused++;
    }
  }
  t.ok(refused > 100, `${refused} refused`);
});
