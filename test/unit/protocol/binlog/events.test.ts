/** Every kind of event: its values, cut off at every length, and changed at random. */

import fc from 'fast-check';
import t from 'tap';
import {
  BinlogEventType,
  binlogEventName,
  ColumnType,
  columnTypeOf,
  decodeCompressedQueryEvent,
  decodeMariadbGtid,
  decodeMysqlGtid,
  decodeQueryEvent,
  decodeTableMap,
  encodeComBinlogDumpGtid,
  endsStatement,
  inflateBinlogBytes,
  isBeginEvent,
  isNullable,
  isRowsEvent,
  MalformedPacketError,
  rowsTableId,
  stringLengthOf,
} from '../../../../protocol/index.ts';
import { eventSamples } from './event-samples.ts';
import { rowTransactions } from './row-transactions.ts';

const seed = Number(process.env.SLUICE_FUZZ_SEED ?? Date.now() % 2 ** 31);
t.comment(`seed ${seed}`);

t.test('values', (t) => {
  for (const { name, body, decode, value } of eventSamples) t.strictSame(decode(body), value, name);
  t.end();
});

t.test('cut off at every length', (t) => {
  for (const { name, body, decode, mayEndEarly = false } of eventSamples) {
    const unexpected: string[] = [];
    for (let length = 0; length < body.length; length++) {
      try {
        decode(Buffer.from(body.subarray(0, length)));
        if (!mayEndEarly) unexpected.push(`a value at ${length}`);
      } catch (error) {
        if (!(error instanceof MalformedPacketError)) unexpected.push(`${error} at ${length}`);
      }
    }
    t.strictSame(unexpected, [], name);
  }
  t.end();
});

t.test('changed at random', (t) => {
  for (const { name, body, decode } of eventSamples) {
    const change = fc.tuple(fc.nat({ max: Math.max(0, body.length - 1) }), fc.nat({ max: 255 }));
    const check = fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const changed = Buffer.from(body);
      for (const [at, byte] of changes) changed[at] = byte;
      try {
        decode(changed);
      } catch (error) {
        if (!(error instanceof MalformedPacketError)) throw error;
      }
      return true;
    });
    fc.assert(check, { seed, numRuns: 150 });
    t.pass(name);
  }
  t.end();
});

t.test('what is announced is not believed', (t) => {
  const packed = Buffer.concat([Buffer.from([0x84, 0x7f, 0xff, 0xff, 0xff]), Buffer.alloc(10)]);
  t.throws(() => inflateBinlogBytes(packed, 2 ** 24), MalformedPacketError);
  const body = eventSamples.find(({ name }) => name === 'packed query')!.body;
  t.throws(() => decodeCompressedQueryEvent(body, { maxQueryBytes: 499 }), MalformedPacketError);
  t.doesNotThrow(() => decodeCompressedQueryEvent(body, { maxQueryBytes: 500 }));
  const map = eventSamples.find(({ name }) => name === 'table map')!.body;
  // The length of the metadata stands behind the types; one byte less of it belongs to the next field.
  const lied = Buffer.from(map);
  const at = map.indexOf(Buffer.from([8, 0x90, 0x01]));
  lied[at] = 7;
  t.throws(() => decodeTableMap(lied), MalformedPacketError);
  t.throws(
    () =>
      encodeComBinlogDumpGtid({ flags: 0, serverId: 1, file: '', position: 4n, gtids: new Map([['x', []]]) }),
    RangeError,
  );
  t.end();
});

