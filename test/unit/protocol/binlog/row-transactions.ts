/** Transactions of one row, as servers send them: an UPDATE by the primary key of `app.k`, with three columns. */

import { BinlogEventType, framePacket } from '../../../../protocol/index.ts';
import { eventPayload, makeDescription, makeEvent } from './make-event.ts';

const { GTID_LOG_EVENT, MARIADB_GTID_EVENT, QUERY_EVENT, TABLE_MAP_EVENT, XID_EVENT } = BinlogEventType;
const { UPDATE_ROWS_EVENT, UPDATE_ROWS_EVENT_V1 } = BinlogEventType;

export interface RowTransactions {
  readonly name: string;
  readonly version: string;
  readonly flavor: 'mysql' | 'mariadb';
  /** In front of the number in GTIDs. */
  readonly prefix: string;
  readonly events: readonly (readonly [type: number, body: string])[];
  /** Where in the body of the first event the number is. */
  readonly numberOffset: number;
}

const TABLE = '0000000001000361707000016b00030303fe02fef000';
const IMAGE = `0000003c${'78'.repeat(60)}`;
const IMAGES = `f80100000000${IMAGE}f80100000001${IMAGE}`;
const XID: readonly [number, string] = [XID_EVENT, '3900000000000000'];
const UUID = 'a8e84bf4-e5f9-11f1-abf0-02fc00000001';

export const rowTransactions: readonly RowTransactions[] = [
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
  },
];

/** The packet in front of the transactions. */
export function descriptionPacket({ version }: RowTransactions): Buffer {
  return framePacket(eventPayload(makeDescription(version, 1)), 1);
}

/** The packets behind it, of each transaction together; their numbers count from 1. */
export function transactionPackets({ events, numberOffset }: RowTransactions, count: number): Buffer[] {
  let sequenceId = 2;
  let nextPosition = 1000;
  return Array.from({ length: count }, (_, n) => {
    const packets = events.map(([type, hex], i) => {
      const body = Buffer.from(hex, 'hex');
      if (i === 0) body.writeUInt32LE(n + 1, numberOffset);
      nextPosition += body.length + 23;
      const event = makeEvent(type, body, { nextPosition, serverId: 1 });
      return framePacket(eventPayload(event), sequenceId++ & 0xff);
    });
    return Buffer.concat(packets);
  });
}
