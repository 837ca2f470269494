/**
 * SHOW PROCESSLIST as a direct connection would show it: a server's list has the connections of Sluice, and its clients
 * want to see each other. Rows of own connections take the id and the host of the session that they serve, or go; the
 * sessions that no row stands for are added. Rows of everybody else stay as they are.
 */

import {
  Capability,
  decodeColumnDefinition41,
  decodeTextRow,
  encodeTextRow,
  framePacket,
  hasCapability,
  PacketReader,
  type TextValue,
} from '../../../protocol/index.ts';
import type { SessionDescription } from '../../common/thread-messages.ts';

const ERR = 0xff;
const END = 0xfe;
const MAX_END_BYTES = 9;
/** Without FULL. */
const SHORT_INFO_LENGTH = 100;

export interface ProcessListContext {
  readonly capabilities: number;
  /** MARIADB_CLIENT_EXTENDED_METADATA is negotiated. */
  readonly extendedMetadata: boolean;
  readonly username: string;
  readonly isFull: boolean;
  readonly sessions: readonly SessionDescription[];
  /** Of the primary's connections of all workers. */
  readonly ownThreads: ReadonlySet<number>;
}

/** @returns framed packets; the same as came if they are no result set. */
export function rewriteProcessList(answer: Buffer, context: ProcessListContext): Buffer {
  const packets = split(answer);
  const head = packets[0];
  if (head === undefined || head[0] === ERR || head.length !== 1) return answer;
  const count = head[0]!;
  const definitions = packets.slice(1, 1 + count);
  const hasEof = !hasCapability(context.capabilities, Capability.CLIENT_DEPRECATE_EOF);
  const firstRow = 1 + count + (hasEof ? 1 : 0);
  const end = packets.at(-1);
  if (
    end === undefined ||
    packets.length <= firstRow ||
    end[0] !== END ||
    (hasEof && end.length > MAX_END_BYTES)
  )
    return answer;
  const { extendedMetadata } = context;
  const names = definitions.map((packet) => decodeColumnDefinition41(packet, { extendedMetadata }).name);
  const rows = packets.slice(firstRow, -1).map((packet) => decodeTextRow(packet, count));
  const list = rewriteRows(names, rows, context);
  return join([...packets.slice(0, firstRow), ...list.map(encodeTextRow), end]);
}

type Row = readonly TextValue[];

/** @param names of the columns; those that no server of today has are NULL in the rows that are added. */
export function rewriteRows(
  names: readonly string[],
  rows: readonly Row[],
  context: ProcessListContext,
): Row[] {
  const [id, user, host] = ['Id', 'User', 'Host'].map((name) => names.indexOf(name)) as [
    number,
    number,
    number,
  ];
  if (id < 0 || user < 0 || host < 0) return [...rows];
  const byThread = new Map(
    context.sessions.filter(({ threadId }) => threadId !== 0).map((one) => [one.threadId, one]),
  );
  const shown = new Set<number>();
  const list: { readonly order: number; readonly row: Row }[] = [];
  let seesOthers = false;
  for (const row of rows) {
    const threadId = Number(String(row[id]));
    if (String(row[user]) !== context.username) seesOthers = true;
    const session = byThread.get(threadId);
    if (session === undefined) {
      if (!context.ownThreads.has(threadId)) list.push({ order: threadId, row });
      continue;
    }
    shown.add(session.id);
    const values = [...row];
    values[id] = session.id;
    values[host] = session.host;
    list.push({ order: session.id, row: values });
  }
  for (const session of context.sessions) {
    if (shown.has(session.id) || (!seesOthers && session.user !== context.username)) continue;
    list.push({ order: session.id, row: rowOf(names, session, context.isFull) });
  }
  return list.sort((one, other) => one.order - other.order).map(({ row }) => row);
}

function rowOf(names: readonly string[], session: SessionDescription, isFull: boolean): Row {
  const { info } = session;
  const values: Readonly<Record<string, TextValue>> = {
    Id: session.id,
    User: session.user,
    Host: session.host,
    db: session.schema,
    Command: session.isBusy ? 'Query' : 'Sleep',
    Time: session.seconds,
    State: '',
    Info: info === null || isFull ? info : info.slice(0, SHORT_INFO_LENGTH),
    Progress: '0.000',
  };
  return names.map((name) => values[name] ?? null);
}

function split(answer: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  const reader = new PacketReader((payload) => packets.push(payload), answer.length);
  reader.push(answer);
  return packets;
}

function join(payloads: readonly Buffer[]): Buffer {
  const frames: Buffer[] = [];
  let sequence = 1;
  for (const payload of payloads) {
    const frame = framePacket(payload, sequence & 0xff);
    sequence += Math.floor(payload.length / 0xffffff) + 1;
    frames.push(frame);
  }
  return Buffer.concat(frames);
}
