/**
 * What a transaction of one row costs the binlog follower, sockets aside.
 */

import { BinlogChecksum, DumpReader } from '../../protocol/index.ts';
import { type GtidSource, gtidPosition } from '../../src/common/gtid-position.ts';
import { SharedGtids } from '../../src/common/shared-gtids.ts';
import { TableEpochs } from '../../src/common/table-epochs.ts';
import { TableRelations } from '../../src/common/table-relations.ts';
import { StreamPlace } from '../../src/control/binlog/binlog-place.ts';
import { ChangeRaiser } from '../../src/control/binlog/change-raiser.ts';
import { EventReader } from '../../src/control/binlog/event-reader.ts';
import { emptyTally } from '../../src/control/binlog/follower-tally.ts';
import { MappedTables } from '../../src/control/binlog/mapped-tables.ts';
import { NO_ROWS } from '../../src/control/binlog/row-sink.ts';
import { SeenMariadbGtids, SeenMysqlGtids } from '../../src/control/binlog/seen-gtids.ts';
import { statementChanges } from '../../src/control/binlog/statement-changes.ts';
import { StreamPositions } from '../../src/control/binlog/stream-positions.ts';
import {
  descriptionPacket,
  type RowTransactions,
  rowTransactions,
  transactionPackets,
} from '../../test/unit/protocol/binlog/row-transactions.ts';
import type { Microbenchmark } from './harness.ts';

/** Numbers of packets come round after them. */
const TRANSACTIONS = 256;
/** As many as a server sends before it is asked what is visible. */
const UNSETTLED = 512;
/** Of a server that sends single transactions at once, and of one that the follower does not keep up with. */
const CHUNKS = [1, 64];

function benchmark(server: RowTransactions, perChunk: number, isOwn: boolean): Microbenchmark {
  const { name, flavor, prefix } = server;
  const makeSeen = () => (flavor === 'mysql' ? new SeenMysqlGtids('') : new SeenMariadbGtids(''));
  const epochs = new TableEpochs(1);
  const place = new StreamPlace();
  const source: GtidSource = { index: 1, address: '', prefix, flavor, end: null, base: 0n };
  const relations = new TableRelations(null);
  const positions = new StreamPositions(epochs, () => source);
  positions.begin(makeSeen());
  const raiser = new ChangeRaiser({
    epochs,
    gtids: new SharedGtids(),
    rows: NO_ROWS,
    tally: emptyTally(),
    place,
    relations: () => relations,
    positionOf: (gtid) => positions.of(gtid),
    changesOf: (query) => statementChanges(query, { flavor, versionId: 0 }),
    catalogChanged: () => {},
    definitionsChanged: () => {},
    gtidsWanted: () => {},
    seen: (gtid, position) => positions.ended(gtid, position),
  });
  const tally = emptyTally();
  const events = new EventReader(raiser, place, new MappedTables(NO_ROWS, epochs), tally);
  const reader = new DumpReader(
    {
      event: (header, bytes, start, end, isWhole) => events.event(header, bytes, start, end, isWhole),
      ended: () => {},
    },
    { checksum: BinlogChecksum.NONE, maxEventBytes: 2 ** 20, headBytes: 2 ** 16 },
  );
  reader.push(descriptionPacket(server));
  if (isOwn) for (let n = 1; n <= TRANSACTIONS; n++) epochs.noteOwn(gtidPosition(source, BigInt(n)));
  const sent = transactionPackets(server, TRANSACTIONS);
  const chunks: Buffer[] = [];
  for (let at = 0; at < sent.length; at += perChunk)
    chunks.push(Buffer.concat(sent.slice(at, at + perChunk)));
  let next = 0;
  let unsettled = 0;
  return {
    name: `follower: ${name}, ${isOwn ? 'own' : 'foreign'}, ${perChunk} in a chunk`,
    run: (operations) => {
      for (let done = 0; done < operations; done += perChunk) {
        if (next === chunks.length) {
          next = 0;
          positions.begin(makeSeen());
        }
        reader.push(chunks[next++]!);
        unsettled += perChunk;
        if (unsettled < UNSETTLED) continue;
        unsettled = 0;
        raiser.settle(() => true);
      }
      return tally.rowEvents;
    },
  };
}

export const benchmarks: readonly Microbenchmark[] = rowTransactions.flatMap((server) =>
  [false, true].flatMap((isOwn) => CHUNKS.map((perChunk) => benchmark(server, perChunk, isOwn))),
);
