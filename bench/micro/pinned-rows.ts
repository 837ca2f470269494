/** What precision by rows costs: a hit, a fill, and each row that the binlog tells of. */

import { BinlogEventType, BufferWriter, ColumnType, NO_TABLE_MAP_METADATA } from '../../protocol/index.ts';
import { encodeKeyCatalog, KeyCatalog } from '../../src/common/key-catalog.ts';
import { KeyColumnKind } from '../../src/common/row-slots.ts';
import { SharedGtids } from '../../src/common/shared-gtids.ts';
import { FollowState, TableEpochs } from '../../src/common/table-epochs.ts';
import { tableSlot } from '../../src/common/table-slots.ts';
import { RowRaiser } from '../../src/control/binlog/row-raiser.ts';
import { Freshness } from '../../src/data/cache/freshness.ts';
import { rowPinOf } from '../../src/data/cache/row-pin.ts';
import { RowProofs } from '../../src/data/cache/row-proof.ts';
import { newRowsOf, rowsChangedBy, rowsInsertedBy } from '../../src/data/cache/written-rows.ts';
import { makeLexicalContext } from '../../src/sql/lexical-context.ts';
import type { Microbenchmark } from './harness.ts';

const SLOT = tableSlot('app', 'sbtest1');
const KEYS = [[{ name: 'id', index: 0, kind: KeyColumnKind.signed, size: 4 }]];
const CATALOG = new KeyCatalog(
  encodeKeyCatalog([
    {
      schema: 'app',
      table: 'sbtest1',
      width: 4,
      keys: KEYS,
      hasLoneRows: true,
      isOnlyKey: true,
      makesKey: true,
    },
  ]),
);
const CONTEXT = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 50_729 });
const TEXT = Buffer.from('SELECT c FROM sbtest1 WHERE id=4711');
const STATEMENT = {
  buffer: TEXT,
  start: 0,
  end: TEXT.length,
  context: CONTEXT,
  schema: 'app',
  parameters: null,
};
const KNOWN = { version: 1, catalog: CATALOG, definitions: 0 };

/** A hit whose table has been written to since, and one whose table has not. */
function hit(name: string, isWritten: boolean): Microbenchmark {
  const epochs = new TableEpochs(1);
  epochs.followState = FollowState.following;
  const freshness = new Freshness(epochs, () => 0, new RowProofs(epochs, new SharedGtids()));
  freshness.apply({ term: 0, maxLagMs: 500 });
  const proof = freshness.note(Int32Array.of(SLOT), rowPinOf(STATEMENT, KNOWN))!;
  if (isWritten) epochs.raise(SLOT);
  return {
    name: `pinned rows: ${name}`,
    maxNanoseconds: 200,
    run: (operations) => {
      let held = 0;
      for (let i = 0; i < operations; i++) if (freshness.holds(proof)) held++;
      if (held !== operations) throw new Error('the proof does not hold');
      return held;
    },
  };
}

const fill: Microbenchmark = {
  name: 'pinned rows: the slot of a statement, when it is stored',
  run: (operations) => {
    let sum = 0;
    for (let i = 0; i < operations; i++) sum += rowPinOf(STATEMENT, KNOWN)!.row;
    return sum;
  },
};

const C_TEXT = '12345678901-'.repeat(10);

function write(name: string, sql: string, rowsBy: typeof rowsChangedBy): Microbenchmark {
  const buffer = Buffer.from(sql);
  const statement = { ...STATEMENT, buffer, end: buffer.length };
  return {
    name: `pinned rows: ${name}, before it is sent`,
    run: (operations) => {
      let sum = 0;
      for (let i = 0; i < operations; i++) sum += rowsBy(statement, KNOWN)!.row;
      return sum;
    },
  };
}

const writes = [
  write('the slot of an UPDATE', `UPDATE sbtest1 SET c='${C_TEXT}' WHERE id=4711`, rowsChangedBy),
  write(
    'the slot of an INSERT',
    `INSERT INTO sbtest1 (id, k, c, pad) VALUES (4711, 5, '${C_TEXT}', 'x')`,
    rowsInsertedBy,
  ),
  write(
    'the slot of an INSERT of a new key, once for its plan',
    'INSERT INTO sbtest1 (k, c, pad) VALUES (?)',
    newRowsOf,
  ),
];

const ROWS_PER_EVENT = 20;
const C = Buffer.alloc(120, 'c');
const PAD = Buffer.alloc(60, 'p');

/** UPDATEs of sysbench's table: id INT, k INT, c CHAR(120), pad CHAR(60). */
function updates(rowsPerEvent: number): Buffer {
  const writer = new BufferWriter();
  writer.writeU32(77).writeU16(0).writeU16(1).writeU16(2);
  writer.writeU8(4).writeU8(0xff).writeU8(0xff);
  for (let row = 0; row < 2 * rowsPerEvent; row++) {
    writer
      .writeU8(0xf0)
      .writeU32(row >> 1)
      .writeU32(row);
    writer.writeU8(C.length).writeBytes(C).writeU8(PAD.length).writeBytes(PAD);
  }
  return writer.asView();
}

function decoding(rowsPerEvent: number): Microbenchmark {
  const raiser = new RowRaiser({ epochs: new TableEpochs(1), keys: () => CATALOG, isMariadb: () => false });
  const string = (length: number): number => ColumnType.MYSQL_TYPE_STRING | (length << 8);
  const { MYSQL_TYPE_LONG, MYSQL_TYPE_STRING } = ColumnType;
  raiser.mapped(
    {
      tableId: 77,
      flags: 1,
      schema: 'app',
      table: 'sbtest1',
      columnTypes: Uint8Array.of(MYSQL_TYPE_LONG, MYSQL_TYPE_LONG, MYSQL_TYPE_STRING, MYSQL_TYPE_STRING),
      columnMetadata: Uint16Array.of(0, 0, string(120), string(60)),
      nullableColumns: Uint8Array.of(0),
      metadata: NO_TABLE_MAP_METADATA,
    },
    SLOT,
  );
  const body = updates(rowsPerEvent);
  return {
    name: `pinned rows: an UPDATE event of ${rowsPerEvent} rows, with its transaction`,
    bytesPerOperation: body.length,
    run: (operations) => {
      for (let i = 0; i < operations; i++) {
        raiser.rows(BinlogEventType.UPDATE_ROWS_EVENT, body);
        raiser.ended(0);
        raiser.settled();
      }
      return operations;
    },
  };
}

export const benchmarks: readonly Microbenchmark[] = [
  hit('a hit, nothing has changed', false),
  hit('a hit, other rows have changed', true),
  fill,
  ...writes,
  decoding(1),
  decoding(ROWS_PER_EVENT),
];
