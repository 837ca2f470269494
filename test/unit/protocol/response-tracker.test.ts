/** Every shape of answer, between servers and clients of all capabilities, however the bytes are cut. */

import t from 'tap';
import {
  AnswerShape,
  Capability,
  encodeBinaryRow,
  encodeLocalInfileRequest,
  encodeOk,
  encodeSessionState,
  encodeTextRow,
  frameErr,
  framePacket,
  hasCapability,
  SessionTrackType,
  StatusFlag,
} from '../../../protocol/index.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import {
  type Answer,
  CAPABILITY_SETS,
  ClientSink,
  type ErrPart,
  encodeAnswer,
  nameOfCapabilities,
  pass,
  type RowsPart,
  TrackerRig,
} from './tracked-answer.ts';

const { query, single, prepare, fieldList, fetch, text, stream } = AnswerShape;
const AUTOCOMMIT = StatusFlag.SERVER_STATUS_AUTOCOMMIT;
const IN_TRANS = StatusFlag.SERVER_STATUS_IN_TRANS;
const MORE = StatusFlag.SERVER_MORE_RESULTS_EXISTS;
const NO_INDEX = StatusFlag.SERVER_QUERY_NO_INDEX_USED;
const OUT = StatusFlag.SERVER_PS_OUT_PARAMS;
const CURSOR = StatusFlag.SERVER_STATUS_CURSOR_EXISTS;
const STATE = encodeSessionState([
  { type: SessionTrackType.SYSTEM_VARIABLES, name: 'time_zone', value: '+03:00' },
  { type: SessionTrackType.STATE_CHANGE, value: '1' },
]);

const random = SeededRandom.fromEnvironment();
t.comment(`SLUICE_TEST_SEED=${random.seed}`);

function textRows(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) =>
    encodeTextRow([index % 3 === 0 ? null : Buffer.from(`value ${index}`), Buffer.from(String(index))]),
  );
}

function rowsPart(count: number, status = AUTOCOMMIT | NO_INDEX, more: Partial<RowsPart> = {}): RowsPart {
  return { kind: 'rows', columns: 2, rows: textRows(count), status, statusBefore: AUTOCOMMIT, ...more };
}

const binaryRows = [0, 1, 0x7fff_fffe].map((value) =>
  encodeBinaryRow(
    [value, null],
    [
      { type: 3, unsigned: false },
      { type: 0xfd, unsigned: false },
    ],
  ),
);
const ERROR = { kind: 'err', errno: 1064, message: 'You have an error' } as const;
const PREPARED = { shape: prepare, statementId: 7, warnings: 0, statusBefore: AUTOCOMMIT } as const;

const ANSWERS: Readonly<Record<string, Answer>> = {
  'an OK of 7 bytes': { shape: query, parts: [{ kind: 'ok', status: AUTOCOMMIT }] },
  'an OK with numbers': {
    shape: query,
    parts: [{ kind: 'ok', status: AUTOCOMMIT, affectedRows: 300, lastInsertId: 70_000, warnings: 2 }],
  },
  'an OK with a text': {
    shape: query,
    parts: [{ kind: 'ok', status: AUTOCOMMIT, affectedRows: 1, info: 'Rows matched: 1  Changed: 1' }],
  },
  'an OK with session state': { shape: query, parts: [{ kind: 'ok', status: AUTOCOMMIT, state: STATE }] },
  'an ERR': { shape: query, parts: [ERROR] },
  'no rows': { shape: query, parts: [rowsPart(0)] },
  'one row': { shape: query, parts: [rowsPart(1)] },
  'more rows than sequence ids': { shape: query, parts: [rowsPart(600)] },
  'rows with warnings and session state': {
    shape: query,
    parts: [rowsPart(2, AUTOCOMMIT, { warnings: 3, state: STATE })],
  },
  'binary rows': { shape: query, parts: [rowsPart(0, AUTOCOMMIT, { rows: binaryRows })] },
  '300 columns': { shape: query, parts: [rowsPart(1, AUTOCOMMIT, { columns: 300 })] },
  'an error behind the definitions': { shape: query, parts: [rowsPart(0, AUTOCOMMIT, { error: ERROR })] },
  'an error behind rows': { shape: query, parts: [rowsPart(3, AUTOCOMMIT, { error: ERROR })] },
  'three results': {
    shape: query,
    parts: [
      rowsPart(2, AUTOCOMMIT | MORE),
      { kind: 'ok', status: AUTOCOMMIT | MORE, affectedRows: 1 },
      rowsPart(0, AUTOCOMMIT),
    ],
  },
  'results that end in an error': { shape: query, parts: [rowsPart(2, AUTOCOMMIT | MORE), ERROR] },
  'OUT parameters of a CALL': {
    shape: query,
    parts: [
      rowsPart(0, AUTOCOMMIT | MORE | OUT, {
        rows: binaryRows.slice(0, 1),
        statusBefore: AUTOCOMMIT | MORE | OUT,
      }),
      { kind: 'ok', status: AUTOCOMMIT },
    ],
  },
  'an open cursor': { shape: query, parts: [rowsPart(0, AUTOCOMMIT | CURSOR)] },
  'the OK of a single-packet command': { shape: single, parts: [{ kind: 'ok', status: AUTOCOMMIT }] },
  'the ERR of a single-packet command': { shape: single, parts: [ERROR] },
  'a prepare without anything': { ...PREPARED, columns: 0, parameters: 0 },
  'a prepare with columns': { ...PREPARED, columns: 2, parameters: 0 },
  'a prepare with parameters': { ...PREPARED, columns: 0, parameters: 3 },
  'a prepare with both': { ...PREPARED, columns: 300, parameters: 2, warnings: 1 },
  'a field list': { shape: fieldList, definitions: 3, status: AUTOCOMMIT },
  'an empty field list': { shape: fieldList, definitions: 0, status: AUTOCOMMIT },
  'fetched rows': { shape: fetch, rows: binaryRows, status: AUTOCOMMIT | CURSOR },
  'the last fetch': { shape: fetch, rows: [], status: AUTOCOMMIT | StatusFlag.SERVER_STATUS_LAST_ROW_SENT },
  statistics: { shape: text, text: 'Uptime: 3  Threads: 1' },
  'binlog events up to an error': {
    shape: stream,
    events: [Buffer.from([0, 1, 2, 3]), Buffer.from([0]), Buffer.alloc(5000)],
    error: { kind: 'err', errno: 1236, message: 'Could not find first log file name' },
  },
};

