<?php
// mysqli as applications use it: multi_query, prepared statements, asynchronous queries, change_user, warnings.

require __DIR__ . '/../transcript.php';

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function connect(string $prefix = ''): mysqli
{
    $db = mysqli_init();
    $db->options(MYSQLI_OPT_INT_AND_FLOAT_NATIVE, 1);
    $db->options(MYSQLI_INIT_COMMAND, 'SET NAMES utf8mb4');
    $db->real_connect($prefix . getenv('APP_HOST'), getenv('APP_USER'), getenv('APP_PASSWORD'), getenv('APP_SCHEMA'), (int) getenv('APP_PORT'));
    $db->set_charset('utf8mb4');
    return $db;
}

foreach (['', 'p:'] as $prefix) {
    say('connection', $prefix);
    $db = connect($prefix);
    $db->query('DROP TABLE IF EXISTS item');
    $db->query('CREATE TABLE item (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20) NOT NULL, price DECIMAL(12,4), data LONGBLOB) CHARSET utf8mb4');
    several($db);
    prepared($db);
    transactions($db);
    state($db);
    $db->close();
}
several_at_once();
say('end');

function several(mysqli $db): void
{
    $db->multi_query("INSERT INTO item (name) VALUES ('a'), ('b'); SELECT LAST_INSERT_ID() AS id; SELECT * FROM item; UPDATE item SET price = id; SELECT ROW_COUNT() AS n, FOUND_ROWS() AS f");
    do {
        $result = $db->store_result();
        say('result', $result === false ? [$db->affected_rows, $db->insert_id, $db->info] : [$result->fetch_all(MYSQLI_ASSOC), $result->num_rows, fields($result)]);
    } while ($db->more_results() && $db->next_result());
    $db->multi_query('SELECT 1; SELECT nope; SELECT 3');
    say('first', $db->store_result()->fetch_all());
    say('second fails', failure(fn () => $db->next_result()));
    say('goes on', $db->query('SELECT COUNT(*) AS n FROM item')->fetch_assoc());
}

function fields(mysqli_result $result): array
{
    return array_map(fn ($field) => [$field->name, $field->orgname, $field->table, $field->type, $field->flags, $field->charsetnr, $field->decimals, $field->length, $field->max_length], $result->fetch_fields());
}

function prepared(mysqli $db): void
{
    $insert = $db->prepare('INSERT INTO item (name, price, data) VALUES (?, ?, ?)');
    $name = 'x';
    $price = 1.25;
    $data = null;
    $insert->bind_param('sdb', $name, $price, $data);
    foreach ([10, 100_000] as $size) {
        $insert->send_long_data(2, str_repeat('é', $size));
        $insert->send_long_data(2, bytes());
        $insert->execute();
        say('long data', $insert->affected_rows, $insert->insert_id);
    }
    $insert->reset();
    $name = str_repeat('too long', 5);
    say('too long', failure(fn () => $insert->execute()));
    $insert->close();
    $find = $db->prepare('SELECT id, name, price, LENGTH(data) AS bytes, MD5(data) FROM item WHERE id > ? ORDER BY id');
    foreach ([0, 2, 100] as $low) {
        $find->bind_param('i', $low);
        $find->execute();
        say('by get_result', $find->get_result()->fetch_all(MYSQLI_NUM));
    }
    $find->execute([1]);
    $find->store_result();
    $find->bind_result($id, $name, $price, $bytes, $hash);
    $rows = [];
    while ($find->fetch()) {
        $rows[] = [$id, $name, $price, $bytes, $hash];
    }
    say('by bind_result', $find->num_rows, $rows, $find->param_count, $find->field_count);
    $find->free_result();
    $cursor = $db->prepare('SELECT a.id FROM item a, item b ORDER BY a.id, b.id');
    $cursor->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
    $cursor->execute();
    $cursor->bind_result($id);
    $ids = [];
    while ($cursor->fetch()) {
        $ids[] = $id;
    }
    say('cursor', $ids);
    $cursor->close();
    say('execute_query', $db->execute_query('SELECT ? AS a, ? AS b', [EMOJI, 5])->fetch_assoc());
}

function transactions(mysqli $db): void
{
    $db->begin_transaction(MYSQLI_TRANS_START_READ_WRITE, 'name');
    $db->query("INSERT INTO item (name) VALUES ('t')");
    $db->savepoint('one');
    $db->query('DELETE FROM item');
    say('inside', $db->query('SELECT COUNT(*) FROM item')->fetch_row());
    $db->query('ROLLBACK TO one');
    $db->release_savepoint('one');
    $db->commit();
    $db->autocommit(false);
    $db->query('DELETE FROM item');
    $db->rollback();
    $db->autocommit(true);
    say('left', $db->query('SELECT name FROM item ORDER BY id')->fetch_all());
    $db->begin_transaction(MYSQLI_TRANS_START_READ_ONLY);
    say('read only', failure(fn () => $db->query('DELETE FROM item')));
    $db->commit();
}

function state(mysqli $db): void
{
    $db->query("SET sql_mode = ''");
    $db->query("INSERT INTO item (name) VALUES ('far too long for this column')");
    say('warning', $db->warning_count, $db->get_warnings()->message, $db->insert_id > 0);
    $db->query('SELECT 1/0, CAST("x" AS SIGNED)');
    say('warnings', $db->query('SHOW WARNINGS')->fetch_all());
    $db->query('SET @x = 5, time_zone = "+05:00"');
    say('state', $db->query('SELECT @x, @@time_zone, @@sql_mode')->fetch_row());
    say('changed', $db->change_user(getenv('APP_USER'), getenv('APP_PASSWORD'), getenv('APP_SCHEMA')));
    say('state', $db->query('SELECT @x, @@time_zone = @@global.time_zone, @@sql_mode = @@global.sql_mode')->fetch_row());
    say('wrong schema', failure(fn () => $db->select_db('nothing')));
    $db->select_db(getenv('APP_SCHEMA'));
    $db->set_charset('latin1');
    say('latin1', bin2hex($db->query("SELECT 'é' AS e, _utf8mb4 x'C3A9' AS f")->fetch_row()[1]), $db->character_set_name());
    $db->set_charset('utf8mb4');
    $db->query('CREATE TEMPORARY TABLE scratch SELECT id FROM item');
    say('temporary', $db->query('SELECT COUNT(*) > 0 FROM scratch')->fetch_row());
    say('ping', $db->ping(), is_string($db->stat()), $db->protocol_version);
    say('escape', $db->real_escape_string("a'b\"c\\d\n\0é"));
    say('lock', $db->query("SELECT GET_LOCK('app php', 0), IS_FREE_LOCK('app php other'), RELEASE_LOCK('app php')")->fetch_row());
}

function several_at_once(): void
{
    $all = [connect(), connect(), connect(), connect()];
    foreach ($all as $n => $one) {
        $one->query("SELECT $n AS n, SLEEP(0.05) AS s", MYSQLI_ASYNC);
    }
    $answers = [];
    while (count($answers) < count($all)) {
        $read = $error = $reject = $all;
        mysqli_poll($read, $error, $reject, 5);
        foreach ($read as $one) {
            $n = array_search($one, $all, true);
            $answers[$n] ??= $one->reap_async_query()->fetch_assoc();
        }
    }
    ksort($answers);
    say('asynchronous', $answers);
    $use = $all[0]->query('SELECT a.n FROM (SELECT 1 AS n UNION SELECT 2) a', MYSQLI_USE_RESULT);
    say('first row', $use->fetch_row(), failure(fn () => $all[0]->query('SELECT 1')));
    $use->free();
}
