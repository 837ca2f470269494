/** Bytes as they stand on the wire, so that a mistake made in both directions shows. */

import t from 'tap';
import {
  Capability,
  ColumnType,
  comQueryTextOffset,
  decodeComQuery,
  decodeErr,
  decodeHandshakeV10,
  decodeOk,
  decodeSessionState,
  encodeBareCommand,
  encodeComQuery,
  encodeEof,
  encodeErr,
  encodeOk,
  encodeTextResultset,
  frameEof,
  frameErr,
  frameOk,
  isEof,
  isProgressReport,
  isSslRequest,
  MalformedPacketError,
  StatusFlag,
  uniteCapabilities,
} from '../../../../protocol/index.ts';

const P41 = Capability.CLIENT_PROTOCOL_41;
const TRACK = uniteCapabilities(P41, Capability.CLIENT_SESSION_TRACK);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

t.test('a greeting of MySQL 5.6', async (t) => {
  const greeting = decodeHandshakeV10(
    hex(
      '0a 352e362e33392d6c6f6700 0c080000 52426a5b5b5b3d7c 00 fff7 08 0200 7f80 15 00000000000000000000' +
        '2d312e4c4d56255b4b6c2c69 00 6d7973716c5f6e61746976655f70617373776f726400',
    ),
  );
  t.match(greeting, {
    serverVersion: '5.6.39-log',
    threadId: 0x80c,
    capabilities: 0x807f_f7ff,
    collationId: 8,
    statusFlags: StatusFlag.SERVER_STATUS_AUTOCOMMIT,
    authPluginName: 'mysql_native_password',
  });
  t.equal(greeting.authPluginData.length, 20);
});

t.test('OK', async (t) => {
  t.strictSame(encodeOk({ affectedRows: 1, statusFlags: 2 }, P41), hex('00 01 00 0200 0000'));
  t.strictSame(frameOk({ statusFlags: 2 }, P41, 7), hex('070000 07 00 00 00 0200 0000'));
  t.strictSame(encodeOk({ header: 0xfe, statusFlags: 2, warnings: 70_000 }, P41), hex('fe 00 00 0200 ffff'));
  t.strictSame(encodeOk({ info: 'hi' }, P41), hex('00 00 00 0000 0000 02 6869'));
  t.equal(decodeOk(hex('00 00 00 0000 0000 6869'), P41).info.toString(), 'hi', 'info without a length');
  t.strictSame(encodeOk({}, 0), hex('00 00 00'));
});

t.test('OK with session state', async (t) => {
  const state = hex('00 0f 0a 6175746f636f6d6d6974 03 4f4646');
  const packet = Buffer.concat([hex('00 00 00 0040 0000 00 11'), state]);
  const ok = decodeOk(packet, TRACK);
  t.strictSame(ok.sessionState, state);
  t.strictSame(decodeSessionState(state), [{ type: 0, name: 'autocommit', value: 'OFF' }]);
  t.strictSame(encodeOk(ok, TRACK), packet);
  t.strictSame(
    encodeOk(ok, P41),
    hex('00 00 00 0000 0000'),
    'a client without tracking sees neither block nor flag',
  );
  t.strictSame(
    encodeOk({ statusFlags: StatusFlag.SERVER_SESSION_STATE_CHANGED }, TRACK),
    hex('00 00 00 0000 0000'),
    'no flag without a block',
  );
  t.strictSame(
    decodeSessionState(hex('02 01 31')),
    [{ type: 2, value: '1' }],
    'a state change has no inner length',
  );
  t.strictSame(
    decodeSessionState(hex('00 08 01 61 01 62 01 63 01 64')),
    [
      { type: 0, name: 'a', value: 'b' },
      { type: 0, name: 'c', value: 'd' },
    ],
    'two variables in one entry',
  );
});

t.test('ERR', async (t) => {
  const err = { errno: 1045, sqlState: '28000', message: 'no' };
  t.strictSame(encodeErr(err, P41), hex('ff 1504 23 3238303030 6e6f'));
  t.strictSame(encodeErr(err, 0), hex('ff 1504 6e6f'));
  t.strictSame(frameErr(err, P41, 2), hex('0b0000 02 ff 1504 23 3238303030 6e6f'));
  t.strictSame(
    encodeErr({ ...err, message: hex('fffe') }, 0),
    hex('ff 1504 fffe'),
    'bytes in another charset',
  );
  t.throws(() => encodeErr({ ...err, sqlState: '2800' }, P41), RangeError);
  t.match(decodeErr(hex('ff 1004 546f6f')), { errno: 1040, sqlState: 'HY000', message: 'Too' });
  t.match(decodeErr(hex('ff 1004')), { errno: 1040, sqlState: 'HY000', message: '' });
  t.throws(() => decodeErr(hex('ff ffff 01 01 02 000000 00')), MalformedPacketError, 'a progress report');
  t.ok(isProgressReport(hex('ff ffff 01 01 02 000000 00')));
  t.notOk(isProgressReport(hex('ff 1504 6e6f')));
});

