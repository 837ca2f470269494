/**
 * What a transaction of one row costs the binlog follower, sockets aside: the events are those of servers, for an UPDATE by the
 * primary key of a table with three columns.
 */

import { BinlogChecksum, BinlogEventType, DumpReader, framePacket } from '../../protocol/index.ts';
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
import { SeenMariadbGtids, SeenMysqlGtids, type StreamGtid } from '../../src/control/binlog/seen-gtids.ts';
import { statementChanges } from '../../src/control/binlog/statement-changes.ts';
import { eventPayload, makeDescription, makeEvent } from '../../test/unit/protocol/binlog/make-event.ts';
import type { Microbenchmark } from './harness.ts';

const { GTID_LOG_EVENT, MARIADB_GTID_EVENT, QUERY_EVENT, TABLE_MAP_EVENT, XID_EVENT } = BinlogEventType;
const { UPDATE_ROWS_EVENT, UPDATE_ROWS_EVENT_V1 } = BinlogEventType;

interface Server {
  readonly name: string;
  readonly version: string;
  readonly flavor: 'mysql' | 'mariadb';
  readonly prefix: string;
  /** Of a transaction. */
  readonly events: readonly (readonly [type: number, body: string])[];
  /** Where in the body of the first one its number is. */
  readonly numberOffset: number;
  readonly seen: () => SeenMysqlGtids | SeenMariadbGtids;
}

const TABLE = '0000000001000361707000016b00030303fe02fef000';
const IMAGE = `0000003c${'78'.repeat(60)}`;
const IMAGES = `f80100000000${IMAGE}f80100000001${IMAGE}`;
const XID: readonly [number, string] = [XID_EVENT, '3900000000000000'];
const UUID = 'a8e84bf4-e5f9-11f1-abf0-02fc00000001';

const SERVERS: readonly Server[] = [
  {
    name: 'MySQL 5.7',
    version: '5.7.29-log',
    flavor: 'mysql',
    prefix: `${UUID}:`,
    events: [
      [GTID_LOG_EVENT, `00${UUID.replaceAll('-', '')}0b00000000000000020a000000000000000b00000000000000`],
      [
        QUERY_EVENT,
        '05000000000000000300001a000000000000012800a05500000000060373746404e000e0002d0061707000424547494e',
      ],
      [TABLE_MAP_EVENT, `6c00${TABLE}`],
      [UPDATE_ROWS_EVENT, `6c0000000000010002000003ffff${IMAGES}`],
      XID,
    ],
    numberOffset: 17,
    seen: () => new SeenMysqlGtids(''),
  },
  {
    name: 'MariaDB 10.11',
    version: '10.11.14-MariaDB-log',
    flavor: 'mariadb',
    prefix: '0-1-',
    events: [
      [MARIADB_GTID_EVENT, '0b00000000000000000000000c000000000000'],
      [TABLE_MAP_EVENT, `1200${TABLE}`],
      [UPDATE_ROWS_EVENT_V1, `120000000000010003ffff${IMAGES}`],
      XID,
    ],
    numberOffset: 0,
    seen: () => new SeenMariadbGtids(''),
  },
];

/** Numbers of packets come round after them. */
const TRANSACTIONS = 256;
/** As many as a server sends before it is asked what is visible. */
const UNSETTLED = 512;
/** Of a server that sends single transactions at once, and of one that the follower does not keep up with. */
const CHUNKS = [1, 64];

/** In packets that follow the one of the description. */
function transactions({ events, numberOffset }: Server): Buffer[] {
  let sequenceId = 2;
  let nextPosition = 1000;
  return Array.from({ length: TRANSACTIONS }, (_, n) => {
    const packets = events.map(([type, hex], i) => {
      const body = Buffer.from(hex, 'hex');
      if (i === 0) body.writeUInt32LE(n + 1, numberOffset);
      nextPosition += body.length + 23;
      return framePacket(
        eventPayload(makeEvent(type, body, { nextPosition, serverId: 1 })),
        sequenceId++ & 0xff,
      );
    });
    return Buffer.concat(packets);
  });
}

function benchmark(server: Server, perChunk: number, isOwn: boolean): Microbenchmark {
  const { name, version, flavor, prefix, seen: makeSeen } = server;
  const epochs = new TableEpochs(1);
  const place = new StreamPlace();
  const source: GtidSource = { index: 1, address: '', prefix, flavor, end: null, base: 0n };
  const relations = new TableRelations(null);
  const positionOf = (gtid: StreamGtid | null): number =>
    gtid === null ? 0 : gtidPosition(source, gtid.sequence);
  let seen = makeSeen();
  const raiser = new ChangeRaiser({
    epochs,
    gtids: new SharedGtids(),
    rows: NO_ROWS,
    tally: emptyTally(),
    place,
    relations: () => relations,
    positionOf,
    changesOf: (query) => statementChanges(query, { flavor, versionId: 0 }),
    catalogChanged: () => {},
    definitionsChanged: () => {},
    gtidsWanted: () => {},
    seen: (gtid) => seen.add(gtid),
  });
  const tally = emptyTally();
  const events = new EventReader(raiser, place, new MappedTables(NO_ROWS, epochs), tally);
  const reader = new DumpReader(
    { event: (header, body, isWhole) => events.event(header, body, isWhole), ended: () => {} },
    { checksum: BinlogChecksum.NONE, maxEventBytes: 2 ** 20, headBytes: 2 ** 16 },
  );
  reader.push(framePacket(eventPayload(makeDescription(version, 1)), 1));
  if (isOwn) for (let n = 1; n <= TRANSACTIONS; n++) epochs.noteOwn(gtidPosition(source, BigInt(n)));
  const sent = transactions(server);
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
          seen = makeSeen();
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

export const benchmarks: readonly Microbenchmark[] = SERVERS.flatMap((server) =>
  [false, true].flatMap((isOwn) => CHUNKS.map((perChunk) => benchmark(server, perChunk, isOwn))),
);
