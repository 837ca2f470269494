/**
 * Any answer, cut anywhere, between any capabilities, with a client that keeps the kernel waiting now and then: the
 * client reads what the server has said. The client's side is read by a decoder of its own, not by the encoder.
 */

import fc from 'fast-check';
import t from 'tap';
import {
  AnswerShape,
  Capability,
  decodeColumnCount,
  decodeEof,
  decodeErr,
  decodeOk,
  encodeErr,
  encodeTextRow,
  framePacket,
  hasCapability,
  type OkPacket,
  PacketReader,
  StatusFlag,
} from '../../../protocol/index.ts';
import { CAPABILITY_SETS, ClientSink, encodeAnswer, type Part, pass, TrackerRig } from './tracked-answer.ts';

const seed = Number(process.env.SLUICE_FUZZ_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.SLUICE_FUZZ_RUNS ?? 300);
t.comment(`seed ${seed}`);

const MORE = StatusFlag.SERVER_MORE_RESULTS_EXISTS;
const AUTOCOMMIT = StatusFlag.SERVER_STATUS_AUTOCOMMIT;

const status = fc
  .subarray([
    AUTOCOMMIT,
    StatusFlag.SERVER_STATUS_IN_TRANS,
    StatusFlag.SERVER_QUERY_NO_INDEX_USED,
    StatusFlag.SERVER_STATUS_DB_DROPPED,
    StatusFlag.SERVER_QUERY_WAS_SLOW,
  ])
  .map((flags) => flags.reduce((sum, flag) => sum | flag, 0));

const okPart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constant('ok' as const),
  status,
  affectedRows: fc.constantFrom(0, 1, 250, 251, 70_000, 2 ** 40),
  lastInsertId: fc.constantFrom(0, 7, 2 ** 33),
  warnings: fc.nat({ max: 65_535 }),
  info: fc.constantFrom('', 'Rows matched: 1'),
});

const errPart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constant('err' as const),
  errno: fc.integer({ min: 1000, max: 65_534 }),
  message: fc.string({ maxLength: 40 }),
});

const value = fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)));

const rowsPart: fc.Arbitrary<Part> = fc.integer({ min: 1, max: 5 }).chain((columns) =>
  fc.record({
    kind: fc.constant('rows' as const),
    columns: fc.constant(columns),
    rows: fc.array(
      fc.array(value, { minLength: columns, maxLength: columns }).map((row) => encodeTextRow(row)),
      { maxLength: 30 },
    ),
    status,
    warnings: fc.nat({ max: 65_535 }),
    statusBefore: fc.constant(AUTOCOMMIT),
  }),
);

/** Every part but the last says that more follow; an error can only be the last. */
const parts = fc
  .tuple(fc.array(fc.oneof(okPart, rowsPart), { maxLength: 4 }), fc.oneof(okPart, rowsPart, errPart))
  .map(([before, last]): Part[] => [
    ...before.map((part): Part => (part.kind === 'err' ? part : { ...part, status: part.status | MORE })),
    last,
  ]);

type Seen =
  | { kind: 'ok'; status: number; affectedRows: number; lastInsertId: number; warnings: number; info: string }
  | { kind: 'err'; errno: number; message: string }
  | { kind: 'rows'; columns: number; rows: string[]; status: number; warnings: number };

/** As a client with these capabilities reads it; fails on a wrong sequence id or anything left over. */
function readAsClient(bytes: Buffer, capabilities: number): Seen[] {
  const packets: Buffer[] = [];
  const reader = new PacketReader((payload) => packets.push(Buffer.from(payload)), 1 << 24);
  reader.expect(1);
  reader.push(bytes);
  if (!reader.isAtBoundary) throw new Error('the stream ends within a packet');
  const seen: Seen[] = [];
  let at = 0;
  for (let more = true; more; ) {
    const part = readPart();
    seen.push(part);
    more = part.kind !== 'err' && (part.status & MORE) !== 0;
  }
  if (at !== packets.length) throw new Error(`${packets.length - at} packets too many`);
  return seen;

  function next(): Buffer {
    const packet = packets[at++];
    if (packet === undefined) throw new Error('a packet is missing');
    return packet;
  }
  function readPart(): Seen {
    const first = next();
    if (first[0] === 0xff) return errOf(first);
    if (first[0] === 0x00) {
      const ok = decodeOk(first, capabilities);
      return {
        kind: 'ok',
        status: ok.statusFlags,
        affectedRows: Number(ok.affectedRows),
        lastInsertId: Number(ok.lastInsertId),
        warnings: ok.warnings,
        info: ok.info.toString(),
      };
    }
    const { columnCount } = decodeColumnCount(first, capabilities);
    for (let index = 0; index < columnCount; index++) next();
    const deprecated = hasCapability(capabilities, Capability.CLIENT_DEPRECATE_EOF);
    if (!deprecated) decodeEof(next(), capabilities);
    const rows: string[] = [];
    for (;;) {
      const packet = next();
      if (packet[0] === 0xff) return errOf(packet);
      if (packet[0] !== 0xfe) {
        rows.push(packet.toString('hex'));
        continue;
      }
      const end = deprecated ? decodeOk(packet, capabilities) : decodeEof(packet, capabilities);
      return { kind: 'rows', columns: columnCount, rows, status: end.statusFlags, warnings: end.warnings };
    }
  }
}

function errOf(packet: Buffer): Seen {
  const { errno, message } = decodeErr(packet);
  return { kind: 'err', errno, message };
}

