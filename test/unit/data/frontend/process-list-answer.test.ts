/** A server's process list becomes that of Sluice's clients. */

import t from 'tap';
import {
  Capability,
  ColumnType,
  decodeTextRow,
  encodeTextResultset,
  PacketReader,
} from '../../../../protocol/index.ts';
import type { SessionDescription } from '../../../../src/common/thread-messages.ts';
import {
  type ProcessListContext,
  rewriteProcessList,
  rewriteRows,
} from '../../../../src/data/frontend/process-list-answer.ts';

const NAMES = ['Id', 'User', 'Host', 'db', 'Command', 'Time', 'State', 'Info', 'Progress'];

function session(id: number, more: Partial<SessionDescription> = {}): SessionDescription {
  return {
    id,
    user: 'app',
    host: `10.0.0.1:${id}`,
    schema: 'shop',
    isBusy: false,
    seconds: 7,
    info: null,
    threadId: 0,
    ...more,
  };
}

function context(more: Partial<ProcessListContext> = {}): ProcessListContext {
  return {
    capabilities: Capability.CLIENT_PROTOCOL_41,
    extendedMetadata: false,
    username: 'app',
    isFull: false,
    sessions: [],
    ownThreads: new Set(),
    ...more,
  };
}

const OWN = ['12', 'app', '10.9.9.9:1', 'shop', 'Query', '3', 'executing', 'SELECT 1', '0.000'];
const IDLE = ['13', 'app', '10.9.9.9:2', 'shop', 'Sleep', '9', '', null, '0.000'];
const ELSEWHERE = ['14', 'app', '10.8.8.8:3', null, 'Sleep', '1', '', null, '0.000'];
const OTHER = ['5', 'monitor', '10.9.9.9:4', null, 'Sleep', '0', '', null, '0.000'];

t.test('rows of own connections stand for sessions, or go', async (t) => {
  const rows = rewriteRows(NAMES, [OWN, IDLE, ELSEWHERE], {
    ...context({ sessions: [session(2002), session(2001, { threadId: 12 })], ownThreads: new Set([12, 13]) }),
  });
  t.strictSame(rows, [
    ELSEWHERE,
    [2001, 'app', '10.0.0.1:2001', 'shop', 'Query', '3', 'executing', 'SELECT 1', '0.000'],
    [2002, 'app', '10.0.0.1:2002', 'shop', 'Sleep', 7, '', null, '0.000'],
  ]);
});

t.test('who sees only his own sees no sessions of others', async (t) => {
  const sessions = [session(2001), session(2002, { user: 'other' })];
  const ids = (rows: readonly (readonly unknown[])[]): unknown[] => rows.map(([id]) => id);
  t.same(ids(rewriteRows(NAMES, [ELSEWHERE], context({ sessions }))), ['14', 2001]);
  t.same(
    ids(rewriteRows(NAMES, [OTHER], context({ sessions }))),
    ['5', 2001, 2002],
    'others are in the list',
  );
});

t.test('what runs elsewhere is shown as far as it is known, and shortened', async (t) => {
  const info = `SELECT ${'1'.repeat(200)}`;
  const sessions = [session(2001, { isBusy: true, info, schema: null })];
  const [short] = rewriteRows(NAMES, [], context({ sessions }));
  t.strictSame(short, [2001, 'app', '10.0.0.1:2001', null, 'Query', 7, '', info.slice(0, 100), '0.000']);
  const [full] = rewriteRows(NAMES, [], context({ sessions, isFull: true }));
  t.equal(full?.[7], info);
});

t.test('columns that nobody knows are NULL; without the usual ones the list stays as it is', async (t) => {
  const sessions = [session(2001)];
  const names = [...NAMES.slice(0, 8), 'Rows_sent'];
  t.equal(rewriteRows(names, [], context({ sessions }))[0]?.[8], null);
  t.same(rewriteRows(['a'], [['1']], context({ sessions })), [['1']]);
});

function rowsOf(answer: Buffer, capabilities: number): (string | null)[][] {
  const packets: Buffer[] = [];
  const reader = new PacketReader((payload) => packets.push(Buffer.from(payload)), 1 << 20);
  reader.expect(1);
  reader.push(answer);
  const skipped = 1 + NAMES.length + ((capabilities & Capability.CLIENT_DEPRECATE_EOF) === 0 ? 1 : 0);
  return packets
    .slice(skipped, -1)
    .map((packet) => decodeTextRow(packet, NAMES.length).map((value) => value?.toString() ?? null));
}

t.test('packets of clients of both kinds, with sequence ids that count on', async (t) => {
  const columns = NAMES.map((name) => ({ name, type: ColumnType.MYSQL_TYPE_VAR_STRING, flags: 0 }));
  for (const more of [0, Capability.CLIENT_DEPRECATE_EOF]) {
    const capabilities = Capability.CLIENT_PROTOCOL_41 | more;
    const rows = Array.from({ length: 300 }, (_, at) => [String(at + 1), ...OTHER.slice(1)]);
    const answer = encodeTextResultset(columns, rows, {
      capabilities,
      statusFlags: 2,
      warnings: 0,
      sequenceId: 1,
    });
    const rewritten = rewriteProcessList(answer, context({ capabilities, sessions: [session(2001)] }));
    const ids = rowsOf(rewritten, capabilities).map(([id]) => id);
    t.same(ids, [...rows.map(([id]) => id), '2001']);
  }
  const error = Buffer.from([5, 0, 0, 1, 0xff, 0x15, 4, 0x23, 0x30]);
  t.equal(rewriteProcessList(error, context()), error, 'an ERR passes');
});
