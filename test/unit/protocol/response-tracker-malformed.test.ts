/** A server that breaks the protocol: a MalformedPacketError, at once, and never an answer that looks whole. */

import fc from 'fast-check';
import t from 'tap';
import {
  AnswerShape,
  encodeComStmtPrepareOk,
  encodeEof,
  encodeOk,
  framePacket,
  MalformedPacketError,
} from '../../../protocol/index.ts';
import { CAPABILITY_SETS, ClientSink, definition, encodeAnswer, pass, TrackerRig } from './tracked-answer.ts';

const { query, single, prepare, fetch, text, stream } = AnswerShape;
const [old, modern, , tracking] = CAPABILITY_SETS as [number, number, number, number];
const AUTOCOMMIT = 2;

const seed = Number(process.env.SLUICE_FUZZ_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.SLUICE_FUZZ_RUNS ?? 300);
t.comment(`seed ${seed}`);

/** Packets with the right sequence ids. */
function packets(...payloads: (Uint8Array | string)[]): Buffer {
  return Buffer.concat(
    payloads.map((payload, index) =>
      framePacket(typeof payload === 'string' ? Buffer.from(payload, 'hex') : payload, index + 1),
    ),
  );
}

function refuses(server: number, shape: AnswerShape, bytes: Buffer, client = server): boolean {
  for (const cut of [bytes.length, 1]) {
    const rig = new TrackerRig(server).begin(shape, client, AUTOCOMMIT);
    try {
      rig.read(bytes, () => cut);
    } catch (error) {
      if (error instanceof MalformedPacketError) continue;
      throw error;
    }
    return false;
  }
  return true;
}

const DEFINITION = definition(0);
const EOF = encodeEof({ statusFlags: AUTOCOMMIT, warnings: 0 }, old);
const END = encodeOk({ header: 0xfe, statusFlags: AUTOCOMMIT }, modern);

const NONSENSE: readonly (readonly [string, number, AnswerShape, Buffer])[] = [
  ['an empty first packet', modern, query, packets('')],
  ['an OK that is too short', modern, query, packets('00000002')],
  ['an OK whose numbers are cut off', modern, query, packets('00fe0000000000')],
  ['an OK whose info is cut off', tracking, query, packets('000000020000000bff')],
  ['an ERR without a number', modern, query, packets('ff')],
  ['an ERR with half a number', modern, query, packets('ff28')],
  ['no columns', modern, query, packets('fc0000')],
  ['a count that had fitted into a byte', modern, query, packets('fcfa00')],
  ['a count of 3 bytes', modern, query, packets('fd000001')],
  ['a count with something behind it', modern, query, packets('0100')],
  ['an EOF as an answer to a query', modern, query, packets(END)],
  ['rows as an answer to a single-packet command', modern, single, packets('01')],
  ['a file wanted by a single-packet command', modern, single, packets('fb2f746d70')],
  ['an empty definition', modern, query, packets('01', '')],
  ['an EOF among the definitions', modern, query, packets('02', DEFINITION, END)],
  ['an EOF among the definitions, old', old, query, packets('02', DEFINITION, EOF)],
  ['a definition too many, old', old, query, packets('01', DEFINITION, DEFINITION)],
  ['a short EOF behind the definitions', old, query, packets('01', DEFINITION, 'fe')],
  ['a long EOF behind the definitions', old, query, packets('01', DEFINITION, 'fe000002000000')],
  ['an empty row', modern, query, packets('01', DEFINITION, '')],
  ['an empty row, old', old, query, packets('01', DEFINITION, EOF, '')],
  ['a short end of the rows', modern, query, packets('01', DEFINITION, 'fe0000')],
  ['an old end of the rows where there is none', modern, query, packets('01', DEFINITION, EOF)],
  ['a short end of the rows, old', old, query, packets('01', DEFINITION, EOF, 'fe0000')],
  ['a new end of the rows, old', old, query, packets('01', DEFINITION, EOF, 'fe000002000000')],
  ['a short answer to a prepare', modern, prepare, packets('0001000000000000')],
  ['a prepare answered by a result set', modern, prepare, packets('01')],
  [
    'an EOF among the parameters',
    modern,
    prepare,
    packets(
      encodeComStmtPrepareOk(
        { statementId: 1, columnCount: 0, parameterCount: 2, warnings: 0, metadataFollows: true },
        modern,
      ),
      DEFINITION,
      EOF,
    ),
  ],
  ['a short end of fetched rows', modern, fetch, packets('fe')],
  ['an empty text', modern, text, packets('')],
  ['an unknown event', modern, stream, packets('1100112233445566')],
  [
    'a control packet of 5 MiB',
    modern,
    query,
    Buffer.concat([Buffer.from('00005001', 'hex'), Buffer.alloc(4096)]),
  ],
  ['a first packet of 16 MiB - 1', modern, query, Buffer.from('ffffff0100', 'hex')],
  ['a wrong first sequence id', modern, query, framePacket(Buffer.from('01', 'hex'), 0)],
  ['a sequence id that repeats', modern, query, Buffer.concat([packets('01'), framePacket(DEFINITION, 1)])],
  [
    'a sequence id left out among rows',
    modern,
    query,
    Buffer.concat([packets('01', DEFINITION), framePacket(Buffer.from('0131', 'hex'), 4)]),
  ],
];

