/** Which entries hold while a write of a single row, or of others, is under way, and behind it. */

import t, { type Test } from 'tap';
import { Command, type ResponseTracker, StatusFlag } from '../../../../protocol/index.ts';
import { gtidPosition } from '../../../../src/common/gtid-position.ts';
import { encodeKeyCatalog, KeyCatalog } from '../../../../src/common/key-catalog.ts';
import { KeyColumnKind } from '../../../../src/common/row-slots.ts';
import { SharedGtids } from '../../../../src/common/shared-gtids.ts';
import { FollowState, TableEpochs } from '../../../../src/common/table-epochs.ts';
import { TableRelations } from '../../../../src/common/table-relations.ts';
import { tableSlot } from '../../../../src/common/table-slots.ts';
import type { WriteInDoubt } from '../../../../src/common/thread-messages.ts';
import type { BackendConnection } from '../../../../src/data/backend/backend-connection.ts';
import { Freshness, type FreshnessProof } from '../../../../src/data/cache/freshness.ts';
import { rowPinOf } from '../../../../src/data/cache/row-pin.ts';
import { RowProofs } from '../../../../src/data/cache/row-proof.ts';
import { WorkerMarks } from '../../../../src/data/cache/worker-marks.ts';
import { WriteMarks } from '../../../../src/data/cache/write-marks.ts';
import { rowsChangedBy, rowsInsertedBy } from '../../../../src/data/cache/written-rows.ts';
import { Plan } from '../../../../src/data/router/plan.ts';
import type { TableCatalog } from '../../../../src/data/router/table-catalog.ts';
import { classify } from '../../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../../src/sql/lexical-context.ts';

const CONTEXT = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101100 });
const TABLE = tableSlot('app', 't');
const SOURCE = { index: 1, base: 0n, end: null, address: 'p:1', prefix: '0-1-', flavor: 'mariadb' } as const;
const { signed, text } = KeyColumnKind;
const COLUMNS = [
  [{ name: 'id', index: 0, kind: signed, size: 4 }],
  [{ name: 'name', index: 1, kind: text, size: 20 }],
];
const facts = { schema: 'app', width: 3, keys: COLUMNS, hasLoneRows: true, isOnlyKey: false, makesKey: true };
const KEYS = new KeyCatalog(
  encodeKeyCatalog([
    { ...facts, table: 't' },
    { ...facts, table: 'u', hasLoneRows: false },
  ]),
);
/** What is in the cache: what is read, its condition ('' is of all rows), and how many rows there are. */
const ENTRIES: Readonly<Record<string, readonly [what: string, where: string, rows: number]>> = {
  five: ['*', 'id=5', 1],
  six: ['*', 'id=6', 1],
  anna: ['*', "name='anna'", 1],
  eight: ['*', 'id=8', 0],
  nine: ['COUNT(*)', 'id=9', 1],
  all: ['*', '', 9],
};
const ALL = 'five six anna eight nine all';
const ROWS = 'five six eight nine';

interface Answer {
  readonly errno?: number;
  readonly open?: boolean;
  /** No GTID is told. */
  readonly silent?: boolean;
  readonly affectedRows?: number;
  readonly lastInsertId?: number;
}

const OK: Answer = {};
const OPEN: Answer = { open: true, silent: true };

class Rig {
  readonly epochs = new TableEpochs(1);
  readonly gtids = new SharedGtids();
  readonly doubts: WriteInDoubt[] = [];
  readonly state = { transactionState: '________', clientTracks: false, variables: null };
  readonly keys = { version: 1, catalog: KEYS, definitions: 0 };
  catalog = { version: 1, complete: true, relations: new TableRelations(null), isCurrent: () => true };
  readonly marks: WriteMarks;
  readonly freshness: Freshness;
  readonly connection: BackendConnection;
  #sequence = 0n;
  #proofs = new Map<string, FreshnessProof | null>();

  constructor() {
    const { epochs } = this;
    epochs.followState = FollowState.following;
    epochs.rows.keysInForce = 1;
    this.freshness = new Freshness(epochs, () => 0, new RowProofs(epochs, this.gtids));
    this.freshness.apply({ term: 0, maxLagMs: 500 });
    const worker = new WorkerMarks(epochs, 0, true, (message) => {
      if (message.type === 'writeInDoubt') this.doubts.push(message);
    });
    this.marks = new WriteMarks(worker, () => this.tables, this.state);
    this.connection = {
      server: { address: 'p:1', role: 'primary', slot: 3 },
      threadId: 77,
      tracksState: true,
      statusFlags: 0,
      beginFlux: () => undefined,
      endFlux: () => undefined,
    } as unknown as BackendConnection;
    this.fill();
  }

