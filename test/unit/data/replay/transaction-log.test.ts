import t from 'tap';
import { AnswerShape } from '../../../../protocol/index.ts';
import { SharedCounters } from '../../../../src/common/shared-counters.ts';
import { mayEnd, obstacleOf } from '../../../../src/data/replay/replay-obstacle.ts';
import { type CommandEnd, TransactionLog } from '../../../../src/data/replay/transaction-log.ts';
import { WorkerReplays } from '../../../../src/data/replay/worker-replays.ts';
import { PlanCache } from '../../../../src/data/router/plan-cache.ts';
import { makeLexicalContext } from '../../../../src/sql/lexical-context.ts';

const context = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_100,
});
const plans = new PlanCache(1, 1000, { miss: () => undefined });
const OPEN: CommandEnd = {
  errno: 0,
  message: '',
  insertId: 0,
  isOpen: true,
  isPinned: false,
  wroteOutside: false,
};

function planOf(sql: string) {
  const text = Buffer.from(sql);
  return plans.planFor(text, 0, text.length, context);
}

class Log {
  readonly replays: WorkerReplays;
  readonly log: TransactionLog<object>;

  constructor() {
    const shared = new SharedCounters();
    this.replays = new WorkerReplays(shared, shared.worker(0));
    this.replays.update({ enabled: true, maxBytes: 2000, maxStatements: 5, maxWorkerBytes: 5000 });
    this.log = new TransactionLog(this.replays);
  }

  begins(sql: string): void {
    const packet = Buffer.from(` ${sql}`);
    const nothing = { statement: null, definition: null, checksum: 0, errno: 0, insertId: 0 };
    this.log.begins(
      { packet, plan: planOf(sql), shape: AnswerShape.query, errorSequence: 1, ...nothing },
      this.replays,
    );
  }

  run(sql: string, end: Partial<CommandEnd> = {}, answer = 'ok'): boolean {
    this.begins(sql);
    for (const byte of answer) this.log.passed(Buffer.from(byte));
    return this.log.ended({ ...OPEN, ...end });
  }

  get texts(): string[] {
    return this.log.commands.map(({ packet }) => packet.toString().trim());
  }
}

t.test('a transaction is written down from its beginning to its end', async (t) => {
  const log = new Log();
  t.ok(log.log.isEmpty);
  log.run('SET TRANSACTION READ WRITE');
  log.run('BEGIN');
  log.run('INSERT INTO t VALUES (1)', { insertId: 7 }, 'one');
  log.run('SELECT LAST_INSERT_ID()', {}, 'two');
  t.same(log.texts.length, 4);
  t.match(log.log.commands[2], { insertId: 7, errno: 0 });
  t.not(log.log.commands[2]?.checksum, log.log.commands[3]?.checksum);
  t.ok(log.replays.bytes > 0);
  log.run('COMMIT', { isOpen: false });
  t.ok(log.log.isEmpty);
  t.equal(log.replays.bytes, 0, 'and its memory is free');
});

t.test('bytes count, however they come', async (t) => {
  const log = new Log();
  log.run('BEGIN', {}, 'answer');
  log.begins('BEGIN');
  log.log.passed(Buffer.from('ans'));
  log.log.passed(Buffer.from('wer'));
  t.equal(log.log.checksum, log.log.commands[0]?.checksum);
});

t.test('another BEGIN ends the open transaction', async (t) => {
  const log = new Log();
  log.run('BEGIN');
  log.run('INSERT INTO t VALUES (1)');
  log.begins('BEGIN');
  t.ok(log.log.pendingMayEnd);
  t.ok(log.log.ended(OPEN), 'another one has begun');
  t.same(log.texts, ['BEGIN']);
  log.run('CALL p()');
  t.equal(log.log.obstacle, 'begin-unknown', 'what a procedure has begun');
  t.ok(log.run('START TRANSACTION'), 'after one that could not be done again as well');
  t.equal(log.log.obstacle, null);
  log.run('COMMIT AND CHAIN');
  t.equal(log.log.obstacle, 'begin-unknown');
});

t.test('what cannot be done again', async (t) => {
  const cases: readonly (readonly [string, Partial<CommandEnd>, string])[] = [
    ['CREATE TABLE x (n INT)', { errno: 1050 }, 'statement'],
    ['SELECT 1; SELECT 2', {}, 'statement'],
    ["LOAD DATA LOCAL INFILE 'x' INTO TABLE t", {}, 'statement'],
    ['LOCK TABLES t READ', { errno: 1146 }, 'pinned'],
    ["SELECT GET_LOCK('a', 1)", {}, 'pinned'],
    ['INSERT INTO t VALUES (LAST_INSERT_ID())', {}, 'earlier-insert-id'],
    ['INSERT INTO myisam VALUES (1)', { wroteOutside: true }, 'non-transactional-table'],
    ['SELECT @a := 1', { isPinned: true }, 'pinned'],
    [`SELECT '${'x'.repeat(2000)}'`, {}, 'too-long'],
    ['SET autocommit = 1', { errno: 1193 }, 'statement'],
  ];
  for (const [sql, end, obstacle] of cases) {
    const log = new Log();
    log.run('BEGIN');
    log.run(sql, end);
    t.equal(log.log.obstacle, obstacle, sql.slice(0, 60));
    t.same(log.texts, [], 'and nothing is kept');
    t.equal(log.replays.bytes, 0);
    log.run('COMMIT', { isOpen: false });
    t.equal(log.log.obstacle, null, 'the next one is another matter');
  }
});

t.test('limits', async (t) => {
  const log = new Log();
  for (let n = 0; n < 5; n++) log.run(n === 0 ? 'BEGIN' : 'SELECT 1');
  t.equal(log.log.obstacle, null);
  log.run('SELECT 1');
  t.equal(log.log.obstacle, 'too-long');
  log.run('ROLLBACK', { isOpen: false });
  log.replays.take(4900);
  log.run('BEGIN');
  t.equal(log.log.obstacle, 'no-memory', 'all transactions of the worker together');
});

t.test('a transaction that nobody has seen begin', async (t) => {
  const log = new Log();
  log.log.ended(OPEN);
  t.equal(log.log.obstacle, 'begin-unknown');
  log.log.ended({ ...OPEN, isOpen: false });
  t.ok(log.log.isEmpty);
});

t.test('[B7] what may have ended a transaction', async (t) => {
  for (const sql of [
    'COMMIT',
    'ROLLBACK',
    'CALL p()',
    'EXECUTE s',
    'CREATE TABLE x (n INT)',
    'SELECT 1; COMMIT',
  ])
    t.ok(mayEnd(planOf(sql).statement), sql);
  for (const sql of [
    'SELECT 1',
    'UPDATE t SET n = 1',
    'SAVEPOINT a',
    'ROLLBACK TO SAVEPOINT a',
    'SET @x = 1',
  ])
    t.notOk(mayEnd(planOf(sql).statement), sql);
  t.ok(mayEnd(planOf('SET autocommit = 1').statement));
  t.equal(obstacleOf(planOf('SET autocommit = 0').statement, true), null, 'as a beginning');
  for (const sql of ['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT a', 'INSERT INTO t VALUES (1)', 'USE other'])
    t.equal(obstacleOf(planOf(sql).statement, false), null, sql);
});
