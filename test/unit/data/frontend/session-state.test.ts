/** What a session takes over from the reports of both kinds of servers, and what of it its client is told. */

import fc from 'fast-check';
import t from 'tap';
import {
  decodeSessionState,
  encodeSessionState,
  type OkPacket,
  type SessionStateChange,
  SessionTrackType,
  StatusFlag,
} from '../../../../protocol/index.ts';
import { NAMES_COLLATION, SessionVariables } from '../../../../src/data/backend/session-variables.ts';
import { SessionState } from '../../../../src/data/frontend/session-state.ts';
import { PinReason } from '../../../../src/sql/statement-class.ts';

const variable = (name: string, value: string): SessionStateChange => ({
  type: SessionTrackType.SYSTEM_VARIABLES,
  name,
  value,
});
const schema = (name: string): SessionStateChange => ({ type: SessionTrackType.SCHEMA, schema: name });
const CHANGED: SessionStateChange = { type: SessionTrackType.STATE_CHANGE, value: '1' };
const characteristics = (sql: string): SessionStateChange => ({
  type: SessionTrackType.TRANSACTION_CHARACTERISTICS,
  characteristics: sql,
});

const transactionState = (state: string): SessionStateChange => ({
  type: SessionTrackType.TRANSACTION_STATE,
  state,
});

const INITIAL = SessionVariables.of([
  ['autocommit', 'ON'],
  ['character_set_client', 'utf8mb4'],
  ['character_set_connection', 'utf8mb4'],
  ['character_set_results', 'utf8mb4'],
  ['collation_connection', 'utf8mb4_general_ci'],
  ['sql_mode', ''],
  ['tx_isolation', 'REPEATABLE-READ'],
]);

function ok(
  changes: readonly SessionStateChange[],
  statusFlags: number = StatusFlag.SERVER_STATUS_AUTOCOMMIT,
): OkPacket {
  return {
    header: 0x00,
    affectedRows: 0,
    lastInsertId: 0,
    statusFlags,
    warnings: 0,
    info: Buffer.alloc(0),
    sessionState: changes.length === 0 ? null : encodeSessionState(changes),
  };
}

function session(): SessionState {
  const state = new SessionState();
  state.restart(INITIAL);
  return state;
}

/** What the client of a session is told of these changes. */
function told(changes: readonly SessionStateChange[], state = session()): SessionStateChange[] {
  const block = state.apply(ok(changes), false);
  return block === null ? [] : decodeSessionState(block);
}

t.test('an OK without a report changes nothing', async (t) => {
  const state = session();
  t.equal(state.apply(ok([]), false), null);
  t.equal(state.variables, INITIAL);
  t.notOk(state.pinned);
});

t.test('a wait_timeout of its own lasts until the session begins anew', async (t) => {
  const state = session();
  t.equal(state.idleTimeoutMs, null);
  state.apply(ok([variable('wait_timeout', '30'), CHANGED]), false);
  t.equal(state.idleTimeoutMs, 30_000);
  t.equal(state.variables?.values.get('wait_timeout'), '30');
  state.restart(INITIAL);
  t.equal(state.idleTimeoutMs, null);
});

t.test('variables are carried, under one name', async (t) => {
  const state = session();
  state.apply(ok([variable('time_zone', '+03:00'), variable('autocommit', 'OFF'), CHANGED]), false);
  state.apply(ok([variable('transaction_isolation', 'SERIALIZABLE'), CHANGED]), false);
  t.equal(state.variables?.values.get('time_zone'), '+03:00');
  t.equal(state.variables?.values.get('tx_isolation'), 'SERIALIZABLE');
  t.equal(state.variables?.values.has('transaction_isolation'), false);
  t.equal(state.variables?.autocommit, false);
  t.notOk(state.pinned);
  state.apply(ok([variable('tx_isolation', 'REPEATABLE-READ')]), false);
  state.apply(ok([variable('autocommit', 'ON')]), false);
  t.equal(state.variables, INITIAL.with([['time_zone', '+03:00']]));
});

