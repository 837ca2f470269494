/** What is in flux while a statement runs and what its answer raises, for each kind of statement and state of the session. */

import t, { type Test } from 'tap';
import { Command, type ResponseTracker, StatusFlag } from '../../../../protocol/index.ts';
import { gtidPosition } from '../../../../src/common/gtid-position.ts';
import { EVERYTHING, TableEpochs } from '../../../../src/common/table-epochs.ts';
import { TableRelations } from '../../../../src/common/table-relations.ts';
import { tableSlot } from '../../../../src/common/table-slots.ts';
import type { WriteInDoubt } from '../../../../src/common/thread-messages.ts';
import type { BackendConnection } from '../../../../src/data/backend/backend-connection.ts';
import type { FluxHolder } from '../../../../src/data/backend/connection-holder.ts';
import { SessionVariables } from '../../../../src/data/backend/session-variables.ts';
import { WorkerMarks } from '../../../../src/data/cache/worker-marks.ts';
import { type MarkedState, WriteMarks } from '../../../../src/data/cache/write-marks.ts';
import { Plan } from '../../../../src/data/router/plan.ts';
import { type TableCatalog, UNKNOWN_TABLES } from '../../../../src/data/router/table-catalog.ts';
import { classify } from '../../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../../src/sql/lexical-context.ts';

const CONTEXT = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101100 });
const NAMED = new Map(['t', 'u', 'v', 'x'].map((name) => [tableSlot('app', name), name]));
NAMED.set(EVERYTHING, '*');
const POSITION = gtidPosition(
  { index: 1, base: 0n, end: null, address: 'p:1', prefix: '0-1-', flavor: 'mariadb' },
  7n,
);

interface Answer {
  readonly errno?: number;
  /** The server says that a transaction is open; without autocommit, after an ERR, so it is taken to be. */
  readonly open?: boolean;
  readonly state?: string;
  /** A GTID in the OK. */
  readonly position?: number;
  readonly affectedRows?: number;
}

const OK: Answer = {};
const OPEN: Answer = { open: true, state: 'T___W___' };
const UNSAFE: Answer = { open: true, state: 'T__wW___' };
const UNTRACKED: Answer = { open: true, state: '' };

class Rig {
  readonly epochs = new TableEpochs(1);
  readonly doubts: WriteInDoubt[] = [];
  readonly state: { -readonly [K in keyof MarkedState]: MarkedState[K] } = {
    transactionState: '________',
    clientTracks: false,
    variables: null,
  };
  readonly catalog = { version: 1, complete: true, relations: new TableRelations(null), current: true };
  readonly marks: WriteMarks;
  readonly holders: FluxHolder[] = [];
  readonly connection: BackendConnection;
  #before = new Map<number, readonly [number, number]>();

  constructor(isEnabled = true) {
    const worker = new WorkerMarks(this.epochs, 0, isEnabled, (message) => {
      if (message.type === 'writeInDoubt') this.doubts.push(message);
    });
    const { catalog } = this;
    const tables = (): TableCatalog => ({ ...UNKNOWN_TABLES, ...catalog, isCurrent: () => catalog.current });
    this.marks = new WriteMarks(worker, tables, this.state);
    this.connection = {
      server: { address: 'p:1', role: 'primary', slot: 3 },
      threadId: 77,
      tracksState: true,
      statusFlags: 0,
      beginFlux: (holder: FluxHolder) => this.holders.push(holder),
      endFlux: (holder: FluxHolder) => this.holders.splice(this.holders.indexOf(holder), 1),
    } as unknown as BackendConnection;
  }

  sends(sql: string, { trustsViews = false, on = this.connection } = {}): void {
    this.#note();
    const bytes = Buffer.from(sql);
    const plan = new Plan(classify(bytes, 0, bytes.length, CONTEXT), bytes, 0, 0, 0);
    this.marks.sends(on, Command.COM_QUERY, plan, 'app', trustsViews);
  }

  sendsCommand(command: number): void {
    this.#note();
    this.marks.sends(this.connection, command, null, 'app', false);
  }

