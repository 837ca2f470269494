/** The stream of events, in chunks that are cut anywhere; what is no stream of events is an error and never a value. */

import fc from 'fast-check';
import t from 'tap';
import {
  BinlogChecksum,
  BinlogEventFlag,
  BinlogEventType,
  DumpReader,
  encodeErr,
  MalformedPacketError,
  PacketOutOfOrderError,
} from '../../../../protocol/index.ts';
import { dumpOf, eventPayload, makeDescription, makeEvent } from './make-event.ts';

const { QUERY_EVENT, ROTATE_EVENT, XID_EVENT, FORMAT_DESCRIPTION_EVENT } = BinlogEventType;
const seed = Number(process.env.SLUICE_FUZZ_SEED ?? Date.now() % 2 ** 31);
t.comment(`seed ${seed}`);

interface Seen {
  readonly events: (readonly [type: number, body: string, isWhole: boolean])[];
  readonly ends: (number | null)[];
}

function reader(limits = { maxEventBytes: 1_000_000, headBytes: 1000 }): { reader: DumpReader; seen: Seen } {
  const seen: Seen = { events: [], ends: [] };
  const sink = {
    event: (
      { eventType }: { eventType: number },
      bytes: Buffer,
      start: number,
      end: number,
      isWhole: boolean,
    ) => {
      const shown = eventType === FORMAT_DESCRIPTION_EVENT ? '' : bytes.toString('latin1', start, end);
      seen.events.push([eventType, shown, isWhole]);
    },
    ended: (error: { errno: number } | null) => seen.ends.push(error?.errno ?? null),
  };
  return { reader: new DumpReader(sink, { checksum: BinlogChecksum.NONE, ...limits }), seen };
}

function read(
  bytes: Buffer,
  chunkBytes: number,
  limits?: { maxEventBytes: number; headBytes: number },
): Seen {
  const made = reader(limits);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    // The chunk's memory is used again by the next one.
    const chunk = Buffer.from(bytes.subarray(at, at + chunkBytes));
    made.reader.push(chunk);
    chunk.fill(0xee);
  }
  return made.seen;
}

const made = { flags: BinlogEventFlag.LOG_EVENT_ARTIFICIAL_F, nextPosition: 0 };
const WITH = [
  makeEvent(ROTATE_EVENT, Buffer.from('rotate'), made),
  makeDescription('10.11.14-MariaDB', 1),
  makeEvent(QUERY_EVENT, Buffer.from('BEGIN')),
  makeEvent(QUERY_EVENT, Buffer.from('x'.repeat(300))),
  makeEvent(XID_EVENT, Buffer.alloc(0)),
  // Between two files: the next one has no checksums, and this one has none either.
  makeEvent(ROTATE_EVENT, Buffer.from('next'), { ...made, checksum: false }),
  makeDescription('5.7.29-log', 0),
  makeEvent(QUERY_EVENT, Buffer.from('plain'), { checksum: false }),
];
const EXPECTED: Seen = {
  events: [
    [ROTATE_EVENT, 'rotate', true],
    [FORMAT_DESCRIPTION_EVENT, '', true],
    [QUERY_EVENT, 'BEGIN', true],
    [QUERY_EVENT, 'x'.repeat(300), true],
    [XID_EVENT, '', true],
    [ROTATE_EVENT, 'next', true],
    [FORMAT_DESCRIPTION_EVENT, '', true],
    [QUERY_EVENT, 'plain', true],
  ],
  ends: [1236],
};
const STREAM = dumpOf([
  ...WITH.map(eventPayload),
  encodeErr({ errno: 1236, sqlState: 'HY000', message: 'purged' }, 0),
]);

t.test('however it is cut', (t) => {
  for (const chunkBytes of [STREAM.length, 1, 2, 3, 5, 64, 333])
    t.strictSame(read(STREAM, chunkBytes), EXPECTED, `in chunks of ${chunkBytes}`);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: STREAM.length }), { maxLength: 8 }), (cuts) => {
      const made = reader();
      const edges = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
      for (let i = 1; i < edges.length; i++) made.reader.push(STREAM.subarray(edges[i - 1], edges[i]));
      t.same(made.seen.events.length, EXPECTED.events.length);
      return JSON.stringify(made.seen) === JSON.stringify(EXPECTED);
    }),
    { seed, numRuns: 60 },
  );
  t.end();
});