t.test('variables whose value cannot be set again keep the session where it is', async (t) => {
  for (const name of ['timestamp', 'rand_seed1', 'insert_id', 'gtid_next', 'profiling', 'identity']) {
    const state = session();
    state.apply(ok([variable(name, '1'), CHANGED]), false);
    t.equal(state.variables, INITIAL, name);
    t.ok(state.pins.has(PinReason.unvirtualisedVariable), name);
    t.match(state.leftBehind(), { untracked: true, survivesReset: false });
  }
});

t.test('a report of the last GTID is of no consequence', async (t) => {
  const state = session();
  state.apply(ok([variable('last_gtid', '0-1-17')]), false);
  t.equal(state.variables, INITIAL);
  t.notOk(state.pinned);
});

t.test(
  '"something changed" without saying what: only if the statement does not account for it',
  async (t) => {
    const state = session();
    state.apply(ok([CHANGED]), true);
    t.notOk(state.pinned);
    state.apply(ok([CHANGED, variable('sql_mode', 'ANSI')]), false);
    t.notOk(state.pinned, 'the variable accounts for it');
    state.apply(ok([CHANGED, schema('other')]), false);
    t.notOk(state.pinned, 'the schema too');
    state.apply(ok([CHANGED]), false);
    t.ok(state.pins.has(PinReason.unexplainedStateChange));
  },
);

t.test('the schema, and none after DROP DATABASE', async (t) => {
  const state = session();
  state.apply(ok([schema('app')]), false);
  t.equal(state.schema, 'app');
  state.apply(ok([schema('')]), false);
  t.equal(state.schema, null);
});

t.test('SET NAMES leaves the collation open', async (t) => {
  const state = session();
  const names = ['character_set_client', 'character_set_results', 'character_set_connection'];
  state.apply(ok([...names.map((name) => variable(name, 'latin1')), CHANGED]), false);
  t.ok(state.collationUnknown);
  t.match(state.leftBehind(), { stateUnknown: true });
  state.collationKnown('latin1_german2_ci');
  t.notOk(state.collationUnknown);
  t.equal(state.variables?.values.get('collation_connection'), 'latin1_german2_ci');
  t.equal(state.variables?.values.get(NAMES_COLLATION), 'latin1_german2_ci');
  state.apply(ok([variable('character_set_results', ''), CHANGED]), false);
  t.notOk(state.collationUnknown);
  state.apply(ok([variable('collation_connection', 'latin1_bin'), CHANGED]), false);
  t.notOk(state.collationUnknown);
  t.equal(state.variables?.values.get('collation_connection'), 'latin1_bin');
});

t.test('SET TRANSACTION waits for its transaction, SESSION does not', async (t) => {
  const state = session();
  state.apply(ok([characteristics('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;')]), true);
  t.ok(state.pins.has('set-transaction'));
  t.ok(state.pinned);
  const inside = StatusFlag.SERVER_STATUS_IN_TRANS | StatusFlag.SERVER_STATUS_AUTOCOMMIT;
  state.apply(
    ok([characteristics('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; START TRANSACTION;')], inside),
    true,
  );
  t.notOk(state.pins.has('set-transaction'));
  state.apply(ok([characteristics('')]), true);
  t.notOk(state.pinned);
});

t.test('several reports in one block apply in order', async (t) => {
  const state = session();
  state.apply(
    ok([
      variable('sql_mode', 'ANSI'),
      variable('sql_mode', 'NO_BACKSLASH_ESCAPES'),
      schema('a'),
      schema('b'),
    ]),
    false,
  );
  t.equal(state.variables?.sqlMode, 'NO_BACKSLASH_ESCAPES');
  t.equal(state.schema, 'b');
});

t.test('a client hears of what servers tell by default, and of nothing else', async (t) => {
  const all = [
    variable('time_zone', 'UTC'),
    variable('sql_mode', 'ANSI'),
    schema('app'),
    CHANGED,
    characteristics(''),
    { type: SessionTrackType.TRANSACTION_STATE, state: '________' } as const,
    { type: SessionTrackType.GTIDS, encoding: 0, gtids: 'a:1' } as const,
  ];
  t.strictSame(told(all), [variable('time_zone', 'UTC'), schema('app')]);
  t.strictSame(told([variable('last_gtid', '0-1-1'), CHANGED]), []);
  const own = session();
  own.clientTracks = true;
  t.strictSame(told(all, own), all, 'unless it has set it otherwise');
});