  answers({ errno = 0, open = false, state, position = 0, affectedRows = 1 }: Answer): void {
    const statusFlags = open ? StatusFlag.SERVER_STATUS_IN_TRANS : 0;
    Object.assign(this.connection, { statusFlags });
    if (errno === 0) this.state.transactionState = state ?? (open ? 'T_______' : '________');
    this.marks.reported(position);
    this.marks.replied(this.connection, {
      errno,
      affectedRows,
      statusReported: errno === 0,
    } as unknown as ResponseTracker);
  }

  /** Names of what is in flux, as often as it is. */
  get flux(): string {
    return [...NAMED].flatMap(([slot, name]) => Array(this.epochs.flux(slot)).fill(name)).join(' ');
  }

  /** Names of what was raised since the last sending; `!` behind those of which more than rows may have changed. */
  get raised(): string {
    const names = [...NAMED].flatMap(([slot, name]) => {
      const [epoch, structure] = this.#before.get(slot)!;
      if (this.epochs.epoch(slot) === epoch) return [];
      return this.epochs.structure(slot) === structure ? name : `${name}!`;
    });
    return names.join(' ');
  }

  run(sql: string, answer: Answer): void {
    this.sends(sql);
    this.answers(answer);
  }

  #note(): void {
    for (const slot of NAMED.keys())
      this.#before.set(slot, [this.epochs.epoch(slot), this.epochs.structure(slot)]);
  }
}

type Case = readonly [sql: string, answer: Answer, flux: string, raised: string];

function runs(t: Test, name: string, cases: readonly Case[], before: readonly [string, Answer][] = []): void {
  t.test(name, async (t) => {
    for (const [sql, answer, flux, raised] of cases) {
      const rig = new Rig();
      for (const [earlier, its] of before) rig.run(earlier, its);
      rig.sends(sql);
      t.equal(rig.flux, flux, `${sql}: in flux while it runs`);
      t.equal(rig.holders.length, flux === '' ? 0 : 1, `${sql}: its connection knows`);
      rig.answers(answer);
      t.equal(rig.raised, raised, `${sql}: raised by ${JSON.stringify(answer)}`);
      t.equal(rig.flux, '', `${sql}: over`);
      t.equal(rig.holders.length, 0, sql);
      t.strictSame(rig.epochs.takeOverAll(0), [], `${sql}: nothing in the ledger`);
      t.strictSame(rig.epochs.takeWriters(0), [], `${sql}: nothing in the list`);
    }
  });
}

const NAMES_OWN = { position: POSITION };