function wanted(part: Part): Seen {
  if (part.kind === 'err') return { kind: 'err', errno: part.errno, message: part.message };
  const { status: flags, warnings = 0 } = part;
  if (part.kind === 'rows')
    return {
      kind: 'rows',
      columns: part.columns,
      rows: part.rows.map((row) => row.toString('hex')),
      status: flags,
      warnings,
    };
  const { affectedRows = 0, lastInsertId = 0, info = '' } = part;
  return { kind: 'ok', status: flags, affectedRows, lastInsertId, warnings, info };
}

t.test('the client reads what the server said', async (t) => {
  fc.assert(
    fc.property(
      parts,
      fc.constantFrom(...CAPABILITY_SETS),
      fc.constantFrom(...CAPABILITY_SETS),
      fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
      fc.infiniteStream(fc.nat({ max: 3 })),
      fc.constantFrom(64, 300, 4096),
      (answerParts, server, client, cuts, luck, readBytes) => {
        const { bytes, tracker, left } = pass(
          { shape: AnswerShape.query, parts: answerParts },
          server,
          client,
          AUTOCOMMIT,
          { cut: () => cuts.next().value!, retains: () => luck.next().value === 0, readBytes },
        );
        if (!tracker.complete || left !== 0) throw new Error('not complete');
        t.strictSame(readAsClient(bytes, client), answerParts.map(wanted));
        const last = answerParts.at(-1)!;
        if (tracker.errno !== (last.kind === 'err' ? last.errno : 0)) throw new Error('errno');
      },
    ),
    { seed, numRuns },
  );
});

t.test('an answer that is cut off can be ended by an ERR wherever the tracker says so', async (t) => {
  const lost = { errno: 9999, sqlState: 'HY000', message: 'lost' };
  let ended = 0;
  fc.assert(
    fc.property(
      parts,
      fc.constantFrom(...CAPABILITY_SETS),
      fc.constantFrom(...CAPABILITY_SETS),
      fc.nat({ max: 9999 }).map((part) => part / 10_000),
      (answerParts, server, client, where) => {
        const whole = encodeAnswer({ shape: AnswerShape.query, parts: answerParts }, server);
        const rig = new TrackerRig(server).begin(AnswerShape.query, client, AUTOCOMMIT);
        rig.read(whole.subarray(0, Math.floor(whole.length * where)));
        const sequence = rig.tracker.nextClientSequence;
        if (rig.tracker.complete || sequence === null) return;
        ended++;
        const error = framePacket(encodeErr(lost, client), sequence);
        const seen = readAsClient(Buffer.concat([rig.sink.bytes, error]), client);
        t.strictSame(seen.at(-1), { kind: 'err', errno: 9999, message: 'lost' });
        t.strictSame(seen.slice(0, -1), answerParts.slice(0, seen.length - 1).map(wanted));
      },
    ),
    { seed, numRuns },
  );
  t.ok(ended > numRuns / 20, `${ended} of ${numRuns}`);
});

const state = fc.option(
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  { nil: undefined },
);
/** With session state, which servers say in their flags. */
const partsWithState = fc
  .tuple(parts, fc.array(state, { minLength: 5, maxLength: 5 }))
  .map(([list, states]): Part[] =>
    list.map((part, index) => {
      const own = states[index];
      if (part.kind === 'err' || own === undefined) return part;
      return { ...part, status: part.status | StatusFlag.SERVER_SESSION_STATE_CHANGED, state: own };
    }),
  );

/** Nothing of the session's state is for its client. */
class DiscreetSink extends ClientSink {
  readonly states: string[] = [];

  override okPacket(ok: OkPacket): Buffer | null {
    this.states.push(ok.sessionState?.toString('hex') ?? '');
    return null;
  }
}

class QuickSink extends DiscreetSink {
  readonly #takes: () => boolean;

  constructor(takes: () => boolean) {
    super();
    this.#takes = takes;
  }

  sessionState(buffer: Buffer, start: number, end: number): boolean {
    if (!this.#takes()) return false;
    this.states.push(buffer.toString('hex', start, end));
    return true;
  }
}

t.test('an OK that is cut where it lies is the same as one that is made anew', async (t) => {
  let taken = 0;
  fc.assert(
    fc.property(
      partsWithState,
      fc.constantFrom(...CAPABILITY_SETS),
      fc.constantFrom(...CAPABILITY_SETS),
      fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
      fc.infiniteStream(fc.nat({ max: 3 })),
      (answerParts, server, client, cuts, luck) => {
        const whole = encodeAnswer({ shape: AnswerShape.query, parts: answerParts }, server);
        const slow = new TrackerRig(server, new DiscreetSink());
        const takes = (): boolean => luck.next().value! > 0;
        const quick = new TrackerRig(server, new QuickSink(() => takes() && taken++ >= 0));
        for (const rig of [slow, quick]) {
          rig.begin(AnswerShape.query, client, AUTOCOMMIT);
          rig.read(whole, () => cuts.next().value!);
          if (!rig.tracker.complete) throw new Error('not complete');
        }
        t.equal(quick.sink.bytes.toString('hex'), slow.sink.bytes.toString('hex'));
        t.strictSame({ ...quick.tracker }, { ...slow.tracker });
        const seen = (sink: ClientSink): string[] =>
          (sink as DiscreetSink).states.filter((one) => one !== '');
        t.strictSame(seen(quick.sink), seen(slow.sink));
      },
    ),
    { seed, numRuns },
  );
  t.ok(taken > numRuns / 4, `${taken} of ${numRuns}`);
});