t.test('columns of a table map', (t) => {
  const map = decodeTableMap(eventSamples.find(({ name }) => name === 'table map')!.body);
  t.equal(columnTypeOf(map, 0), ColumnType.MYSQL_TYPE_LONG);
  t.equal(columnTypeOf(map, 3), ColumnType.MYSQL_TYPE_ENUM);
  t.strictSame(
    [0, 1, 5].map((column) => isNullable(map, column)),
    [false, true, true],
  );
  // CHAR(255) of four bytes each: the upper two bits of 1020 are in the byte of the type.
  const long = (ColumnType.MYSQL_TYPE_STRING ^ ((1020 & 0x300) >> 4)) | ((1020 & 0xff) << 8);
  t.equal(stringLengthOf(long), 1020);
  t.equal(
    columnTypeOf({ ...map, columnTypes: Uint8Array.of(0xfe), columnMetadata: Uint16Array.of(long) }, 0),
    0xfe,
  );
  t.equal(stringLengthOf(ColumnType.MYSQL_TYPE_STRING | (40 << 8)), 40);
  t.end();
});

t.test('GTIDs among other bytes', (t) => {
  const around = (body: Buffer): Buffer =>
    Buffer.concat([Buffer.alloc(3, 0xee), body, Buffer.alloc(5, 0xee)]);
  for (const name of ['GTID of MySQL', 'GTID of MariaDB', 'GTID of MariaDB in a group commit']) {
    const { body, value } = eventSamples.find((sample) => sample.name === name)!;
    const isMysql = name === 'GTID of MySQL';
    const read = (end: number): unknown =>
      isMysql ? decodeMysqlGtid(around(body), false, 3, end) : decodeMariadbGtid(around(body), 3, end);
    t.strictSame(read(3 + body.length), value, name);
    const fixedBytes = isMysql ? 25 : body.length;
    t.throws(() => read(2 + fixedBytes), MalformedPacketError, `${name}, a byte less`);
  }
  const { body } = eventSamples.find(({ name }) => name === 'GTID of MySQL')!;
  const other = Buffer.from(body);
  for (let at = 1; at <= 16; at++) {
    other[at]! ^= 1;
    t.not(decodeMysqlGtid(other, false).sourceUuid, decodeMysqlGtid(body, false).sourceUuid);
    other[at]! ^= 1;
    t.equal(decodeMysqlGtid(other, false).sourceUuid, decodeMysqlGtid(body, false).sourceUuid);
  }
  t.end();
});

t.test('BEGIN is known without decoding it', (t) => {
  const [, [, hex]] = rowTransactions[0]!.events as [unknown, [number, string]];
  const body = Buffer.from(hex, 'hex');
  t.ok(isBeginEvent(body, 0, body.length));
  t.ok(isBeginEvent(Buffer.concat([Buffer.alloc(9), body]), 9, 9 + body.length));
  for (let length = 0; length < body.length; length++)
    t.notOk(isBeginEvent(body.subarray(0, length), 0, length), `${length} bytes`);
  for (const text of ['BEGIN;', 'begin', 'COMMIT', 'x\0BEGIN', '']) {
    const other = Buffer.concat([body.subarray(0, -5), Buffer.from(text)]);
    t.notOk(isBeginEvent(other, 0, other.length), text);
  }
  t.equal(decodeQueryEvent(body).query.toString(), 'BEGIN');
  t.end();
});

t.test('tables of rows events, without decoding them', (t) => {
  const body = Buffer.from([1, 2, 3, 4, 5, 6, 1, 0]);
  t.equal(rowsTableId(body), 0x0605_0403_0201);
  t.equal(rowsTableId(body, 4), 0x0403_0201);
  t.equal(endsStatement(body), true);
  t.equal(endsStatement(Buffer.from([1, 2, 3, 4, 0, 0]), 4), false);
  t.throws(() => rowsTableId(Buffer.alloc(5)), MalformedPacketError);
  t.throws(() => endsStatement(Buffer.alloc(6)), MalformedPacketError);
  t.equal(isRowsEvent(BinlogEventType.TABLE_MAP_EVENT), false);
  t.equal(isRowsEvent(BinlogEventType.MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1), true);
  t.equal(binlogEventName(23), 'WRITE_ROWS_EVENT_V1');
  t.equal(binlogEventName(99), 'event type 99');
  t.end();
});
