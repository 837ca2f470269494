/** What transactions of one row are taken for, however their bytes are cut, and whatever stands in front of them. */

import t from 'tap';
import { BinlogChecksum, DumpReader } from '../../../../protocol/index.ts';
import { TableEpochs } from '../../../../src/common/table-epochs.ts';
import { tableSlot } from '../../../../src/common/table-slots.ts';
import { StreamPlace } from '../../../../src/control/binlog/binlog-place.ts';
import { EventReader, type TransactionSink } from '../../../../src/control/binlog/event-reader.ts';
import { MappedTables } from '../../../../src/control/binlog/mapped-tables.ts';
import { NO_ROWS } from '../../../../src/control/binlog/row-sink.ts';
import {
  descriptionPacket,
  type RowTransactions,
  rowTransactions,
  transactionPackets,
} from '../../protocol/binlog/row-transactions.ts';

const COUNT = 60;
const SLOT = tableSlot('app', 'k');

function read(sent: RowTransactions, chunkBytes: number, hasInterest: boolean) {
  const epochs = new TableEpochs(1);
  if (hasInterest) epochs.setInterest(SLOT);
  const seen: string[] = [];
  const looked: number[] = [];
  const sink: TransactionSink = {
    rowsChanged: (schema, table, slot, isLookedAt) => seen.push(`${schema}.${table} ${slot} ${isLookedAt}`),
    rowsSkipped: () => seen.push('skipped'),
    statement: () => seen.push('statement'),
    changedAnything: () => seen.push('anything'),
    ended: (gtid) => seen.push(`${gtid?.prefix}${gtid?.sequence}`),
    dropped: () => seen.push('dropped'),
  };
  const place = new StreamPlace();
  const rows = { ...NO_ROWS, rows: (_: number, body: Buffer) => looked.push(body.length) };
  const counts = { events: 0, rowEvents: 0 };
  const events = new EventReader(sink, place, new MappedTables(rows, epochs), counts);
  const reader = new DumpReader(
    {
      event: (header, bytes, start, end, isWhole) => events.event(header, bytes, start, end, isWhole),
      ended: () => seen.push('end'),
    },
    { checksum: BinlogChecksum.NONE, maxEventBytes: 10_000, headBytes: 1000 },
  );
  const stream = Buffer.concat([descriptionPacket(sent), ...transactionPackets(sent, COUNT)]);
  for (let at = 0; at < stream.length; at += chunkBytes) {
    const chunk = Buffer.from(stream.subarray(at, at + chunkBytes));
    reader.push(chunk);
    // Its memory is used again by the next one.
    chunk.fill(0xee);
  }
  return { seen, looked, counts, offset: place.offset };
}

for (const sent of rowTransactions)
  t.test(sent.name, async (t) => {
    const bodyBytes = sent.events.map(([, hex]) => hex.length / 2);
    const expected = (isLookedAt: boolean): string[] =>
      Array.from({ length: COUNT }, (_, n) => [
        `app.k ${SLOT} ${isLookedAt}`,
        `${sent.prefix}${n + 1}`,
      ]).flat();
    for (const chunkBytes of [1_000_000, 1, 7, 100, 415]) {
      const { seen, looked, counts, offset } = read(sent, chunkBytes, false);
      t.strictSame(seen, expected(false), `in chunks of ${chunkBytes}`);
      t.strictSame(looked, []);
      t.strictSame(counts, { events: COUNT * bodyBytes.length + 1, rowEvents: COUNT });
      t.equal(offset, 1000 + COUNT * bodyBytes.reduce((sum, bytes) => sum + bytes + 23, 0));
    }
    const { seen, looked } = read(sent, 415, true);
    t.strictSame(seen, expected(true), 'with entries of single rows');
    t.strictSame(looked, new Array(COUNT).fill(bodyBytes.at(-2)));
  });
