/** A schema in which much belongs together, and writes to it. */

import { ServerFlavor } from '../../../src/topology/server-description.ts';

/** Names with case, dashes and letters that file names encode. */
export const SCHEMA: readonly string[] = [
  'CREATE DATABASE d',
  'CREATE DATABASE `D-2`',
  ...['a', 'b', 'c', 'log', 'log2', 'plain', 'Mixed'].map(
    (table) => `CREATE TABLE d.${table} (id INT PRIMARY KEY, x INT, y INT) ENGINE=InnoDB`,
  ),
  'CREATE TABLE `D-2`.`other t` (id INT PRIMARY KEY, x INT, y INT) ENGINE=InnoDB',
  'CREATE TABLE d.history (id INT PRIMARY KEY, x INT)',
  'CREATE TABLE d.quick (id INT PRIMARY KEY, x INT)',
  'CREATE TABLE d.parent (id INT PRIMARY KEY, u INT UNIQUE) ENGINE=InnoDB',
  'CREATE TABLE d.child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE) ENGINE=InnoDB',
  'CREATE TABLE `D-2`.`größe` (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES d.child (id) ON DELETE SET NULL) ENGINE=InnoDB',
  'CREATE TABLE d.nullified (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (u) ON UPDATE CASCADE ON DELETE SET NULL) ENGINE=InnoDB',
  'CREATE TABLE d.strict (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id)) ENGINE=InnoDB',
  'CREATE TABLE d.part (id INT PRIMARY KEY, x INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (100))',
  'CREATE TABLE d.m1 (x INT) ENGINE=MyISAM',
  'CREATE TABLE d.m2 (x INT) ENGINE=MyISAM',
  'CREATE TABLE d.merged (x INT) ENGINE=MERGE UNION=(d.m1, d.m2) INSERT_METHOD=LAST',
  'CREATE FUNCTION d.writes(v INT) RETURNS INT DETERMINISTIC BEGIN INSERT INTO d.log (id) VALUES (v + 100000); RETURN v; END',
  'CREATE PROCEDURE d.p(v INT) BEGIN UPDATE d.a SET x = v; DELETE FROM d.b; END',
  'CREATE VIEW d.v AS SELECT id, x, y FROM d.a',
  'CREATE VIEW d.vv AS SELECT id, x FROM d.v WHERE id < 1000',
  'CREATE VIEW d.joined AS SELECT a.id, a.x, b.y FROM d.a a JOIN d.b b ON a.id = b.id',
  'CREATE VIEW d.calls AS SELECT d.writes(id) AS n FROM d.plain',
  'CREATE TRIGGER d.t1 AFTER INSERT ON d.b FOR EACH ROW INSERT INTO log (id, x) VALUES (NEW.id + 1000, 1) ON DUPLICATE KEY UPDATE x = x + 1',
  `CREATE TRIGGER d.t2 BEFORE UPDATE ON d.c FOR EACH ROW
   BEGIN
     DECLARE n INT DEFAULT 0;
     SELECT COUNT(*) INTO n FROM plain;
     IF (NEW.x > n) THEN
       UPDATE log2 l SET l.x = NEW.x WHERE l.id = 1;
     ELSEIF (NEW.x = 0) THEN DELETE FROM log2 WHERE id = 2;
     END IF;
     SET NEW.y = IF(NEW.x > 1, REPLACE('1', '1', '2'), 3);
   END`,
  'CREATE TRIGGER d.t3 AFTER DELETE ON d.log FOR EACH ROW UPDATE `D-2`.`other t` SET x = OLD.id',
  'CREATE TRIGGER d.t4 AFTER INSERT ON d.Mixed FOR EACH ROW SET @seen = d.writes(NEW.id)',
];

/** Rows that every write meets. */
export const ROWS: readonly string[] = [
  ...['d.a', 'd.b', 'd.c', 'd.log2', 'd.plain', '`D-2`.`other t`'].map(
    (table) => `INSERT INTO ${table} (id, x) VALUES (1, 10), (2, 20), (3, 30)`,
  ),
  'INSERT INTO d.log (id, x) VALUES (1, 10), (2, 20) ON DUPLICATE KEY UPDATE x = VALUES(x)',
  'INSERT INTO d.history VALUES (1, 1), (2, 2)',
  'INSERT INTO d.quick VALUES (1, 1), (2, 2)',
  'INSERT INTO d.parent VALUES (1, 1), (2, 2), (3, 3)',
  'INSERT INTO d.child VALUES (1, 1), (2, 2)',
  'INSERT INTO `D-2`.`größe` VALUES (1, 1), (2, 2)',
  'INSERT INTO d.nullified VALUES (1, 1), (2, 2)',
  'INSERT INTO d.part VALUES (1, 1), (50, 50)',
  'INSERT INTO d.m1 VALUES (1)',
];