  get tables(): TableCatalog {
    return { ...this.catalog, keys: { ...this.keys } };
  }

  /** All are read anew. */
  fill(): void {
    for (const [name, [what, where, rows]] of Object.entries(ENTRIES)) {
      const buffer = Buffer.from(`SELECT ${what} FROM t${where === '' ? '' : ` WHERE ${where}`}`);
      const read = {
        buffer,
        start: 0,
        end: buffer.length,
        context: CONTEXT,
        schema: 'app',
        parameters: null,
      };
      const noted = this.freshness.note(Int32Array.of(TABLE), rowPinOf(read, this.keys));
      const proof = noted === null ? null : this.freshness.answered(noted, rows);
      this.#proofs.set(name, proof !== null && this.freshness.mayBeStored(proof) ? proof : null);
    }
  }

  sends(sql: string): void {
    const buffer = Buffer.from(sql);
    const plan = new Plan(classify(buffer, 0, buffer.length, CONTEXT), buffer, 0, 0, 0);
    const write = { buffer, start: 0, end: buffer.length, context: CONTEXT, schema: 'app', parameters: null };
    const rows = rowsChangedBy(write, this.keys) ?? rowsInsertedBy(write, this.keys);
    this.marks.sends(this.connection, Command.COM_QUERY, plan, 'app', false, rows);
  }