t.test('a long event is known by its beginning, and still has to be right', (t) => {
  const limits = { maxEventBytes: 290, headBytes: 50 };
  for (const chunkBytes of [STREAM.length, 1, 7, 100]) {
    const { events } = read(STREAM, chunkBytes, limits);
    const [, , , long] = events;
    t.strictSame(long, [QUERY_EVENT, 'x'.repeat(50 - 19), false], `in chunks of ${chunkBytes}`);
    t.equal(events.length, EXPECTED.events.length);
  }
  const wrong = Buffer.from(STREAM);
  wrong[wrong.indexOf('xxxx') + 250]! ^= 1;
  for (const chunkBytes of [STREAM.length, 1]) {
    t.throws(() => read(wrong, chunkBytes, limits), /event checksum/);
    t.throws(() => read(wrong, chunkBytes), /event checksum/);
  }
  t.end();
});

t.test('an event of several packets', (t) => {
  const description = eventPayload(makeDescription('8.0.40', 1));
  for (const bodyBytes of [0xff_ffff - 24, 0xff_ffff - 23, 17_000_000, 2 * 0xff_ffff - 24]) {
    const event = makeEvent(QUERY_EVENT, Buffer.alloc(bodyBytes, 'y'));
    const stream = dumpOf([
      description,
      eventPayload(event),
      eventPayload(makeEvent(XID_EVENT, Buffer.alloc(8))),
    ]);
    for (const [maxEventBytes, isWhole] of [
      [40_000_000, true],
      [100_000, false],
    ] as const) {
      const { events } = read(stream, 65_536, { maxEventBytes, headBytes: 100 });
      t.strictSame(
        events.map(([type, body, whole]) => [type, body.length, whole]),
        [
          [FORMAT_DESCRIPTION_EVENT, 0, true],
          [QUERY_EVENT, isWhole ? bodyBytes : 81, isWhole],
          [XID_EVENT, 8, true],
        ],
      );
    }
  }
  t.end();
});

t.test('what is no stream of events', (t) => {
  const description = makeDescription('10.11.14-MariaDB', 1);
  const query = makeEvent(QUERY_EVENT, Buffer.from('BEGIN'));
  const flipped = Buffer.from(query);
  flipped[20]! ^= 0x40;
  const cases: readonly (readonly [string, readonly Buffer[]])[] = [
    ['a wrong checksum', [eventPayload(description), eventPayload(flipped)]],
    [
      'a wrong checksum of the description',
      [eventPayload(Buffer.concat([description.subarray(0, -1), Buffer.from([1])]))],
    ],
    ['bytes of semi-synchronous replication', [Buffer.concat([Buffer.from([0, 0xef, 0]), query])]],
    ["a size that is not the packet's", [eventPayload(query.subarray(0, -1))]],
    ['an event without a header', [eventPayload(Buffer.alloc(5))]],
    ['an empty packet', [Buffer.alloc(0)]],
    ['another packet', [Buffer.from([0x05, 1, 2, 3])]],
  ];
  for (const [name, payloads] of cases)
    for (const chunkBytes of [10_000, 1])
      t.throws(() => read(dumpOf(payloads), chunkBytes), MalformedPacketError, name);
  const unordered = Buffer.from(STREAM);
  unordered[3] = 2;
  t.throws(() => read(unordered, 1), PacketOutOfOrderError);
  t.strictSame(read(dumpOf([Buffer.from([0xfe, 0, 0, 2, 0])]), 3).ends, [null], 'the end');
  t.end();
});

t.test('after its end it reads no more', (t) => {
  const { reader: ended, seen } = reader();
  ended.push(dumpOf([Buffer.from([0xfe])]));
  ended.push(Buffer.from('anything'));
  t.strictSame(seen, { events: [], ends: [null] });
  t.end();
});

t.test('noise', (t) => {
  const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(noise, { maxLength: 5 }), fc.boolean(), (chunks, isBehindStart) => {
      const { reader: fed } = reader({ maxEventBytes: 60, headBytes: 30 });
      try {
        if (isBehindStart) fed.push(STREAM.subarray(0, 400));
        for (const chunk of chunks) fed.push(chunk);
      } catch (error) {
        if (!(error instanceof MalformedPacketError) && !(error instanceof PacketOutOfOrderError))
          throw error;
      }
      return true;
    }),
    { seed, numRuns: 500 },
  );
  t.pass();
  t.end();
});
