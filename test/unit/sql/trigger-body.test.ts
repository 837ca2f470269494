import fc from 'fast-check';
import t from 'tap';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { triggerBodyUse } from '../../../src/sql/trigger-body.ts';

const MARIADB = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101100 });
const MYSQL = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 50729 });

/** `writes | reads`, null for anything. */
function useOf(body: string, context = MARIADB): string | null {
  const use = triggerBodyUse(body, context);
  if (use === null) return null;
  const names = (tables: typeof use.writes): string =>
    [...new Set(tables.map(({ schema, table }) => (schema === null ? table : `${schema}.${table}`)))].join(
      ' ',
    );
  return `${names(use.writes)} | ${names(use.reads)}`;
}

const LOOP = `
BEGIN
  DECLARE done, n INT DEFAULT 0;
  DECLARE c CURSOR FOR SELECT id FROM a JOIN b USING (id);
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION INSERT INTO failed (at) VALUES (NOW());
  OPEN c;
  again: LOOP
    FETCH c INTO n;
    IF (done) THEN LEAVE again; END IF;
    UPDATE t1 x JOIN t2 y ON x.id = y.id SET y.n = n WHERE x.id IN (SELECT id FROM d);
  END LOOP;
  CLOSE c;
  WHILE (n > 0) DO SET n = n - 1; DELETE FROM t3 WHERE id = n; END WHILE;
  REPEAT SET n = n + 1; UNTIL (n > 5) END REPEAT;
  CASE WHEN n = 1 THEN REPLACE INTO t4 VALUES (1); ELSE INSERT IGNORE INTO s.t5 SELECT * FROM e; END CASE;
END`;

t.test('what a body writes and reads', async (t) => {
  const table: readonly [string, string | null][] = [
    ['INSERT INTO log VALUES (NEW.id)', 'log | log'],
    ['SET NEW.a = NEW.b + 1', ' | '],
    ["SET NEW.a = REPLACE(NEW.b, 'x', INSERT('abc', 1, 1, 'y')), @n = TRUNCATE(1.5, 0)", ' | '],
    ['SET NEW.a = (SELECT MAX(a) FROM u)', ' | u'],
    ['BEGIN END', ' | '],
    ['INSERT INTO log (a) VALUES (1) ON DUPLICATE KEY UPDATE a = a + 1', 'log | log'],
    ['BEGIN SELECT 1 INTO @x FROM u FOR UPDATE; DELETE FROM t; END', 't | u t'],
    [LOOP, 'failed t2 t3 t4 s.t5 | a b failed t1 t2 d t3 t4 s.t5 e'],
    ["IF NEW.a THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'DELETE FROM t'; END IF", ' | '],
    ['IF EXISTS (SELECT 1 FROM a) THEN SET @x = 1, @y = 2; END IF', ' | a'],
    ['UPDATE `select` SET a = 1', 'select | select'],
    // Anything.
    ['CALL p()', null],
    ['SET NEW.a = f(1)', null],
    ['SET NEW.a = db.f(1)', null],
    ['INSERT INTO log VALUES (f(1))', null],
    ['SET NEW.a = NEXT VALUE FOR s', null],
    ['BEGIN INSERT INTO a VALUES (1); CALL p(); END', null],
    ['BEGIN CREATE TEMPORARY TABLE x (a INT); END', null],
    ['BEGIN DROP TEMPORARY TABLE x; END', null],
    ['UPDATE (SELECT * FROM a) d SET x = 1', null],
    ['/*!50000 INSERT INTO a VALUES (1) */', null],
    ["INSERT INTO a VALUES ('", null],
    ['SET NEW.a = (SELECT * FROM { OJ a LEFT JOIN b ON 1 })', null],
  ];
  for (const [body, expected] of table) {
    const found = useOf(body);
    if (expected === null || found === null) {
      t.equal(found, expected, body);
      continue;
    }
    const sorted = (text: string): string =>
      text
        .split(' | ')
        .map((part) => part.split(' ').sort().join(' '))
        .join(' | ');
    t.equal(sorted(found), sorted(expected), body);
  }
  t.equal(
    useOf(
      'INSERT INTO "a" VALUES (1)',
      makeLexicalContext({ charset: 'utf8mb4', sqlMode: 'ANSI_QUOTES', flavor: 'mysql', versionId: 50729 }),
    ),
    'a | a',
  );
});

t.test('whatever stands around it, a statement that writes is found', async () => {
  const gap = fc.constantFrom(' ', '\n', ' /* c */ ', '\t');
  const around = fc.constantFrom(
    ...[
      '%',
      'BEGIN % END',
      'BEGIN DECLARE x INT; %; END',
      'IF (1) THEN %; END IF',
      'IF 1 THEN %; ELSE SET @a = 1; END IF',
    ],
    ...[
      'IF 1 THEN SET @a = 1; ELSEIF (2) THEN %; ELSE %; END IF',
      'WHILE (0) DO %; END WHILE',
      'l: LOOP %; LEAVE l; END LOOP',
    ],
    ...[
      'REPEAT %; UNTIL (1) END REPEAT',
      'CASE 1 WHEN 1 THEN %; ELSE %; END CASE',
      'BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION %; END',
    ],
    ...['BEGIN SET @x = 1; %; SELECT 1 INTO @y FROM other; END', 'BEGIN SELECT (SELECT 1) INTO @x; % ; END'],
  );
  const write = fc.constantFrom(
    ...[
      'INSERT INTO target VALUES (1)',
      'REPLACE target SET a = 1',
      'DELETE FROM target',
      'UPDATE target SET a = 1',
    ],
    ...[
      'INSERT INTO target SELECT * FROM x',
      'DELETE t FROM target t JOIN x',
      'UPDATE x, target SET target.a = 1',
    ],
    ...[
      'insert into target (a) values (1) on duplicate key update a = 2',
      'delete from `target` where a in (select 1)',
    ],
  );
  fc.assert(
    fc.property(fc.array(around, { minLength: 1, maxLength: 3 }), write, gap, (frames, statement, space) => {
      let body = statement;
      for (const frame of frames) body = frame.replaceAll('%', body);
      for (const context of [MARIADB, MYSQL]) {
        const use = triggerBodyUse(body.replaceAll(' ', space), context);
        if (use === null || !use.writes.some(({ table }) => table === 'target')) return false;
      }
      return true;
    }),
    { seed: 20_261_121, numRuns: 300 },
  );
});

t.test('no bytes make it throw, and what is cut off is not taken for less', async () => {
  const context = MARIADB;
  for (let length = 0; length <= LOOP.length; length++) triggerBodyUse(LOOP.slice(0, length), context);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      triggerBodyUse(text, context);
      return true;
    }),
    { seed: 20_261_121, numRuns: 300 },
  );
});