  answers({ errno = 0, open = false, silent = false, affectedRows = 1, lastInsertId = 0 }: Answer): void {
    const statusFlags = open ? StatusFlag.SERVER_STATUS_IN_TRANS : 0;
    Object.assign(this.connection, { statusFlags });
    if (errno === 0) this.state.transactionState = open ? 'T___W___' : '________';
    if (errno === 0 && !silent) {
      const position = gtidPosition(SOURCE, ++this.#sequence);
      this.gtids.raise(TABLE, position);
      this.marks.reported(position);
    }
    this.marks.replied(this.connection, { errno, affectedRows, lastInsertId } as unknown as ResponseTracker);
  }

  run(sql: string, answer: Answer): void {
    this.sends(sql);
    this.answers(answer);
  }

  /** The binlog has told all; of rows that no entry is of. */
  follow(): void {
    this.epochs.appliedPosition = gtidPosition(SOURCE, this.#sequence);
  }

  get holding(): string {
    const names = [...this.#proofs].filter(([, proof]) => proof !== null && this.freshness.isTrue(proof));
    return names.map(([name]) => name).join(' ');
  }

  /** Nothing is in flux, and nothing in the ledger. */
  isOver(): boolean {
    const { rows } = this.epochs;
    const inFlux = [
      this.epochs.flux(TABLE),
      rows.table(TABLE),
      ...Array.from({ length: 2 ** 14 }, (_, n) => rows.row(n)),
    ];
    return inFlux.every((count) => count === 0) && this.epochs.takeOverAll(0).length === 0;
  }
}

/** What holds while it runs, when it is answered, and when the binlog has told of it. */
type Case = readonly [sql: string, answer: Answer, running: string, answered: string, told: string];

function runs(t: Test, name: string, cases: readonly Case[], before: readonly [string, Answer][] = []): void {
  t.test(name, async (t) => {
    for (const [sql, answer, running, answered, told] of cases) {
      const rig = new Rig();
      for (const [earlier, its] of before) rig.run(earlier, its);
      rig.follow();
      rig.fill();
      t.equal(rig.holding, ALL, 'all is there');
      rig.sends(sql);
      t.equal(rig.holding, running, `${sql}: while it runs`);
      rig.answers(answer);
      t.equal(rig.holding, answered, `${sql}: answered`);
      rig.follow();
      t.equal(rig.holding, told, `${sql}: told`);
      t.ok(rig.isOver(), sql);
    }
  });
}

const ROW = ['six eight nine', 'six eight nine', 'six anna eight nine'] as const;
const TABLE_ONLY = ['', '', 'five six anna eight nine'] as const;
/** While nobody knows which row it will be, no entry holds that has none. */
const MADE = ['five six', 'five six', 'five six anna'] as const;

runs(t, 'outside of a transaction', [
  ['UPDATE t SET n=1 WHERE id=5', OK, ...ROW],
  ['UPDATE t SET n=n+1, name=UPPER(name) WHERE id = 5 AND n > 3 LIMIT 1', OK, ...ROW],
  ['DELETE FROM t WHERE id=5', OK, ...ROW],
  // The binlog will not tell for other keys.
  ['UPDATE t SET n=1 WHERE id=5', { errno: 1213 }, 'six eight nine', '', ''],
  ['UPDATE t SET n=1 WHERE id=5', { silent: true }, 'six eight nine', '', ''],
  [
    'UPDATE t SET n=1 WHERE id=5',
    { silent: true, affectedRows: 0 },
    'six eight nine',
    'six anna eight nine',
    'six anna eight nine',
  ],
  ['UPDATE t SET n=1 WHERE id=7', OK, ROWS, ROWS, 'five six anna eight nine'],
  ['UPDATE t SET id=6 WHERE id=5', OK, ...TABLE_ONLY],
  ['UPDATE t SET n=1, t.ID=6 WHERE id=5', OK, ...TABLE_ONLY],
  ["UPDATE t SET n=1 WHERE name='anna'", OK, ...TABLE_ONLY],
  ['UPDATE t SET n=1 WHERE id>5', OK, ...TABLE_ONLY],
  ['UPDATE t SET n=1 WHERE id=5 OR id=6', OK, ...TABLE_ONLY],
  ['UPDATE t SET n=1 WHERE id IN (5, 6)', OK, ...TABLE_ONLY],
  ['UPDATE t SET n=1', OK, ...TABLE_ONLY],
  ['INSERT INTO t (id, n) VALUES (5, 1)', OK, ...ROW],
  ['INSERT INTO t (id, n) VALUES (5, 1)', { errno: 1062 }, 'six eight nine', '', ''],
  ['INSERT INTO t (id, n) VALUES (8, 1), (9, 1)', OK, 'five six', 'five six', 'five six anna'],
  ['INSERT INTO t (n, id) VALUES (8, 7)', OK, ROWS, ROWS, 'five six anna eight nine'],
  [
    'INSERT IGNORE INTO t (n) VALUES (1)',
    { affectedRows: 0, silent: true },
    'five six',
    'five six anna',
    'five six anna',
  ],
  ['INSERT INTO t (n) VALUES (1)', OK, ...MADE],
  ['INSERT INTO t (n) VALUES (1), (2)', { affectedRows: 2, lastInsertId: 7 }, ...MADE],
  ['INSERT INTO t (n) VALUES (1)', { errno: 1205 }, 'five six', '', ''],
  ['INSERT INTO t (n) VALUES (1)', { lastInsertId: 7 }, 'five six', ROWS, 'five six anna eight nine'],
  ['INSERT INTO t (n) VALUES (1)', { lastInsertId: 8 }, 'five six', 'five six nine', 'five six anna nine'],
  [
    'INSERT INTO t (id) VALUES (NULL)',
    { lastInsertId: 9 },
    'five six',
    'five six eight',
    'five six anna eight',
  ],
  ['INSERT INTO t (id) VALUES (0), (8)', { affectedRows: 2, lastInsertId: 9 }, ...MADE],
  ['INSERT INTO t (id, n) SELECT 7, 1', OK, ...TABLE_ONLY],
  ['INSERT INTO t (id) VALUES (5 + 1)', OK, ...TABLE_ONLY],
  ['INSERT INTO t (id, n) VALUES (5, 1) ON DUPLICATE KEY UPDATE n=1', OK, ...TABLE_ONLY],
  ['REPLACE INTO t (id, n) VALUES (5, 1)', OK, ...TABLE_ONLY],
  ['UPDATE t SET n=1', { errno: 1213 }, '', '', ''],
  ['TRUNCATE t', OK, '', '', ''],
  ['UPDATE u SET n=1 WHERE id=5', OK, ALL, ALL, ALL],
]);

runs(
  t,
  'in a transaction that has written a row',
  [
    ['UPDATE t SET n=1 WHERE id=6', OPEN, 'five eight nine', ALL, ALL],
    ['INSERT INTO t (n) VALUES (6)', OPEN, 'five six', ALL, ALL],
    ['SELECT * FROM t', OPEN, ALL, ALL, ALL],
    ['COMMIT', OK, ...ROW],
    ['COMMIT', { errno: 1180 }, 'six eight nine', '', ''],
    ['COMMIT', { silent: true }, 'six eight nine', '', ''],
    ['COMMIT AND CHAIN', { open: true }, ...ROW],
    ['ROLLBACK', { silent: true }, ALL, ALL, ALL],
    ['BEGIN', { open: true }, ...ROW],
    ['SET autocommit=1', OK, ...ROW],
    ['CREATE TABLE u (n INT)', OK, ...ROW],
    ['UPDATE t SET n=1 WHERE id=6', { errno: 1213 }, 'five eight nine', '', ''],
  ],
  [
    ['BEGIN', OPEN],
    ['UPDATE t SET n=1 WHERE id=5', OPEN],
  ],
);

t.test('a transaction of rows and of the whole table', async (t) => {
  const rig = new Rig();
  for (const sql of ['BEGIN', 'UPDATE t SET n=1 WHERE id=5', 'UPDATE t SET n=2 WHERE n=1'])
    rig.run(sql, OPEN);
  rig.sends('COMMIT');
  t.equal(rig.holding, '');
  rig.answers(OK);
  t.equal(rig.holding, '');
  rig.follow();
  t.equal(rig.holding, 'six anna eight nine');
  t.ok(rig.isOver());
});

t.test('a transaction with more rows than are kept', async (t) => {
  const rig = new Rig();
  rig.run('BEGIN', OPEN);
  for (let id = 100; id < 165; id++) rig.run(`UPDATE t SET n=1 WHERE id=${id}`, OPEN);
  rig.sends('COMMIT');
  t.equal(rig.holding, '', 'its table is written');
  rig.answers(OK);
  rig.follow();
  t.equal(rig.holding, 'five six anna eight nine');
  t.ok(rig.isOver());
});

runs(
  t,
  'in a transaction that has put rows there',
  [
    ['COMMIT', OK, 'five six nine', 'five six nine', 'five six anna nine'],
    ['ROLLBACK', { silent: true }, ALL, ALL, ALL],
  ],
  [
    ['BEGIN', OPEN],
    ['INSERT INTO t (n) VALUES (1)', { ...OPEN, lastInsertId: 8 }],
    ['INSERT INTO t (id, n) VALUES (10, 1), (11, 1)', { ...OPEN, affectedRows: 2 }],
  ],
);

runs(
  t,
  'in a transaction that has put rows there which nobody knows',
  [['COMMIT', OK, ...MADE]],
  [
    ['BEGIN', OPEN],
    ['INSERT INTO t (n) VALUES (1), (2)', { ...OPEN, affectedRows: 2, lastInsertId: 8 }],
  ],
);

t.test('what is read while a row is put there that nobody knows', async (t) => {
  for (const [id, behind] of [
    [7, 'five six anna'],
    [8, 'five six anna'],
  ] as const) {
    const rig = new Rig();
    rig.sends('INSERT INTO t (n) VALUES (1)');
    rig.fill();
    t.equal(rig.holding, 'five six', 'what has no row is not stored');
    rig.answers({ lastInsertId: id });
    rig.follow();
    t.equal(rig.holding, 'five six');
    rig.fill();
    rig.run('UPDATE t SET n=1 WHERE id=7', OK);
    rig.follow();
    t.equal(rig.holding, `${behind} eight nine`);
    t.ok(rig.isOver());
  }
});

t.test('what is read while another row is in flux', async (t) => {
  const rig = new Rig();
  rig.sends('UPDATE t SET n=1 WHERE id=5');
  rig.fill();
  t.equal(rig.holding, 'six eight nine');
  rig.answers(OK);
  rig.follow();
  t.equal(rig.holding, 'six eight nine');
  const slots = Int32Array.of(TABLE);
  const pin = {
    table: TABLE,
    row: 9,
    key: 10,
    isLone: true,
    newRows: 11,
    needsRow: true,
    definitions: 0,
    keysVersion: 1,
  };
  const proof = rig.freshness.note(slots, pin)!;
  rig.run('UPDATE t SET n=1 WHERE id=5', OK);
  t.notOk(rig.freshness.isUnchanged(proof));
  t.ok(rig.freshness.mayBeStored(proof), 'is stored');
  rig.epochs.raiseRow(9);
  t.notOk(rig.freshness.mayBeStored(proof), 'unless its own row has changed');
  for (const other of [
    { ...pin, keysVersion: 2 },
    { ...pin, isLone: false },
  ]) {
    rig.sends('UPDATE t SET n=1 WHERE id=5');
    t.equal(rig.freshness.note(slots, other), null, 'unless it is told apart by others');
    rig.answers(OK);
  }
});

t.test('a table that is altered before anybody asks for its rows', async (t) => {
  const rig = new Rig();
  // Nobody has.
  Object.assign(rig.epochs, { hasInterest: () => false });
  rig.run('ALTER TABLE t ADD UNIQUE (n)', OK);
  rig.fill();
  rig.run('UPDATE t SET n=1 WHERE id=7', OK);
  t.equal(rig.holding, '', 'nothing holds before the binlog has told of it');
  rig.follow();
  t.equal(rig.holding, 'five six anna eight nine');
});

t.test('what is read before the keys are known again is of its table', async (t) => {
  const rig = new Rig();
  rig.epochs.redefine();
  rig.fill();
  t.equal(rig.holding, ALL);
  rig.run('UPDATE t SET n=1 WHERE id=7', OK);
  rig.follow();
  t.equal(rig.holding, '');
});

t.test('rows are told apart in another way', async (t) => {
  const before = ['BEGIN', 'UPDATE t SET n=1 WHERE id=5'] as const;
  for (const sql of ['UPDATE t SET n=1 WHERE id=5', 'COMMIT']) {
    const make = (): Rig => {
      const rig = new Rig();
      for (const earlier of sql === 'COMMIT' ? before : []) rig.run(earlier, OPEN);
      return rig;
    };
    const known = make();
    known.sends(sql);
    known.keys.version = 2;
    known.marks.schemaChanged();
    t.equal(known.holding, '', `${sql}: other keys are known, and its table is in flux`);
    known.answers(OK);
    known.follow();
    t.equal(known.holding, '', 'nobody can say which row it was');
    t.ok(known.isOver());

    const another = make();
    another.sends(sql);
    another.catalog = { ...another.catalog, version: 2 };
    another.marks.schemaChanged();
    t.equal(another.holding, '', `${sql}: another schema is known`);
    another.answers(OK);
    t.equal(another.holding, '');
    t.ok(another.isOver());

    const redefined = make();
    redefined.sends(sql);
    redefined.epochs.redefine();
    redefined.answers(OK);
    t.equal(redefined.holding, '', `${sql}: definitions have changed meanwhile`);
    t.ok(redefined.isOver());

    const behind = make();
    behind.epochs.rows.keysInForce = 2;
    behind.sends(sql);
    t.equal(behind.holding, '', `${sql}: others are in force`);
    behind.answers(OK);
    t.ok(behind.isOver());
  }
});

t.test('rows of a transaction by keys that are none any more', async (t) => {
  const rig = new Rig();
  rig.run('BEGIN', OPEN);
  rig.run('UPDATE t SET n=1 WHERE id=5', OPEN);
  rig.keys.version = 2;
  rig.epochs.rows.keysInForce = 2;
  rig.run('UPDATE t SET n=1 WHERE id=6', OPEN);
  rig.sends('COMMIT');
  t.equal(rig.holding, '');
  rig.answers(OK);
  t.equal(rig.holding, '');
  t.ok(rig.isOver());
});

t.test('whoever has heard nothing of the end', async (t) => {
  for (const sql of ['UPDATE t SET n=1 WHERE id=5', 'COMMIT']) {
    const rig = new Rig();
    if (sql === 'COMMIT') {
      rig.run('BEGIN', OPEN);
      rig.run('UPDATE t SET n=1 WHERE id=5', OPEN);
    }
    rig.sends(sql);
    rig.marks.connectionEnded(rig.connection);
    t.equal(rig.holding, '', `${sql}: its table is in flux`);
    t.match(rig.doubts, [{ slots: [TABLE], threadId: 77 }], 'and the main thread has it');
    rig.epochs.takeOver(0, TABLE);
    rig.epochs.raiseStructure(TABLE);
    rig.epochs.release(TABLE);
    t.equal(rig.holding, '');
    t.ok(rig.isOver());
  }
});

t.test('a worker that crashes', async (t) => {
  const rig = new Rig();
  const { epochs } = rig;
  rig.run('BEGIN', OPEN);
  for (const id of [5, 7, 5]) rig.run(`UPDATE t SET n=1 WHERE id=${id}`, OPEN);
  rig.sends('COMMIT');
  t.equal(rig.holding, 'six eight nine');
  t.strictSame(epochs.takeOverAll(0), [TABLE, TABLE], 'which rows these were is forgotten');
  t.equal(rig.holding, '', 'their table is in flux');
  t.strictSame([epochs.flux(TABLE), epochs.rows.table(TABLE)], [2, 0]);
  for (let n = 0; n < 2; n++) {
    epochs.raiseStructure(TABLE);
    epochs.release(TABLE);
  }
  rig.fill();
  t.equal(rig.holding, ALL);
});