t.test(
  'what is reported of nearly every write is taken over from where it lies, as if it were decoded',
  async (t) => {
    const text = fc.constantFrom('', 'START TRANSACTION;', 'SET TRANSACTION READ ONLY;', 'x'.repeat(300));
    const change: fc.Arbitrary<SessionStateChange> = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('T_______', 'T___W___', '________').map(transactionState) },
      { weight: 5, arbitrary: text.map(characteristics) },
      {
        weight: 5,
        arbitrary: fc.constantFrom('0-1-5', '', '9'.repeat(260)).map((gtid) => variable('last_gtid', gtid)),
      },
      {
        weight: 5,
        arbitrary: fc.constant({ type: SessionTrackType.GTIDS, encoding: 0, gtids: 'a:1' } as const),
      },
      fc.constantFrom(schema('other'), variable('time_zone', 'UTC'), variable('last_gtie', '1'), CHANGED),
      fc.string({ maxLength: 9, unit: 'binary' }).map(transactionState),
    );
    const flags = fc.constantFrom(0, StatusFlag.SERVER_STATUS_IN_TRANS);
    const facts = (state: SessionState) => [
      state.pinned,
      state.transactionState,
      state.schema,
      state.variables,
    ];
    let taken = 0;
    const both = (blocks: readonly (readonly [readonly SessionStateChange[], number, boolean])[]): void => {
      const slow = session();
      const quick = session();
      for (const [changes, statusFlags, cut] of blocks) {
        const packet = ok(changes, statusFlags);
        const block = packet.sessionState ?? Buffer.alloc(0);
        const bytes = Buffer.concat([Buffer.from([1, 2]), block, Buffer.from([5, 1, 0])]);
        if (cut && block.length > 1) {
          const before = facts(quick);
          const isTaken = quick.applyRoutine(bytes, 2, 2 + block.length - 1, statusFlags);
          t.notOk(isTaken, 'cut off');
          t.strictSame(facts(quick), before);
        }
        const isTaken = quick.applyRoutine(bytes, 2, 2 + block.length, statusFlags);
        if (isTaken) taken++;
        else quick.apply(packet, true);
        const forClient = slow.apply(packet, true);
        if (isTaken) t.equal(forClient, null);
        t.strictSame(facts(quick), facts(slow));
      }
    };
    const block = fc.tuple(fc.array(change, { maxLength: 4 }), flags, fc.boolean());
    fc.assert(fc.property(fc.array(block, { maxLength: 5 }), both), { numRuns: 300 });
    t.ok(taken > 100, String(taken));
  },
);

t.test('how bytes are read follows the session', async (t) => {
  const state = session();
  const before = state.lexicalContext('mysql', 50_729);
  t.equal(state.lexicalContext('mysql', 50_729), before, 'made once');
  state.apply(ok([variable('sql_mode', 'ANSI_QUOTES')]), false);
  t.not(state.lexicalContext('mysql', 50_729)?.key, before?.key);
  state.restart(null);
  t.equal(state.lexicalContext('mysql', 50_729), null);
});

t.test('a restart forgets everything', async (t) => {
  const state = session();
  state.pin(PinReason.xa);
  state.statusFlags = StatusFlag.SERVER_STATUS_IN_TRANS;
  state.apply(
    ok([variable('character_set_connection', 'gbk'), characteristics('SET TRANSACTION READ ONLY;')]),
    false,
  );
  t.match(state.leftBehind(), { untracked: true, survivesReset: true, stateUnknown: true });
  state.restart(INITIAL);
  t.match(state.leftBehind(), { untracked: false, survivesReset: false, stateUnknown: false });
  t.equal(state.variables, INITIAL);
  t.notOk(state.inTransaction || state.pinned);
});

t.test('a report that cannot be read is an error', async (t) => {
  const broken = { ...ok([]), sessionState: Buffer.from([0, 200]) };
  t.throws(() => session().apply(broken, false));
});
