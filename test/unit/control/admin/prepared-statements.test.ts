import t from 'tap';
import {
  ColumnType,
  Command,
  encodeComStmtExecute,
  encodeComStmtSendLongData,
} from '../../../../protocol/index.ts';
import { countParameters } from '../../../../src/control/admin/admin-statement.ts';
import { PreparedStatements } from '../../../../src/control/admin/prepared-statements.ts';

type Sent = Parameters<typeof encodeComStmtExecute>[0];

function execute(
  statementId: number,
  parameters: readonly (readonly [number, Sent['values'][number]])[],
): Buffer {
  return encodeComStmtExecute(
    {
      statementId,
      flags: 0,
      iterationCount: 1,
      typesSent: true,
      types: parameters.map(([type]) => ({ type, unsigned: false, name: '' })),
      values: parameters.map(([, value]) => value),
    },
    0,
  );
}

t.test('the question marks that stand for a value', async (t) => {
  for (const [statement, count] of [
    ['SELECT 1', 0],
    ['SELECT ?', 1],
    ["SELECT ?, '?', \"?\", `?`, '\\'?' -- ?\n, ? /* ? */ # ?", 2],
    ['INSERT INTO t VALUES (?,?,?)', 3],
    ["SELECT '?", 0],
  ] as const)
    t.equal(countParameters(Buffer.from(statement)), count, statement);
  t.equal(countParameters(Buffer.from(`SELECT ${'?,'.repeat(5000)}?`)), 5001);
});

t.test('values of each type', async (t) => {
  const prepared = new PreparedStatements(1000);
  const types: readonly (readonly [number, Sent['values'][number], unknown])[] = [
    [ColumnType.MYSQL_TYPE_NULL, null, null],
    [ColumnType.MYSQL_TYPE_TINY, 1, 1n],
    [ColumnType.MYSQL_TYPE_DOUBLE, 7, 7n],
    [ColumnType.MYSQL_TYPE_LONGLONG, 9_007_199_254_740_993n, 9_007_199_254_740_993n],
    [ColumnType.MYSQL_TYPE_DOUBLE, 1.5, 1.5],
    [ColumnType.MYSQL_TYPE_VAR_STRING, Buffer.from("it's é"), "it's é"],
    [
      ColumnType.MYSQL_TYPE_DATETIME,
      { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5, microsecond: 60 },
      '2026-01-02 03:04:05.000060',
    ],
    [
      ColumnType.MYSQL_TYPE_TIME,
      { negative: true, days: 1, hours: 2, minutes: 3, seconds: 4, microseconds: 0 },
      '-26:03:04',
    ],
  ];
  const statement = prepared.prepare(Buffer.from(`VALUES (${types.map(() => '?').join(',')})`));
  t.equal(statement.parameterCount, types.length);
  const packet = execute(
    statement.id,
    types.map(([type, value]) => [type, value]),
  );
  t.strictSame(
    prepared.execution(packet, 0).parameters,
    types.map(([, , expected]) => expected),
  );
  const bad = execute(
    statement.id,
    types.map(([type], index) =>
      index === 5 ? [type, Buffer.from([0xc3, 0x28])] : [type, types[index]![1]],
    ),
  );
  t.throws(() => prepared.execution(bad, 0), { message: 'A value is not valid UTF-8' });
  t.throws(() => prepared.execution(packet.subarray(0, -1), 0), { name: 'MalformedPacketError' });
});

t.test('values in pieces', async (t) => {
  const prepared = new PreparedStatements(10);
  const { id } = prepared.prepare(Buffer.from('SELECT ?, ?'));
  const send = (parameterIndex: number, text: string): void =>
    prepared.longData(
      encodeComStmtSendLongData({ statementId: id, parameterIndex, data: Buffer.from(text) }),
    );
  const run = (): unknown =>
    prepared.execution(
      execute(id, [
        [ColumnType.MYSQL_TYPE_BLOB, undefined],
        [ColumnType.MYSQL_TYPE_LONG, 7],
      ]),
      0,
    ).parameters;
  send(0, 'abc');
  send(0, 'def');
  send(9, 'no such parameter');
  t.strictSame(run(), ['abcdef', 7n]);
  send(0, 'x');
  prepared.reset(id);
  send(0, 'y');
  t.strictSame(run(), ['y', 7n], 'a reset forgets them');
  for (let piece = 0; piece < 100; piece++) send(0, '0123456789');
  t.throws(run, { message: 'A value is longer than 10 bytes' });
  prepared.close(id);
  t.throws(run, { message: /Unknown prepared statement handler/ });
  t.throws(() => prepared.reset(id), { message: /Unknown prepared statement handler/ });
  send(0, 'nobody answers this');
});

t.test('MariaDB means the last one by the largest id; types are remembered', async (t) => {
  const prepared = new PreparedStatements(10);
  prepared.prepare(Buffer.from('SELECT 1'));
  const { id } = prepared.prepare(Buffer.from('SELECT ?'));
  const first = execute(0xffff_ffff, [[ColumnType.MYSQL_TYPE_LONG, 5]]);
  t.strictSame(prepared.execution(first, 0), { source: Buffer.from('SELECT ?'), parameters: [5n] });
  const again = Buffer.from([Command.COM_STMT_EXECUTE, id, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 6, 0, 0, 0]);
  t.strictSame(prepared.execution(again, 0).parameters, [6n]);
});
