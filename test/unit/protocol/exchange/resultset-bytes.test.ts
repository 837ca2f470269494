/** Whole result sets as bytes: what is one, and how it looks to the other kind of client. */

import t from 'tap';
import {
  Capability,
  ColumnType,
  type ResultColumn,
  ResultsetWriter,
  type RowFormat,
  readResultset,
  reshapeResultset,
  StatusFlag,
} from '../../../../protocol/index.ts';

const AUTOCOMMIT = StatusFlag.SERVER_STATUS_AUTOCOMMIT;
const NO_INDEX = StatusFlag.SERVER_QUERY_NO_INDEX_USED;
const COLUMNS: readonly ResultColumn[] = [
  { name: 'id', type: ColumnType.MYSQL_TYPE_LONGLONG },
  { name: 'name' },
];

interface Shown {
  readonly deprecatesEof: boolean;
  readonly rows?: number;
  readonly format?: RowFormat;
  readonly statusFlags?: number;
  readonly warnings?: number;
}

/** As a server sends it. */
function resultset({
  deprecatesEof,
  rows = 3,
  format = 'text',
  statusFlags = AUTOCOMMIT,
  warnings = 0,
}: Shown): Buffer {
  const capabilities = Capability.CLIENT_PROTOCOL_41 | (deprecatesEof ? Capability.CLIENT_DEPRECATE_EOF : 0);
  const writer = new ResultsetWriter(COLUMNS, { capabilities, statusFlags, warnings, sequenceId: 1 }, format);
  for (let row = 0; row < rows; row++) writer.row([BigInt(row), row % 3 === 2 ? null : `name ${row}`]);
  writer.end();
  return writer.take();
}

for (const format of ['text', 'binary'] as const) {
  t.test(`each shape is made of the other, ${format}`, (t) => {
    // More rows than there are sequence ids.
    for (const rows of [0, 1, 3, 600]) {
      const modern = resultset({ deprecatesEof: true, rows, format });
      const legacy = resultset({ deprecatesEof: false, rows, format });
      const ofModern = readResultset(modern, true);
      const ofLegacy = readResultset(legacy, false);
      if (ofModern === null || ofLegacy === null) throw new Error('not read');
      t.match(ofModern, { rowCount: rows, columnCount: 2, statusFlags: AUTOCOMMIT, warnings: 0 });
      t.match(ofLegacy, { rowCount: rows, columnCount: 2, statusFlags: AUTOCOMMIT, warnings: 0 });
      t.ok(reshapeResultset(modern, ofModern, false, AUTOCOMMIT).equals(legacy), `to legacy, ${rows} rows`);
      t.ok(reshapeResultset(legacy, ofLegacy, true, AUTOCOMMIT).equals(modern), `to modern, ${rows} rows`);
      t.ok(reshapeResultset(modern, ofModern, true, AUTOCOMMIT).equals(modern), 'its own shape');
      t.ok(reshapeResultset(legacy, ofLegacy, false, AUTOCOMMIT).equals(legacy), 'its own shape');
    }
    t.end();
  });
}

t.test(
  "the flags of the end are those that are asked for; the EOF behind definitions has the session's",
  (t) => {
    const modern = resultset({ deprecatesEof: true, statusFlags: AUTOCOMMIT | NO_INDEX, warnings: 2 });
    const layout = readResultset(modern, true);
    if (layout === null) throw new Error('not read');
    t.equal(layout.statusFlags, AUTOCOMMIT | NO_INDEX);
    t.equal(layout.warnings, 2);
    const legacy = reshapeResultset(modern, layout, false, AUTOCOMMIT | NO_INDEX);
    t.equal(legacy.readUInt16LE(layout.definitionsEnd + 7), AUTOCOMMIT);
    t.equal(legacy.readUInt16LE(legacy.length - 2), AUTOCOMMIT | NO_INDEX);
    t.equal(legacy.readUInt16LE(legacy.length - 4), 0, 'no warnings');
    t.end();
  },
);

t.test('an OK at the end that says more is one without it afterwards', (t) => {
  const plain = resultset({ deprecatesEof: true });
  const extra = Buffer.concat([plain, Buffer.from([2, 0x68, 0x69])]);
  const end = plain.length - 11;
  extra[end] = 10;
  const layout = readResultset(extra, true);
  if (layout === null) throw new Error('not read');
  t.ok(reshapeResultset(extra, layout, true, AUTOCOMMIT).equals(plain));
  t.end();
});

t.test('nothing but one whole result set is one', (t) => {
  for (const deprecatesEof of [true, false]) {
    for (const format of ['text', 'binary'] as const) {
      const whole = resultset({ deprecatesEof, format });
      for (let length = 0; length < whole.length; length++)
        t.equal(readResultset(whole.subarray(0, length), deprecatesEof), null, `${length} bytes`);
      t.equal(
        readResultset(Buffer.concat([whole, Buffer.from([0])]), deprecatesEof),
        null,
        'a byte too many',
      );
      t.equal(readResultset(Buffer.concat([whole, whole]), deprecatesEof), null, 'two results');
      const counted = Buffer.from(whole);
      counted[3] = 2;
      t.equal(readResultset(counted, deprecatesEof), null, 'another sequence');
    }
    for (const flag of [
      StatusFlag.SERVER_MORE_RESULTS_EXISTS,
      StatusFlag.SERVER_STATUS_CURSOR_EXISTS,
      StatusFlag.SERVER_PS_OUT_PARAMS,
      StatusFlag.SERVER_STATUS_LAST_ROW_SENT,
    ])
      t.equal(
        readResultset(resultset({ deprecatesEof, statusFlags: AUTOCOMMIT | flag }), deprecatesEof),
        null,
      );
  }
  t.equal(readResultset(resultset({ deprecatesEof: true }), false), null, 'of the other kind');
  t.equal(readResultset(resultset({ deprecatesEof: false }), true), null, 'of the other kind');
  t.equal(readResultset(Buffer.from([3, 0, 0, 1, 0xff, 1, 4]), true), null, 'an ERR');
  t.equal(readResultset(Buffer.from([7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]), true), null, 'an OK');
  t.end();
});

t.test('an ERR among the rows is no end of a result', (t) => {
  const whole = resultset({ deprecatesEof: true, rows: 1 });
  const layout = readResultset(whole, true);
  if (layout === null) throw new Error('not read');
  const error = Buffer.from([3, 0, 0, whole[layout.rowsEnd + 3]!, 0xff, 1, 4]);
  t.equal(readResultset(Buffer.concat([whole.subarray(0, layout.rowsEnd), error]), true), null);
  t.end();
});