runs(t, 'outside of a transaction', [
  ['SELECT * FROM t', OK, '', ''],
  ['SELECT * FROM t FOR UPDATE', OK, '', ''],
  ['SET NAMES utf8mb4', OK, '', ''],
  ['BEGIN', OPEN, '', ''],
  ['COMMIT', OK, '', ''],
  ['ROLLBACK', OK, '', ''],
  ['SAVEPOINT a', OK, '', ''],
  ['KILL 5', OK, '', ''],
  ['PREPARE s FROM "UPDATE t SET n=1"', OK, '', ''],
  ['UPDATE t SET n=1', NAMES_OWN, 't', 't'],
  ['UPDATE t SET n=1', { affectedRows: 0 }, 't', 't'],
  // No rows of it will come by the binlog.
  ['UPDATE t SET n=1', OK, 't', 't!'],
  ['INSERT INTO t SELECT * FROM u', NAMES_OWN, 't', 't'],
  ['UPDATE t, u SET t.n=1, u.n=1', NAMES_OWN, 't u', 't u'],
  ['DELETE t, u FROM t JOIN u', NAMES_OWN, 't u', 't u'],
  ['LOAD DATA LOCAL INFILE "f" INTO TABLE t', NAMES_OWN, 't', 't'],
  ['UPDATE t SET n=1', { errno: 1062 }, 't', 't!'],
  ['UPDATE t SET n=1', { errno: 1317 }, 't', 't!'],
  ['UPDATE t SET n=1', { errno: 1064 }, 't', 't!'],
  ['TRUNCATE t', NAMES_OWN, 't', 't!'],
  ['DROP TABLE t, u', NAMES_OWN, 't u', 't! u!'],
  ['RENAME TABLE t TO v', NAMES_OWN, 't v', 't! v!'],
  ['ALTER TABLE t ADD m INT', NAMES_OWN, 't', 't!'],
  ['CREATE OR REPLACE VIEW v AS SELECT 1', NAMES_OWN, 'v', 'v!'],
  ['CREATE TABLE t (n INT)', { errno: 1050 }, 't', 't!'],
  ['DROP DATABASE app', NAMES_OWN, '*', '*!'],
  ['CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW SET @a=1', NAMES_OWN, '*', '*!'],
  ['GRANT SELECT ON app.t TO a', NAMES_OWN, '*', '*!'],
  ['FLUSH PRIVILEGES', NAMES_OWN, '*', '*!'],
  ['SET PASSWORD = "a"', NAMES_OWN, '*', '*!'],
  ['CALL p()', NAMES_OWN, '*', '*!'],
  ['SELECT f()', NAMES_OWN, '*', '*!'],
  ['INSERT INTO t VALUES (f())', NAMES_OWN, '*', '*!'],
  ['DO f()', NAMES_OWN, '*', '*!'],
  ['EXECUTE s', NAMES_OWN, '*', '*!'],
  ['XA COMMIT "a"', NAMES_OWN, '*', '*!'],
  ['ANALYZE UPDATE t SET n=1', NAMES_OWN, '*', '*!'],
  ['UPDATE t SET n=1; UPDATE u SET n=1', NAMES_OWN, 't u', 't! u!'],
  ['UPDATE t SET n=1; CALL p()', NAMES_OWN, '*', '*!'],
  ['SELECT 1; SELECT 2', OK, '', ''],
  // What begins a transaction behind it, in one answer.
  ['UPDATE t SET n=1; BEGIN', { ...OPEN, ...NAMES_OWN }, 't', 't!'],
]);

runs(
  t,
  'in a transaction that has written t',
  [
    ['SELECT * FROM t', OPEN, '', ''],
    ['SAVEPOINT a', OPEN, '', ''],
    ['ROLLBACK TO a', OPEN, '', ''],
    ['SET NAMES utf8mb4', OPEN, '', ''],
    ['USE app', OPEN, '', ''],
    ['PREPARE s FROM "COMMIT"', OPEN, '', ''],
    ['UPDATE u SET n=1', OPEN, 'u', ''],
    ['UPDATE u SET n=1', UNSAFE, 'u', 'u!'],
    ['UPDATE u SET n=1', { ...OPEN, ...NAMES_OWN }, 'u', 'u'],
    ['UPDATE u SET n=1', UNTRACKED, 'u', 'u!'],
    ['UPDATE u SET n=1', { errno: 1062, open: true }, 'u', 'u!'],
    ['UPDATE u SET n=1', { errno: 1213 }, 'u', 'u!'],
    ['COMMIT', NAMES_OWN, 't', 't'],
    ['COMMIT', OK, 't', 't!'],
    ['COMMIT', { errno: 1180 }, 't', 't!'],
    ['COMMIT AND CHAIN', { ...OPEN, ...NAMES_OWN }, 't', 't'],
    ['ROLLBACK', OK, '', ''],
    ['ROLLBACK AND CHAIN', OPEN, '', ''],
    ['BEGIN', { ...OPEN, ...NAMES_OWN }, 't', 't'],
    ['START TRANSACTION READ ONLY', { ...OPEN, ...NAMES_OWN }, 't', 't'],
    ['SET autocommit=1', NAMES_OWN, 't', 't'],
    ['LOCK TABLES u READ', NAMES_OWN, 't', 't'],
    ['UNLOCK TABLES', OPEN, 't', 't!'],
    ['CREATE TABLE u (n INT)', NAMES_OWN, 't u', 't u!'],
    // It has committed before it failed.
    ['CREATE TABLE u (n INT)', { errno: 1050, open: true }, 't u', 't! u!'],
    ['CALL p()', OPEN, 't *', 't! *!'],
    ['EXECUTE s', OPEN, 't *', 't! *!'],
    ['XA END "a"', OPEN, 't *', 't! *!'],
    ['UPDATE u SET n=1; COMMIT', NAMES_OWN, 't u', 't u!'],
    ['SELECT 1; COMMIT', NAMES_OWN, 't', 't'],
    ['SELECT f()', OPEN, '*', ''],
    ['ALTER USER a IDENTIFIED BY "b"', NAMES_OWN, 't *', 't *!'],
  ],
  [
    ['BEGIN', { open: true }],
    ['UPDATE t SET n=1', OPEN],
  ],
);