/** What the client gets: servers say nothing of the state in an EOF, nor without CLIENT_SESSION_TRACK. */
function expected(answer: Answer, server: number, client: number): Buffer {
  if (answer.shape !== query && answer.shape !== single) return encodeAnswer(answer, client);
  const tracks = hasCapability(server, Capability.CLIENT_SESSION_TRACK);
  const inEnd = tracks && hasCapability(server, Capability.CLIENT_DEPRECATE_EOF);
  const parts = answer.parts.map((part) => {
    if (part.kind === 'err' || (part.kind === 'ok' ? tracks : inEnd)) return part;
    const { state: _, ...rest } = part;
    return rest;
  });
  return encodeAnswer({ ...answer, parts }, client);
}

for (const [name, answer] of Object.entries(ANSWERS)) {
  t.test(name, async (t) => {
    for (const server of CAPABILITY_SETS) {
      for (const client of CAPABILITY_SETS) {
        const want = expected(answer, server, client);
        const title = `server ${nameOfCapabilities(server)} to client ${nameOfCapabilities(client)}`;
        const ways = {
          whole: {},
          'byte by byte': { cut: () => 1 },
          'random cuts': { cut: () => 1 + random.below(40), retains: () => random.next() < 0.3 },
          'a small buffer': { readBytes: 64, retains: () => random.next() < 0.5 },
        };
        for (const [way, options] of Object.entries(ways)) {
          const { bytes, tracker, left } = pass(answer, server, client, AUTOCOMMIT, options);
          t.ok(tracker.complete, `${title}, ${way}: complete`);
          t.equal(left, 0, `${title}, ${way}: nothing is left over`);
          t.ok(bytes.equals(want), `${title}, ${way}: ${bytes.toString('hex')} is ${want.toString('hex')}`);
        }
      }
    }
  });
}

t.test('what is left behind an answer belongs to the next one', async (t) => {
  const [, server] = CAPABILITY_SETS;
  const rig = new TrackerRig(server!);
  const answer = encodeAnswer(ANSWERS['one row']!, server!);
  rig.begin(query, server!, AUTOCOMMIT);
  t.equal(rig.read(Buffer.concat([answer, Buffer.from('next')])), 4);
  t.ok(rig.sink.bytes.equals(answer));
});

