import t from 'tap';
import {
  encodeErr,
  encodeOk,
  encodeTextResultset,
  MalformedPacketError,
  PacketReader,
  StatusFlag,
} from '../../../../protocol/index.ts';
import { ANSWER_CAPABILITIES, CommandAnswer } from '../../../../src/control/monitor/command-answer.ts';
import { ServerError } from '../../../../src/control/monitor/server-error.ts';

const MORE = StatusFlag.SERVER_MORE_RESULTS_EXISTS;

function packetsOf(bytes: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  new PacketReader((payload) => packets.push(Buffer.from(payload)), 2 ** 24).push(bytes);
  return packets;
}

function resultSet(
  columns: readonly { readonly name: string; readonly charset?: number }[],
  rows: readonly (readonly (string | Buffer | null)[])[],
  statusFlags = 0,
): Buffer[] {
  const context = { capabilities: ANSWER_CAPABILITIES, statusFlags, warnings: 0, sequenceId: 1 };
  return packetsOf(encodeTextResultset(columns, rows, context));
}

const ok = (affectedRows: number, statusFlags = 0) =>
  encodeOk({ affectedRows, statusFlags }, ANSWER_CAPABILITIES);

/** Of each packet whether the answer was whole with it. */
function take(answer: CommandAnswer, packets: readonly Buffer[]): boolean[] {
  return packets.map((packet) => answer.take(packet));
}

t.test('rows are texts by name', async (t) => {
  const answer = new CommandAnswer();
  const columns = [{ name: 'Größe' }, { name: 'bytes', charset: 63 }, { name: 'none' }];
  const rows = [
    ['é', Buffer.from([0xe9, 0xff]), null],
    ['', Buffer.alloc(0), null],
    ['x'.repeat(300), Buffer.from('1'), 'last'],
  ];
  const packets = resultSet(columns, rows);
  t.strictSame(
    take(answer, packets),
    packets.map((_, index) => index === packets.length - 1),
  );
  t.strictSame(answer.rows, [
    { Größe: 'é', bytes: '\u00e9\u00ff', none: null },
    { Größe: '', bytes: '', none: null },
    { Größe: 'x'.repeat(300), bytes: '1', none: 'last' },
  ]);
});

t.test('no rows, and no result set', async (t) => {
  const empty = new CommandAnswer();
  t.equal(take(empty, resultSet([{ name: 'a' }], [])).at(-1), true);
  t.strictSame(empty.rows, []);
  const written = new CommandAnswer();
  t.strictSame(take(written, [ok(70_000)]), [true]);
  t.equal(written.affectedRows, 70_000);
  t.strictSame(written.rows, []);
});

t.test('behind a CALL the first rows count, and the last OK ends it', async (t) => {
  const answer = new CommandAnswer();
  const packets = [
    ok(0, MORE),
    ...resultSet([{ name: 'a' }], [['1']], MORE),
    ...resultSet([{ name: 'b' }, { name: 'c' }], [['2', '3']], MORE),
    ok(5),
  ];
  t.strictSame(
    take(answer, packets),
    packets.map((_, index) => index === packets.length - 1),
  );
  t.strictSame(answer.rows, [{ a: '1' }]);
  t.equal(answer.affectedRows, 5);
});

t.test('an error ends it at every place', async (t) => {
  const error = encodeErr({ errno: 1317, sqlState: '70100', message: 'interrupted' }, ANSWER_CAPABILITIES);
  const packets = resultSet([{ name: 'a' }], [['1'], ['2']]);
  for (let length = 0; length < packets.length; length++) {
    const answer = new CommandAnswer();
    take(answer, packets.slice(0, length));
    t.throws(() => answer.take(error), new ServerError({ errno: 1317, message: 'interrupted' }));
  }
  t.match(new ServerError({ errno: 1045, message: '' }), { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' });
  t.equal(new ServerError({ errno: 65_000, message: '' }).code, undefined);
});

t.test('what is cut off is malformed', async (t) => {
  const packets = resultSet([{ name: 'a' }], [['12345']]);
  for (const [index, packet] of packets.entries()) {
    for (let length = 0; length < packet.length; length++) {
      const answer = new CommandAnswer();
      take(answer, packets.slice(0, index));
      t.throws(
        () => answer.take(packet.subarray(0, length)),
        MalformedPacketError,
        `packet ${index}, ${length}`,
      );
    }
  }
});