/** Each runs on the rows above, in the schema d. */
export const WRITES: readonly string[] = [
  'INSERT INTO a (id) VALUES (10)',
  'INSERT INTO a SELECT id + 10, x, y FROM plain',
  'REPLACE INTO parent VALUES (1, 7)',
  'INSERT INTO parent VALUES (1, 1) ON DUPLICATE KEY UPDATE u = 9',
  'INSERT INTO b (id) VALUES (10), (11)',
  'INSERT INTO d.b SET id = (SELECT MAX(id) + 20 FROM plain)',
  'INSERT INTO v (id, x) VALUES (10, 1)',
  'INSERT INTO joined (id, x) VALUES (10, 1)',
  'INSERT INTO part PARTITION (p1) VALUES (60, 1)',
  'INSERT INTO merged VALUES (5)',
  'INSERT INTO a (id) VALUES (writes(40))',
  'INSERT INTO a (id) SELECT n + 50 FROM calls',
  'INSERT INTO Mixed (id) VALUES (1)',
  'UPDATE a SET x = x + 1',
  'UPDATE vv SET x = x + 1',
  'UPDATE joined SET y = 5',
  'UPDATE joined SET x = 6',
  'UPDATE c SET x = x + 1',
  'UPDATE a, b SET a.x = b.id',
  'UPDATE a JOIN b USING (id) SET b.x = a.id',
  'UPDATE a s JOIN b t ON s.id = t.id SET s.y = 4, t.y = 5',
  'UPDATE a s JOIN a t ON s.id = t.id + 1 SET t.y = 4',
  'UPDATE b a JOIN a b ON a.id = b.id SET a.y = 9',
  'UPDATE a, b SET b.y = 6, d.a.y = 7 WHERE a.id = b.id',
  'UPDATE a JOIN `D-2`.`other t` o ON a.id = o.id SET o.y = 1',
  'UPDATE (a JOIN b ON a.id = b.id) SET b.y = 8',
  'UPDATE a JOIN (SELECT MAX(id) m FROM plain) g ON a.id = g.m SET a.y = 1',
  'UPDATE parent SET u = u + 100',
  'UPDATE history, quick SET quick.x = 9 WHERE history.id = quick.id',
  'DELETE FROM a WHERE id = 1',
  'DELETE FROM parent WHERE id = 1',
  'DELETE a FROM a JOIN b ON a.id = b.id',
  'DELETE s.*, t FROM a AS s JOIN b t ON s.id = t.id WHERE s.id = 1',
  'DELETE FROM t USING b AS t JOIN a ON a.id = t.id',
  'DELETE FROM d.a, d.b USING d.a JOIN d.b ON a.id = b.id',
  'DELETE FROM log WHERE id = 1',
  'DELETE FROM vv WHERE id = 2',
  'DELETE QUICK FROM plain ORDER BY id LIMIT 1',
  'DELETE FROM part PARTITION (p0)',
  'DELETE FROM a WHERE writes(id + 500) > 0',
  'CALL p(77)',
  'DO writes(900)',
  'SET @x = writes(901)',
  'SELECT writes(902)',
  'SELECT n FROM calls LIMIT 1 FOR UPDATE',
  'BEGIN; UPDATE a SET x = 99; UPDATE plain SET x = 98; COMMIT',
  'UPDATE a SET x = 5; CALL p(78)',
  '/*!50000 UPDATE a SET x = 123 */',
];

/** Of one of the two. */
export const OWN_WRITES: Readonly<Record<ServerFlavor, readonly string[]>> = {
  [ServerFlavor.mariadb]: [
    'CREATE TABLE made SELECT * FROM plain',
    'CREATE TABLE made2 (id INT PRIMARY KEY) AS SELECT id FROM a UNION SELECT id + 10 FROM b',
    'INSERT INTO a (id) WITH w AS (SELECT id + 30 AS id FROM plain) SELECT id FROM w',
    'DELETE FROM a WHERE id = 1 RETURNING id, (SELECT COUNT(*) FROM b)',
    'INSERT INTO a (id) VALUES (61) RETURNING id',
    'SET STATEMENT max_statement_time = 10 FOR UPDATE b SET x = 4',
    "EXECUTE IMMEDIATE 'UPDATE a SET x = 41'",
    'BEGIN NOT ATOMIC UPDATE a SET x = 42; DELETE FROM c; END',
    'UPDATE a SET x = 7 ORDER BY id LIMIT 1 /*M!100000 */',
  ],
  [ServerFlavor.mysql]: ['UPDATE a SET x = 3 /*!80000 , y = writes(5) */ /*!50700 , y = 4 */'],
};

/** Those of which it cannot be told what they write. */
export const MAY_WRITE_ANYTHING: ReadonlySet<string> = new Set([
  'INSERT INTO merged VALUES (5)',
  'INSERT INTO a (id) VALUES (writes(40))',
  'INSERT INTO a (id) SELECT n + 50 FROM calls',
  'INSERT INTO Mixed (id) VALUES (1)',
  'DELETE FROM a WHERE writes(id + 500) > 0',
  'CALL p(77)',
  'DO writes(900)',
  'SET @x = writes(901)',
  'SELECT writes(902)',
  'SELECT n FROM calls LIMIT 1 FOR UPDATE',
  'UPDATE a SET x = 5; CALL p(78)',
  'UPDATE a SET x = 3 /*!80000 , y = writes(5) */ /*!50700 , y = 4 */',
  "EXECUTE IMMEDIATE 'UPDATE a SET x = 41'",
  'BEGIN NOT ATOMIC UPDATE a SET x = 42; DELETE FROM c; END',
]);