t.test('what the tracker tells of an answer', async (t) => {
  const [, server] = CAPABILITY_SETS;
  const facts = (name: string) => pass(ANSWERS[name]!, server!, server!, IN_TRANS).tracker;
  const ok = facts('an OK with numbers');
  t.match(ok, { affectedRows: 300, lastInsertId: 70_000, warnings: 2, statusFlags: AUTOCOMMIT, errno: 0 });
  t.equal(ok.lastResultRows, -1);
  t.match(facts('one row'), { rowCount: 1, lastResultRows: 1, statusFlags: AUTOCOMMIT | NO_INDEX });
  t.match(facts('three results'), { rowCount: 2, lastResultRows: 0 });
  t.match(facts('an ERR'), { errno: 1064, statusFlags: IN_TRANS, statusReported: false });
  t.match(facts('an error behind rows'), { errno: 1064, rowCount: 3 });
  t.match(facts('results that end in an error'), { errno: 1064, statusFlags: AUTOCOMMIT | MORE });
  t.match(facts('a prepare with both'), { statementId: 7, warnings: 1 });
  t.match(facts('fetched rows'), { rowCount: 3, lastResultRows: 3, statusFlags: AUTOCOMMIT | CURSOR });
  t.match(facts('a field list'), { rowCount: 3, lastResultRows: 3 });
});

t.test('an answer that fails half-way keeps the status that its first part reported', async (t) => {
  // BEGIN; SELECT broken: the transaction is open, and only the OK of BEGIN says so.
  const [, server] = CAPABILITY_SETS;
  const answer: Answer = {
    shape: query,
    parts: [{ kind: 'ok', status: AUTOCOMMIT | IN_TRANS | MORE }, ERROR],
  };
  const { tracker } = pass(answer, server!, server!, AUTOCOMMIT);
  t.match(tracker, { errno: 1064, statusReported: true });
  t.equal(tracker.statusFlags & IN_TRANS, IN_TRANS);
});

t.test('an EOF that was put in tells the session as the result before it left it', async (t) => {
  const [old, server] = CAPABILITY_SETS;
  const rows = rowsPart(1, AUTOCOMMIT | IN_TRANS, { statusBefore: AUTOCOMMIT | IN_TRANS });
  const answer: Answer = {
    shape: query,
    parts: [{ kind: 'ok', status: AUTOCOMMIT | IN_TRANS | MORE }, rows],
  };
  const { bytes } = pass(answer, server!, old!, AUTOCOMMIT | NO_INDEX);
  t.equal(bytes.toString('hex'), encodeAnswer(answer, old!).toString('hex'));
});

t.test('rows that may hold OUT parameters wait for what follows, and only these', async (t) => {
  const [old, server] = CAPABILITY_SETS;
  for (const [rows, waits] of [
    [binaryRows, true],
    [textRows(3), false],
    [[Buffer.alloc((1 << 20) + 1)], false],
  ] as const) {
    const answer: Answer = { shape: query, parts: [rowsPart(0, AUTOCOMMIT, { rows })] };
    const bytes = encodeAnswer(answer, server!);
    const ofFirstRow = bytes.indexOf(rows[0]!) + rows[0]!.length;
    const rig = new TrackerRig(server!, new ClientSink(), 4 << 20).begin(query, old!, AUTOCOMMIT);
    rig.read(bytes.subarray(0, ofFirstRow));
    t.equal(rig.tracker.rowCount, waits ? 0 : 1);
  }
  const broken = new TrackerRig(server!).begin(query, old!, AUTOCOMMIT);
  const upToRow = encodeAnswer(
    { shape: query, parts: [rowsPart(0, AUTOCOMMIT, { rows: binaryRows })] },
    server!,
  );
  const end = upToRow.indexOf(binaryRows[0]!) + binaryRows[0]!.length;
  const nothing = Buffer.from([0, 0, 0, upToRow[end + 3]!, 0]);
  t.throws(() => broken.read(Buffer.concat([upToRow.subarray(0, end), nothing])), {
    code: 'PROTOCOL_MALFORMED_PACKET',
  });
});

t.test('the session state goes through the sink, once per OK', async (t) => {
  const tracking = CAPABILITY_SETS[3]!;
  for (const client of CAPABILITY_SETS) {
    const { sink } = pass(ANSWERS['an OK with session state']!, tracking, client, AUTOCOMMIT);
    t.equal(sink.oks.length, 1);
    t.same(sink.oks[0]?.sessionState, STATE);
  }
  class Silencer extends ClientSink {
    override okPacket(): null {
      return null;
    }
  }
  const rig = new TrackerRig(tracking, new Silencer()).begin(query, tracking, AUTOCOMMIT);
  rig.read(encodeAnswer(ANSWERS['an OK with session state']!, tracking));
  const plain = encodeAnswer({ shape: query, parts: [{ kind: 'ok', status: AUTOCOMMIT }] }, tracking);
  t.equal(rig.sink.bytes.toString('hex'), plain.toString('hex'), 'nothing shows that there was any');
});