type Step = readonly [sql: string, answer: Answer, flux: string, raised: string];
const SEQUENCES: Readonly<Record<string, readonly Step[]>> = {
  'a rollback gives up what was written': [
    ['BEGIN', OPEN, '', ''],
    ['UPDATE t SET n=1', OPEN, 't', ''],
    ['ROLLBACK', OK, '', ''],
    ['COMMIT', OK, '', ''],
  ],
  'a chain has nothing of the transaction before': [
    ['UPDATE t SET n=1', OPEN, 't', ''],
    ['COMMIT AND CHAIN', { ...OPEN, ...NAMES_OWN }, 't', 't'],
    ['UPDATE u SET n=1', OPEN, 'u', ''],
    ['COMMIT', NAMES_OWN, 'u', 'u'],
  ],
  'without autocommit': [
    ['SET autocommit=0', OK, '', ''],
    ['UPDATE t SET n=1', OPEN, 't', ''],
    ['UPDATE u SET n=1', OPEN, 'u', ''],
    ['COMMIT', NAMES_OWN, 't u', 't u'],
    ['UPDATE u SET n=1', OPEN, 'u', ''],
    ['ALTER TABLE x ADD m INT', NAMES_OWN, 'u x', 'u x!'],
  ],
  'a deadlock ends the transaction; its client commits all the same': [
    ['BEGIN', OPEN, '', ''],
    ['UPDATE t SET n=1', OPEN, 't', ''],
    ['UPDATE u SET n=1', { errno: 1213 }, 'u', 'u!'],
    ['SELECT * FROM t', OK, '', ''],
    ['COMMIT', OK, '', ''],
  ],
  'what a routine has left open when it failed': [
    ['CALL p()', { errno: 1644 }, '*', '*!'],
    ['COMMIT', NAMES_OWN, '*', '*!'],
    ['COMMIT', OK, '', ''],
  ],
  'and what it has left open when it has not': [
    ['CALL p()', OPEN, '*', '*!'],
    ['UPDATE t SET n=1', OPEN, 't', ''],
    ['COMMIT', NAMES_OWN, '*', '*!'],
  ],
  'several statements fail in the middle': [
    ['BEGIN; UPDATE t SET n=1; UPDATE u SET n=1', { errno: 1062 }, 't u', 't! u!'],
    ['COMMIT', NAMES_OWN, 't u', 't! u!'],
  ],
  'a transaction of more than rows': [
    ['BEGIN', OPEN, '', ''],
    ['UPDATE t SET n=1', { errno: 1062, open: true }, 't', 't!'],
    ['COMMIT', NAMES_OWN, 't', 't!'],
  ],
  'a commit that fails because of another session may be tried again': [
    ['UPDATE t SET n=1', OPEN, 't', ''],
    ['COMMIT', { errno: 1205, open: true }, 't', 't!'],
    ['COMMIT', NAMES_OWN, 't', 't'],
  ],
  savepoints: [
    ['BEGIN', OPEN, '', ''],
    ['SAVEPOINT a', OPEN, '', ''],
    ['UPDATE t SET n=1', OPEN, 't', ''],
    ['ROLLBACK TO a', OPEN, '', ''],
    ['UPDATE u SET n=1', OPEN, 'u', ''],
    ['RELEASE SAVEPOINT a', OPEN, '', ''],
    ['COMMIT', NAMES_OWN, 't u', 't u'],
  ],
};