for (const [name, server, shape, bytes] of NONSENSE) {
  t.test(name, async (t) => {
    for (const client of CAPABILITY_SETS) t.ok(refuses(server, shape, bytes, client));
  });
}

t.test('an answer that is cut off is not complete', async (t) => {
  const answer = encodeAnswer(
    {
      shape: query,
      parts: [
        {
          kind: 'rows',
          columns: 1,
          rows: [Buffer.from('0131', 'hex')],
          status: AUTOCOMMIT,
          statusBefore: AUTOCOMMIT,
        },
      ],
    },
    modern,
  );
  for (const client of CAPABILITY_SETS) {
    for (let length = 0; length < answer.length; length++) {
      const rig = new TrackerRig(modern).begin(query, client, AUTOCOMMIT);
      rig.read(answer.subarray(0, length));
      t.notOk(rig.tracker.complete, `${length} bytes`);
    }
  }
});

t.test('an answer during LOCAL INFILE', async (t) => {
  const rig = new TrackerRig(modern).begin(query, modern, AUTOCOMMIT);
  rig.read(packets('fb2f746d70'));
  t.throws(() => rig.read(packets('00000002000000')), MalformedPacketError);
});

t.test('the first byte of a command more than was asked for is left to the caller', async (t) => {
  const { left } = pass({ shape: query, parts: [{ kind: 'ok', status: AUTOCOMMIT }] }, modern, modern, 2);
  t.equal(left, 0);
  const rig = new TrackerRig(modern, new ClientSink()).begin(query, modern, AUTOCOMMIT);
  t.equal(rig.read(Buffer.concat([packets('00000002000000'), Buffer.from([1])])), 1);
});

t.test(
  'whatever comes: MalformedPacketError or nothing, and never more bytes than came but EOF packets',
  async () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      // Framed well, so that it gets further.
      fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 }).map((payloads) => packets(...payloads)),
      fc
        .array(
          fc.constantFrom(
            '01',
            '02',
            '00000002000000',
            'fe000002000000',
            'fe00000200',
            '0131',
            'ff2804',
            'fb2f',
            DEFINITION.toString('hex'),
          ),
          {
            maxLength: 10,
          },
        )
        .map((payloads) => packets(...payloads)),
    );
    fc.assert(
      fc.property(
        noise,
        fc.constantFrom(...CAPABILITY_SETS),
        fc.constantFrom(...CAPABILITY_SETS),
        fc.constantFrom(...Object.values(AnswerShape)),
        fc.integer({ min: 1, max: 20 }),
        (bytes, server, client, shape, cut) => {
          const rig = new TrackerRig(server).begin(shape, client, AUTOCOMMIT);
          try {
            rig.read(bytes, () => cut);
          } catch (error) {
            if (!(error instanceof MalformedPacketError)) throw error;
          }
          const most = bytes.length / 4 + 1;
          return rig.sink.bytes.length <= bytes.length + 9 * most;
        },
      ),
      { seed, numRuns },
    );
  },
);