t.test('an ERR can be kept from the client, but not once something has gone out', async (t) => {
  const [old, server] = CAPABILITY_SETS;
  for (const client of [old!, server!]) {
    const sink = new ClientSink();
    sink.withholdsErrors = true;
    const first = new TrackerRig(server!, sink).begin(query, client, AUTOCOMMIT);
    first.read(encodeAnswer(ANSWERS['an ERR']!, server!));
    t.equal(sink.bytes.length, 0);
    t.match(first.tracker, { complete: true, errno: 1064, forwarded: false });

    for (const name of ['an error behind the definitions', 'an error behind rows']) {
      const late = new ClientSink();
      late.withholdsErrors = true;
      new TrackerRig(server!, late)
        .begin(query, client, AUTOCOMMIT)
        .read(encodeAnswer(ANSWERS[name]!, server!));
      t.equal(late.bytes.toString('hex'), encodeAnswer(ANSWERS[name]!, client).toString('hex'), name);
    }
  }
});

t.test('an ERR behind what has gone out can be told in other words', async (t) => {
  class Rewording extends ClientSink {
    readonly #client: number;

    constructor(client: number) {
      super();
      this.#client = client;
    }

    errInstead(errno: number, sequenceId: number): Buffer | null {
      if (errno !== 1317) return null;
      return frameErr(
        { errno: 3024, sqlState: '42000', message: 'in other words' },
        this.#client,
        sequenceId,
      );
    }
  }
  const instead = { kind: 'err', errno: 3024, message: 'in other words' } as const;
  for (const client of CAPABILITY_SETS)
    for (const server of CAPABILITY_SETS)
      for (const count of [0, 1, 5]) {
        const answer = (error: ErrPart): Answer => ({
          shape: query,
          parts: [rowsPart(count, AUTOCOMMIT, { error })],
        });
        const rig = new TrackerRig(server, new Rewording(client)).begin(query, client, AUTOCOMMIT);
        rig.read(
          encodeAnswer(answer({ kind: 'err', errno: 1317, message: 'interrupted' }), server),
          () => 1 + random.below(40),
        );
        t.equal(
          rig.sink.bytes.toString('hex'),
          encodeAnswer(answer(instead), client).toString('hex'),
          `${nameOfCapabilities(server)} to ${nameOfCapabilities(client)}, ${count} rows`,
        );
        t.match(rig.tracker, { complete: true, errno: 1317 });
      }
});

t.test('LOAD DATA LOCAL', async (t) => {
  for (const client of CAPABILITY_SETS) {
    const server = CAPABILITY_SETS[1]!;
    const rig = new TrackerRig(server).begin(query, client, AUTOCOMMIT);
    const first = encodeAnswer({ shape: query, parts: [rowsPart(1, AUTOCOMMIT | MORE)] }, server);
    const request = encodeLocalInfileRequest({ filename: '/tmp/file' });
    const requestId = 6;
    rig.read(Buffer.concat([first, framePacket(request, requestId)]), () => 7);
    t.equal(rig.sink.infiles, 1);
    t.ok(rig.tracker.awaitsInfile);
    t.notOk(rig.tracker.complete);
    const shift = hasCapability(client, Capability.CLIENT_DEPRECATE_EOF) ? 0 : 1;
    t.equal(rig.sink.bytes.at(-request.length - 1), requestId + shift);
    t.equal(rig.tracker.sequenceShift, shift);
    rig.tracker.resumeAfterInfile();
    t.notOk(rig.tracker.awaitsInfile);
    const done = encodeOk({ statusFlags: AUTOCOMMIT, affectedRows: 2, info: 'Records: 2' }, server);
    t.equal(
      rig.read(framePacket(done, 9), () => 3),
      0,
    );
    t.match(rig.tracker, { complete: true, affectedRows: 2, lastResultRows: -1 });
    t.ok(rig.sink.bytes.subarray(-done.length - 4).equals(framePacket(done, 9 + shift)));
  }
});

t.test('a client that goes away in the middle of an answer gets no more of it', async (t) => {
  const server = CAPABILITY_SETS[1]!;
  const rig = new TrackerRig(server).begin(query, server, AUTOCOMMIT);
  const answer = encodeAnswer(ANSWERS['more rows than sequence ids']!, server);
  rig.read(answer.subarray(0, 1000));
  const rest = new ClientSink();
  rig.tracker.redirect(rest);
  const before = rig.sink.bytes.length;
  const position = answer.length - 11;
  t.equal(rig.read(answer.subarray(1000, position)), 0);
  t.equal(rig.sink.bytes.length, before);
  t.ok(rest.bytes.length > 0);
});