for (const [name, steps] of Object.entries(SEQUENCES)) {
  t.test(name, async (t) => {
    const rig = new Rig();
    for (const [sql, answer, flux, raised] of steps) {
      rig.sends(sql);
      t.equal(rig.flux, flux, `${sql}: in flux`);
      rig.answers(answer);
      t.equal(rig.raised, raised, `${sql}: raised`);
      t.equal(rig.flux, '', sql);
    }
  });
}

t.test('commands that are no statements', async (t) => {
  for (const command of Object.values(Command)) {
    const rig = new Rig();
    rig.run('UPDATE t SET n=1', OPEN);
    rig.sendsCommand(command);
    const isWrite = rig.flux !== '';
    rig.answers(OK);
    const expected = isWrite && command !== Command.COM_QUERY ? 't! *!' : isWrite ? 't!' : '';
    t.equal(rig.raised, expected, `${command}`);
    t.equal(rig.flux, '');
  }
  const rig = new Rig();
  for (const command of [Command.COM_CREATE_DB, Command.COM_DROP_DB, Command.COM_REFRESH]) {
    rig.sendsCommand(command);
    t.equal(rig.flux, '*');
    rig.answers(OK);
  }
  for (const command of [Command.COM_INIT_DB, Command.COM_STMT_PREPARE, Command.COM_FIELD_LIST]) {
    rig.sendsCommand(command);
    t.equal(rig.flux, '');
    rig.answers(OK);
  }
});

t.test('the catalogue is not known, or another one by the end', async (t) => {
  const rig = new Rig();
  rig.catalog.current = false;
  rig.sends('UPDATE t SET n=1');
  t.equal(rig.flux, '*');
  rig.answers(NAMES_OWN);
  t.equal(rig.raised, '*!');
  rig.catalog.current = true;
  rig.sends('UPDATE t SET n=1');
  t.equal(rig.flux, 't');
  rig.catalog.version++;
  rig.answers(NAMES_OWN);
  t.equal(rig.raised, '*!');
  rig.run('UPDATE t SET n=1', OPEN);
  rig.catalog.version++;
  rig.sends('COMMIT');
  t.equal(rig.flux, '*');
  rig.answers(NAMES_OWN);
  t.equal(rig.raised, '*!');
});

t.test('a read of views of which nobody knows what they call', async (t) => {
  const rig = new Rig();
  rig.catalog.current = false;
  rig.sends('SELECT * FROM v');
  t.equal(rig.flux, '*');
  rig.answers(OK);
  t.equal(rig.raised, '*!');
  rig.sends('SELECT 1');
  t.equal(rig.flux, '', 'it reads none');
  rig.answers(OK);
  rig.sends('SELECT * FROM v', { trustsViews: true });
  t.equal(rig.flux, '');
  rig.answers(OK);
  const server = { ...rig.connection.server, role: 'replica' } as const;
  rig.sends('SELECT * FROM v', { on: { ...rig.connection, server } as BackendConnection });
  t.equal(rig.flux, '', 'a replica writes nothing');
  rig.answers(OK);
});

t.test('a commit that nobody has said could be', async (t) => {
  const rig = new Rig();
  rig.run('SELECT * FROM v', NAMES_OWN);
  t.equal(rig.raised, '*!');
  t.notOk(rig.epochs.isOwn(POSITION), 'the follower is to look at it');
  rig.run('UPDATE t SET n=1', NAMES_OWN);
  t.ok(rig.epochs.isOwn(POSITION));
});

