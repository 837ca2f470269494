/** The tables of a run: rows (id, grp, n), where n is the version that the row's writer has given it. */

export const SHARED_TABLES = ['a', 'p', 'm', 'b', 'c', 'd', 'e', 'u', 'r'] as const;
export type SharedTable = (typeof SHARED_TABLES)[number];

/** Nothing follows from a change of one of their rows. */
export const ROW_TABLES: readonly SharedTable[] = ['a', 'a', 'p', 'u', 'r'];

/** Neighbours that are read together; two writers' rows. */
export const GROUP_SIZE = 4;
export const ROWS_PER_CHAIN = 2;

export function groupOf(id: number): number {
  return Math.floor(id / GROUP_SIZE);
}

export function keyOf(id: number): string {
  return `Key${id}`;
}

const COLUMNS = 'id INT NOT NULL PRIMARY KEY, grp INT NOT NULL, n BIGINT NOT NULL, KEY (grp)';
const REPLACE_NOTE = 'REPLACE INTO app.e (id, grp, n) VALUES (NEW.id, NEW.grp, NEW.n)';

/** For every server: each may become the primary. */
export const SERVER_OPTIONS: readonly string[] = [
  '--log-bin-trust-function-creators=1',
  '--innodb-buffer-pool-size=64M',
  // A wait for a row and one for a table can wait for each other, and no server sees that.
  '--innodb-lock-wait-timeout=1',
  '--lock-wait-timeout=2',
];

/**
 * To be run as root on the primary.
 * @param writers so many that begin with rows of their own need no DDL
 */
export function schemaStatements(writers: number): readonly string[] {
  const own = Array.from({ length: writers }, (_, n) => privateTableStatements(n + 1)).flat();
  return [...sharedObjects(), 'USE app', ...own];
}

function sharedObjects(): readonly string[] {
  return [
    `CREATE TABLE app.a (${COLUMNS})`,
    `CREATE TABLE app.p (${COLUMNS}) PARTITION BY HASH (id) PARTITIONS 3`,
    `CREATE TABLE app.m (${COLUMNS}) ENGINE=MyISAM`,
    `CREATE TABLE app.b (${COLUMNS}, UNIQUE KEY (id, n))`,
    `CREATE TABLE app.c (${COLUMNS}, KEY (id, n), FOREIGN KEY (id, n) REFERENCES app.b (id, n) ON UPDATE CASCADE ON DELETE CASCADE)`,
    `CREATE TABLE app.d (${COLUMNS})`,
    `CREATE TABLE app.e (${COLUMNS})`,
    `CREATE TABLE app.u (${COLUMNS}, k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL, UNIQUE KEY (k))`,
    // Of each writer one row: another one takes its place.
    `CREATE TABLE app.r (${COLUMNS}, k INT NOT NULL, UNIQUE KEY (k))`,
    `CREATE TRIGGER app.d_insert AFTER INSERT ON app.d FOR EACH ROW ${REPLACE_NOTE}`,
    `CREATE TRIGGER app.d_update AFTER UPDATE ON app.d FOR EACH ROW ${REPLACE_NOTE}`,
    'CREATE TRIGGER app.d_delete AFTER DELETE ON app.d FOR EACH ROW DELETE FROM app.e WHERE id = OLD.id',
    'CREATE VIEW app.va AS SELECT id, grp, n FROM app.a',
    'CREATE VIEW app.vv AS SELECT id, grp, n FROM app.va WHERE n > 0',
    'CREATE VIEW app.vbc AS SELECT b.id AS id, b.grp AS grp, b.n AS bn, c.n AS cn FROM app.b LEFT JOIN app.c ON c.id = b.id',
    'CREATE VIEW app.ve AS SELECT id, grp, n FROM app.e',
    'CREATE PROCEDURE app.set_a(i INT, g INT, v BIGINT) REPLACE INTO app.a (id, grp, n) VALUES (i, g, v)',
    `CREATE PROCEDURE app.set_both(i INT, g INT, v BIGINT)
     BEGIN
       START TRANSACTION;
       REPLACE INTO app.a (id, grp, n) VALUES (i, g, v);
       REPLACE INTO app.p (id, grp, n) VALUES (i, g, v);
       COMMIT;
     END`,
    `CREATE FUNCTION app.change_a(i INT, v BIGINT) RETURNS INT DETERMINISTIC MODIFIES SQL DATA
     BEGIN UPDATE app.a SET n = v WHERE id = i; RETURN 1; END`,
  ];
}

/** A writer's own tables, which it truncates, renames and alters; and a view that it replaces. */
export function privateTableStatements(chain: number): readonly string[] {
  const columns = 'id INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL';
  return [
    `CREATE TABLE s${chain} (${columns}) PARTITION BY HASH (id) PARTITIONS 2`,
    `CREATE TABLE t${chain} LIKE s${chain}`,
    `CREATE TABLE i${chain} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, n BIGINT NOT NULL)`,
    `CREATE VIEW w${chain} AS SELECT 1 AS id, 0 AS n FROM a WHERE 1 = 0`,
  ];
}
