<?php
// PDO as applications use it: emulated and native prepares, buffered and not, transactions, several results.

require __DIR__ . '/../transcript.php';

function connect(array $options = []): PDO
{
    $dsn = 'mysql:host=' . getenv('APP_HOST') . ';port=' . getenv('APP_PORT') . ';dbname=' . getenv('APP_SCHEMA') . ';charset=utf8mb4';
    return new PDO($dsn, getenv('APP_USER'), getenv('APP_PASSWORD'), $options + [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
        PDO::MYSQL_ATTR_LOCAL_INFILE => true,
    ]);
}

$KINDS = [
    'emulated' => [PDO::ATTR_EMULATE_PREPARES => true],
    'native' => [PDO::ATTR_EMULATE_PREPARES => false],
    'native, typed' => [PDO::ATTR_EMULATE_PREPARES => false, PDO::ATTR_STRINGIFY_FETCHES => false],
    'unbuffered' => [PDO::ATTR_EMULATE_PREPARES => false, PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => false],
    'persistent' => [PDO::ATTR_PERSISTENT => true],
    'found rows' => [PDO::MYSQL_ATTR_FOUND_ROWS => true, PDO::MYSQL_ATTR_INIT_COMMAND => "SET NAMES utf8mb4, sql_mode='ANSI,TRADITIONAL', time_zone='+03:00'"],
];

foreach ($KINDS as $kind => $options) {
    say('kind', $kind);
    $db = connect($options);
    work($db, $kind === 'found rows');
    $db = null;
}
say('end');

function work(PDO $db, bool $isAnsi): void
{
    $db->exec('DROP TABLE IF EXISTS item');
    $db->exec('CREATE TABLE item (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100), price DECIMAL(12,4), at DATETIME(6), data BLOB, text LONGTEXT, real_ DOUBLE, flag BIT(1), kind ENUM(\'a\',\'č\')) CHARSET utf8mb4');
    $insert = $db->prepare('INSERT INTO item (name, price, at, data, text, real_, flag, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    foreach ([[EMOJI, '12.5', '2024-03-31 01:59:59.123456', bytes(), longText(), 0.1 + 0.2, 1, 'č'], [null, null, null, null, null, null, null, null]] as $row) {
        foreach ($row as $index => $value) {
            $type = $value === null ? PDO::PARAM_NULL : ($index === 6 ? PDO::PARAM_BOOL : ($index === 3 ? PDO::PARAM_LOB : PDO::PARAM_STR));
            $insert->bindValue($index + 1, $value, $type);
        }
        $insert->execute();
        say('inserted', $insert->rowCount(), $db->lastInsertId());
    }
    $rows = $db->query('SELECT id, name, price, at, data, real_, flag, kind, MD5(text) AS text FROM item ORDER BY id')->fetchAll();
    say('rows', $rows);
    $find = $db->prepare('SELECT id, LENGTH(text) AS bytes FROM item WHERE name = :name OR id = :id');
    foreach ([[EMOJI, 1], ['x', 2], ['y', 3]] as [$name, $id]) {
        $find->execute(['name' => $name, 'id' => $id]);
        say('found', $find->fetch(), $find->fetch(), $find->columnCount(), meta($find));
        $find->closeCursor();
    }
    $db->beginTransaction();
    $db->exec("UPDATE item SET name = 'changed' WHERE id = 1");
    say('in transaction', $db->inTransaction());
    $db->exec('SAVEPOINT one');
    $db->exec('DELETE FROM item');
    $db->exec('ROLLBACK TO one');
    $db->commit();
    $db->beginTransaction();
    $db->exec('DELETE FROM item');
    $db->rollBack();
    say('left', $db->query('SELECT name FROM item ORDER BY id')->fetchAll(PDO::FETCH_COLUMN));
    say('not changed', $db->exec("UPDATE item SET name = 'changed' WHERE id = 1"));
    if ($db->getAttribute(PDO::ATTR_EMULATE_PREPARES)) {
        $several = $db->query('SELECT 1 AS one; SELECT 2 AS two, 3 AS three; SELECT name FROM item ORDER BY id');
        do {
            say('one of several', $several->fetchAll());
        } while ($several->nextRowset());
        $several = null;
    }
    $db->exec('DROP PROCEDURE IF EXISTS give');
    $db->exec("CREATE PROCEDURE give(IN a INT, OUT b INT) BEGIN SELECT a; SELECT name FROM item ORDER BY id; SET b = a * 2; END");
    $call = $db->prepare('CALL give(?, @b)');
    $call->execute([21]);
    do {
        say('called', $call->columnCount() > 0 ? $call->fetchAll() : null);
    } while ($call->nextRowset());
    $call = null;
    say('out', $db->query('SELECT @b AS b')->fetchAll());
    say('duplicate', failure(fn () => $db->exec('INSERT INTO item (id) VALUES (1)')), $db->errorInfo()[0]);
    say('syntax', failure(fn () => $db->query('SELEC 1')));
    say('bad prepare', failure(fn () => $db->prepare('SELECT nope FROM item')->execute()));
    say('quoted', $db->quote("o'clock \\ \x00 é"), $db->query('SELECT ' . $db->quote("o'clock \\ é") . ' AS q')->fetchColumn());
    say('attributes', [PDO::ATTR_SERVER_VERSION => explode('-', $db->getAttribute(PDO::ATTR_SERVER_VERSION))[0], PDO::ATTR_AUTOCOMMIT => $db->getAttribute(PDO::ATTR_AUTOCOMMIT)]);
    say('mode', $db->query('SELECT @@sql_mode, @@time_zone, @@collation_connection')->fetchAll(PDO::FETCH_NUM));
    if ($isAnsi) {
        say('ansi', $db->query('SELECT "name" || \'!\' AS "x" FROM "item" WHERE "id" = 1')->fetchAll());
    }
    $lines = tempnam(sys_get_temp_dir(), 'app');
    file_put_contents($lines, "10\tten\n11\televen\n");
    say('loaded', $db->exec('LOAD DATA LOCAL INFILE ' . $db->quote($lines) . ' INTO TABLE item (id, name)'));
    unlink($lines);
    $db->setAttribute(PDO::ATTR_AUTOCOMMIT, 0);
    $db->exec('DELETE FROM item');
    $db->exec('ROLLBACK');
    $db->setAttribute(PDO::ATTR_AUTOCOMMIT, 1);
    say('into objects', $db->query('SELECT id, name FROM item ORDER BY id')->fetchAll(PDO::FETCH_OBJ));
    say('grouped', $db->query('SELECT name, id FROM item ORDER BY id')->fetchAll(PDO::FETCH_GROUP | PDO::FETCH_COLUMN));
    $many = $db->query('SELECT a.id FROM item a, item b, item c, item d');
    for ($count = 0; $many->fetch() !== false; $count++);
    say('many', $count);
}

function meta(PDOStatement $statement): array
{
    return array_map(fn ($index) => $statement->getColumnMeta($index), range(0, $statement->columnCount() - 1));
}
