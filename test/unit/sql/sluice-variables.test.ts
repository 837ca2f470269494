import fc from 'fast-check';
import t from 'tap';
import { classify } from '../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { type OwnStatement, parseOwnStatement } from '../../../src/sql/sluice-variables.ts';

const MARIADB = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101100 });
const ANSI = makeLexicalContext({ charset: 'utf8mb4', sqlMode: 'ANSI', flavor: 'mysql', versionId: 50729 });

function parse(sql: string, context = MARIADB): OwnStatement | null {
  const buf = Buffer.from(sql);
  return parseOwnStatement(buf, 0, buf.length, context);
}

function isOwn(sql: string, context = MARIADB): boolean {
  const buf = Buffer.from(sql);
  return classify(buf, 0, buf.length, context).ownVariables;
}

const shown = (...columns: readonly (readonly [string, string])[]): OwnStatement => ({
  kind: 'select',
  columns: columns.map(([variable, label]) => ({ variable, label })),
  isEmpty: false,
});

t.test('SELECT', async (t) => {
  const table: readonly [string, OwnStatement | null][] = [
    ['SELECT @@sluice.last_gtid', shown(['last_gtid', '@@sluice.last_gtid'])],
    ['select @@SLUICE.Last_GTID as x;', shown(['last_gtid', 'x'])],
    ["SELECT @@sluice.last_gtid 'x y'", shown(['last_gtid', 'x y'])],
    ['SELECT @@session.sluice.last_gtid `x`', shown(['last_gtid', 'x'])],
    ['SELECT @@`sluice`.`last_gtid`', shown(['last_gtid', '@@`sluice`.`last_gtid`'])],
    [
      '/* c */ SELECT @@sluice . last_gtid, @@local.sluice.causal_reads AS level FROM DUAL LIMIT 1',
      shown(['last_gtid', '@@sluice . last_gtid'], ['causal_reads', 'level']),
    ],
    ['SELECT @@sluice.x LIMIT 0', { ...shown(['x', '@@sluice.x']), isEmpty: true } as OwnStatement],
    ['SELECT @@sluice.x, 1', null],
    ['SELECT 1, @@sluice.x', null],
    ['SELECT @@sluice.x + 1', null],
    ['SELECT CONCAT(@@sluice.x)', null],
    ['SELECT @@sluice.x FROM t', null],
    ['SELECT @@sluice.x; SELECT 1', null],
    ['SELECT @@sluice.x /*!50000 , 1 */', null],
    ['SELECT @@sluice.x LIMIT ?', null],
    ['INSERT INTO t VALUES (@@sluice.x)', null],
    ['SELECT @@sluice.', null],
  ];
  for (const [sql, expected] of table) {
    t.same(parse(sql), expected, sql);
    t.ok(isOwn(sql) || sql === 'SELECT @@sluice.', `named: ${sql}`);
  }
});

t.test('SET', async (t) => {
  const text = (value: string) => ({ kind: 'text', text: value });
  const table: readonly [string, readonly [string, object][] | null][] = [
    ["SET @@sluice.causal_reads = 'table'", [['causal_reads', text('table')]]],
    ['SET @@sluice.causal_reads := table', [['causal_reads', text('table')]]],
    ['SET SESSION sluice.causal_reads = session', [['causal_reads', text('session')]]],
    ['set local Sluice.`Causal_Reads` = "none"', [['causal_reads', text('none')]]],
    ['SET sluice.causal_wait_ms = 50;', [['causal_wait_ms', text('50')]]],
    ['SET @@session.sluice.causal_wait_ms = -1', [['causal_wait_ms', text('-1')]]],
    [
      "SET sluice.min_gtid = '0-1-5,1-2-7', @@local.sluice.causal_reads = DEFAULT",
      [
        ['min_gtid', text('0-1-5,1-2-7')],
        ['causal_reads', { kind: 'default' }],
      ],
    ],
    [
      'SET sluice.min_gtid = ?, sluice.causal_wait_ms = ?',
      [
        ['min_gtid', { kind: 'parameter', index: 0 }],
        ['causal_wait_ms', { kind: 'parameter', index: 1 }],
      ],
    ],
    ['SET sluice.min_gtid = NULL', [['min_gtid', { kind: 'null' }]]],
    ["SET sluice.min_gtid = 'it''s'", [['min_gtid', text("it's")]]],
    ['SET sluice.min_gtid = @x', null],
    ['SET sluice.min_gtid = CONCAT(1)', null],
    ['SET sluice.causal_wait_ms = 1 + 1', null],
    ['SET sluice.min_gtid', null],
    ['SET sluice.min_gtid =', null],
    ['SET autocommit = 1, sluice.min_gtid = 1', null],
    ['SET sluice.min_gtid = 1, autocommit = 1', null],
    ['SET @a = 1, @@sluice.min_gtid = 1', null],
    ['SET @a = @@sluice.min_gtid', null],
    ['SET STATEMENT sluice.x = 1 FOR SELECT 1', null],
  ];
  for (const [sql, expected] of table) {
    const found = parse(sql);
    const pairs =
      found?.kind === 'set' ? found.assignments.map(({ variable, value }) => [variable, value]) : null;
    t.same(pairs, expected, sql);
    t.ok(isOwn(sql) || sql.startsWith('SET STATEMENT'), `named: ${sql}`);
  }
  t.match(parse('SET GLOBAL sluice.x = 1'), { assignments: [{ variable: 'x', isGlobal: true }] });
  t.match(parse('SET @@global.sluice.x = 1'), { assignments: [{ variable: 'x', isGlobal: true }] });
  t.match(parse('SET sluice.a = ?, sluice.b = ?'), { parameters: 2 });
  t.match(parse('SET sluice.a = "table"', ANSI), { assignments: [{ value: text('table') }] });
});

t.test('what is none of them', async (t) => {
  for (const sql of [
    "SELECT '@@sluice.x'",
    'SELECT sluice.x FROM sluice',
    'SELECT @@sluice',
    'SELECT @@session.autocommit',
    'SELECT @sluice.x',
    'SET @sluice = 1',
    'SET @@hot.key_buffer_size = 1',
    'UPDATE sluice SET sluice.x = 1',
    'SET @x = (SELECT MAX(sluice.x) FROM sluice)',
    'INSERT INTO sluice.t VALUES (1)',
    '/* @@sluice.x */ SELECT 1',
  ])
    t.notOk(isOwn(sql), sql);
});

t.test('no bytes make it throw', async () => {
  const piece = fc.constantFrom(
    ...[
      'SELECT',
      'SET',
      ' ',
      '@@',
      'sluice',
      '.',
      'x',
      '=',
      ',',
      "'",
      '"',
      '`',
      '?',
      'AS',
      'LIMIT',
      '1',
      '-',
      ';',
    ],
    ...['session', 'global', 'FROM', 'DUAL', '(', ')', '/*', '*/', '\\', '\0', '\xff'],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const buf = Buffer.from(pieces.join(''), 'latin1');
      for (const context of [MARIADB, ANSI]) {
        const found = parseOwnStatement(buf, 0, buf.length, context);
        const own = classify(buf, 0, buf.length, context).ownVariables;
        // What is understood is never sent to a server.
        if (found !== null && !own) return false;
      }
      return true;
    }),
    { seed: 20_261_121, numRuns: 5000 },
  );
});
