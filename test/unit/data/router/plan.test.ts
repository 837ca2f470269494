import t from 'tap';
import { Plan } from '../../../../src/data/router/plan.ts';
import { PlanCache } from '../../../../src/data/router/plan-cache.ts';
import { classify } from '../../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../../src/sql/lexical-context.ts';

const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 50_729 });
const ansi = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: 'ANSI_QUOTES',
  flavor: 'mysql',
  versionId: 50_729,
});

function plan(sql = 'SELECT 1'): Plan {
  const bytes = Buffer.from(sql);
  return new Plan(classify(bytes, 0, bytes.length, context), bytes, context.key, 0, 0);
}

/** Known to be quick, so that it may share a connection. */
function quick(): Plan {
  const made = plan();
  for (let run = 0; run < 4; run++) made.learnAlone(0.5, 200);
  return made;
}

t.test('a digest shares a connection when it is known to be short and quick', async (t) => {
  const unknown = plan();
  for (let run = 0; run < 3; run++) unknown.learnAlone(0.5, 200);
  t.equal(unknown.batchDepth, 0);
  unknown.learnAlone(0.5, 200);
  t.equal(unknown.batchDepth, 4);

  const slow = plan();
  for (let run = 0; run < 10; run++) slow.learnAlone(25, 200);
  t.equal(slow.batchDepth, 0);
  for (let run = 0; run < 30; run++) slow.learnAlone(0.5, 200);
  t.ok(slow.batchDepth >= 2, 'it has become quick');

  const big = quick();
  big.learnBytes(20_000);
  t.equal(big.batchDepth, 0, 'one large answer is enough');
  for (let run = 0; run < 20; run++) big.learnAlone(0.5, 200);
  t.ok(big.batchDepth >= 2, 'and is forgotten in time');

  const warns = quick();
  warns.raisesDiagnostics = true;
  t.equal(warns.batchDepth, 0);
});

t.test('the depth grows with batches that are answered as soon, up to the limit', async (t) => {
  const made = quick();
  for (let batch = 0; batch < 1000; batch++) made.learnBatch(0.6, Math.floor(made.batchDepth), 16);
  t.equal(made.batchDepth, 16);
  const small = quick();
  for (let batch = 0; batch < 1000; batch++) small.learnBatch(0.6, 2, 16);
  t.equal(small.batchDepth, 4, 'a batch of two tells nothing of a batch of five');
});

t.test('it shrinks with batches that take longer, to none, and is tried again', async (t) => {
  const made = quick();
  for (let run = 0; run < 50; run++) made.learnAlone(2, 200);
  let batches = 0;
  while (made.batchDepth >= 2) {
    made.learnBatch(50, Math.floor(made.batchDepth), 16);
    if (++batches > 10) break;
  }
  t.ok(batches <= 4, `${batches} batches`);
  for (let run = 0; run < 255; run++) made.learnAlone(2, 200);
  t.ok(made.batchDepth < 2);
  made.learnAlone(2, 200);
  t.equal(made.batchDepth, 2);
});

t.test('what a statement does to its own connection', async (t) => {
  for (const sql of ['SET session_track_schema = OFF', 'SHOW VARIABLES', 'show  session variables'])
    t.ok(plan(sql).touchesTracking, sql);
  t.notOk(plan('SELECT 1').touchesTracking);
  for (const sql of ['COMMIT RELEASE', 'rollback release', 'COMMIT AND NO CHAIN RELEASE'])
    t.ok(plan(sql).releases, sql);
  for (const sql of [
    'COMMIT',
    'COMMIT NO RELEASE',
    'RELEASE SAVEPOINT a',
    'ROLLBACK AND NO CHAIN NO RELEASE',
  ])
    t.notOk(plan(sql).releases, sql);
});

class Rig {
  misses = 0;
  readonly cache: PlanCache;

  constructor(limit: number) {
    this.cache = new PlanCache(1, limit, { miss: () => this.misses++ });
  }

  plan(sql: string, lexical = context): Plan {
    const bytes = Buffer.from(`\x03${sql}`);
    return this.cache.planFor(bytes, 1, bytes.length, lexical);
  }
}

t.test('one plan for all statements of a digest', async (t) => {
  const rig = new Rig(100);
  const one = rig.plan('SELECT a FROM t WHERE b = 1');
  t.equal(rig.plan('select a from t where b = 2'), rig.plan("SELECT  a FROM t WHERE b = 'x'"));
  t.equal(rig.plan('SELECT a FROM t WHERE b = 17'), one);
  t.equal(rig.misses <= 2, true);
  t.not(rig.plan('SELECT c FROM t WHERE b = 1'), one);
});

t.test('bytes that mean something else under another sql_mode have a plan of their own', async (t) => {
  const rig = new Rig(100);
  const sql = 'SELECT "a" FROM t';
  const plain = rig.plan(sql);
  const quoted = rig.plan(sql, ansi);
  t.not(plain, quoted);
  t.equal(rig.plan(sql), plain);
  t.equal(rig.plan(sql, ansi), quoted);
  t.equal(rig.misses, 2);
});

t.test('a plan keeps its own digest, and no memory besides', async (t) => {
  const { normalized } = new Rig(100).plan('SELECT 1 FROM t');
  t.equal(normalized.buffer.byteLength, normalized.length);
});

t.test('bounded, and what is used stays', async (t) => {
  const rig = new Rig(20);
  const kept = rig.plan('SELECT kept FROM t');
  for (let index = 0; index < 1000; index++) {
    rig.plan(`SELECT c${index} FROM t`);
    t.ok(rig.cache.size <= 20);
    if (index % 5 === 0 && rig.plan('SELECT kept FROM t') !== kept) t.fail('it was in use');
  }
  t.equal(rig.misses, 1001);
  rig.cache.resize(4);
  for (let index = 0; index < 10; index++) rig.plan(`SELECT d${index} FROM t`);
  t.ok(rig.cache.size <= 4, 'a smaller limit holds from now on');
});