t.test('EOF', async (t) => {
  t.strictSame(encodeEof({ statusFlags: 0x22, warnings: 1 }, P41), hex('fe 0100 2200'));
  t.strictSame(encodeEof({ statusFlags: 0x22, warnings: 1 }, 0), hex('fe'));
  t.strictSame(frameEof({ statusFlags: 2, warnings: 0 }, P41, 5), hex('050000 05 fe 0000 0200'));
  t.ok(isEof(hex('fe 0000 0200')));
  t.notOk(isEof(Buffer.concat([hex('fe'), Buffer.alloc(8)])), 'a row that begins with a long value');
});

t.test('COM_QUERY', async (t) => {
  const attributes = Capability.CLIENT_QUERY_ATTRIBUTES;
  t.strictSame(encodeComQuery({ query: 'x' }, 0), hex('03 78'));
  t.strictSame(encodeComQuery({ query: 'x' }, attributes), hex('03 00 01 78'));
  const one = hex('03 01 01 00 01 fe00 01 6e 01 76 78');
  const { attributes: decoded, query } = decodeComQuery(one, attributes);
  t.equal(query.toString(), 'x');
  t.match(decoded, [{ type: { type: ColumnType.MYSQL_TYPE_STRING, name: 'n' }, value: Buffer.from('v') }]);
  for (const [bytes, capabilities, offset] of [
    [hex('03 78'), 0, 1],
    [hex('03 00 01 78'), attributes, 3],
    [one, attributes, 11],
  ] as const) {
    t.equal(comQueryTextOffset(bytes, capabilities), offset);
  }
  t.throws(
    () => comQueryTextOffset(hex('03 00 02 78'), attributes),
    MalformedPacketError,
    'two parameter sets',
  );
  t.throws(
    () => decodeComQuery(hex('03 fe ffffffffffff0000 01'), attributes),
    MalformedPacketError,
    'absurd count',
  );
  t.strictSame(encodeBareCommand(0x0e), hex('0e'));
});

t.test('SSLRequest or HandshakeResponse41', async (t) => {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(uniteCapabilities(P41, Capability.CLIENT_SSL));
  t.ok(isSslRequest(head));
  t.notOk(isSslRequest(Buffer.concat([head, Buffer.alloc(1)])));
  head.writeUInt32LE(P41);
  t.notOk(isSslRequest(head));
  t.notOk(isSslRequest(Buffer.alloc(2)));
});

t.test('a text result set of our own', async (t) => {
  const columns = [
    { name: 'a' },
    { name: 'b', type: ColumnType.MYSQL_TYPE_LONGLONG, length: 20, flags: 0x20 },
  ];
  const definitionA = '170000 02 03646566 00 00 00 01 61 00 0c 2d00 00040000 fd 0000 1f 0000'.replaceAll(
    ' ',
    '',
  );
  const definitionB = '170000 03 03646566 00 00 00 01 62 00 0c 3f00 14000000 08 2000 00 0000'.replaceAll(
    ' ',
    '',
  );
  const rows = [
    ['x', 7],
    [null, 2n ** 64n - 1n],
  ];
  const context = { statusFlags: 2, warnings: 0, sequenceId: 1 };
  t.equal(
    encodeTextResultset(columns, rows, { ...context, capabilities: P41 }).toString('hex'),
    `0100000102${definitionA}${definitionB}05000004fe00000200` +
      `0400000501780137${'16000006fb14'}${Buffer.from('18446744073709551615').toString('hex')}05000007fe00000200`,
  );
  t.equal(
    encodeTextResultset(columns, rows, {
      ...context,
      capabilities: uniteCapabilities(P41, Capability.CLIENT_DEPRECATE_EOF),
    }).toString('hex'),
    `0100000102${definitionA}${definitionB}0400000401780137${'16000005fb14'}` +
      `${Buffer.from('18446744073709551615').toString('hex')}07000006fe000002000000`,
  );
  t.throws(() => encodeTextResultset(columns, [['x']], { ...context, capabilities: P41 }), RangeError);
});