t.test('sql_log_bin: its rows will not come', async (t) => {
  const rig = new Rig();
  rig.state.variables = SessionVariables.of([['sql_log_bin', 'OFF']]);
  rig.run('UPDATE t SET n=1', { affectedRows: 0 });
  t.equal(rig.raised, 't!');
  rig.run('UPDATE t SET n=1', OPEN);
  rig.sends('COMMIT');
  rig.answers(NAMES_OWN);
  t.equal(rig.raised, 't!');
});

t.test('what the client changes of the reports is not relied on', async (t) => {
  const rig = new Rig();
  rig.state.clientTracks = true;
  rig.run('UPDATE t SET n=1', OPEN);
  t.equal(rig.raised, 't!');
  rig.state.clientTracks = false;
  Object.assign(rig.connection, { tracksState: false });
  rig.run('UPDATE t SET n=1', OPEN);
  t.equal(rig.raised, 't!');
});

t.test('a connection that ends hands over what is in flux', async (t) => {
  const rig = new Rig();
  rig.run('UPDATE t SET n=1', OPEN);
  rig.sends('UPDATE u SET n=1; COMMIT');
  rig.marks.connectionEnded(rig.connection);
  t.equal(rig.flux, 't u', 'as long as the main thread says');
  const slots = [tableSlot('app', 'u'), tableSlot('app', 't')];
  t.strictSame(rig.doubts, [{ type: 'writeInDoubt', address: 'p:1', threadId: 77, slots, isSchema: false }]);
  t.strictSame(rig.epochs.takeOverAll(0).sort(), slots.sort(), 'in the ledger until it has them');
  t.strictSame(rig.epochs.takeWriters(0), []);
  t.equal(rig.holders.length, 0);
  rig.marks.connectionEnded(rig.connection);
  t.equal(rig.doubts.length, 1, 'once');
  rig.sends('COMMIT');
  t.equal(rig.flux, 't u', 'its transaction has gone with it');
});

t.test('a worker that crashes leaves what it has in flux, and where it runs', async (t) => {
  const rig = new Rig();
  rig.sends('CALL p()');
  t.strictSame(rig.epochs.takeWriters(0), [{ server: 3, threadId: 77 }]);
  t.strictSame(rig.epochs.takeOverAll(0), [EVERYTHING]);
});

t.test('something else is sent before an answer has come', async (t) => {
  const rig = new Rig();
  rig.sends('UPDATE t SET n=1');
  rig.sends('UPDATE u SET n=1');
  t.equal(rig.doubts.length, 1);
  t.equal(rig.flux, 't u');
  rig.answers(NAMES_OWN);
  t.equal(rig.flux, 't');
});

t.test('the schema becomes another one while a write is under way', async (t) => {
  const rig = new Rig();
  rig.run('UPDATE u SET n=1', OPEN);
  rig.sends('UPDATE t SET n=1; COMMIT');
  rig.marks.schemaChanged();
  t.equal(rig.flux, 't u', 'it is the same');
  rig.catalog.version++;
  rig.marks.schemaChanged();
  rig.marks.schemaChanged();
  t.equal(rig.flux, '* *', 'both of the statement and of the transaction');
  rig.answers(NAMES_OWN);
  t.equal(rig.flux, '');
  t.equal(rig.raised, '*!');
  t.strictSame(rig.epochs.takeOverAll(0), []);
  rig.sends('SELECT 1');
  rig.catalog.version++;
  rig.marks.schemaChanged();
  t.equal(rig.flux, '');
});

t.test('a lost statement that may change the schema keeps everything in flux', async (t) => {
  const rig = new Rig();
  rig.sends('RENAME TABLE t TO u');
  t.equal(rig.flux, 't u');
  rig.marks.connectionEnded(rig.connection);
  t.equal(rig.flux, '*');
  t.strictSame(
    rig.doubts.map(({ slots, isSchema }) => ({ slots, isSchema })),
    [{ slots: [EVERYTHING], isSchema: true }],
  );
});

t.test('without a cache nothing is marked', async (t) => {
  const rig = new Rig(false);
  rig.sends('DROP DATABASE app');
  t.equal(rig.flux, '');
  rig.answers(NAMES_OWN);
  t.equal(rig.raised, '');
});
