<?php
// A small bookshop on Doctrine: schema tool, entities, DQL, transactions, locks.

require __DIR__ . '/../transcript.php';
foreach (['Doctrine/ORM', 'Doctrine/DBAL', 'Doctrine/Common', 'Doctrine/Persistence'] as $package) {
    if (is_file("/usr/share/php/$package/autoload.php")) {
        require_once "/usr/share/php/$package/autoload.php";
    }
}
require __DIR__ . '/entities/shop.php';

use Doctrine\DBAL\DriverManager;
use Doctrine\DBAL\LockMode;
use Doctrine\ORM\Configuration;
use Doctrine\ORM\EntityManager;
use Doctrine\ORM\Mapping\Driver\AttributeDriver;
use Doctrine\ORM\Proxy\ProxyFactory;
use Doctrine\ORM\Tools\SchemaTool;
use Doctrine\ORM\Tools\SchemaValidator;

foreach (['pdo_mysql', 'mysqli'] as $driver) {
    say('driver', $driver);
    schema(manager($driver));
    create_read_update_delete(manager($driver), manager($driver));
    values(manager($driver));
    relations(manager($driver));
    transactions(manager($driver));
    sync();
    reports(manager($driver));
}
say('end');

/** The server gives them in any order. */
function sorted(array $names): array
{
    sort($names);
    return $names;
}

function manager(string $driver): EntityManager
{
    $config = new Configuration();
    $config->setMetadataDriverImpl(new AttributeDriver([__DIR__ . '/entities']));
    $config->setProxyDir(sys_get_temp_dir());
    $config->setProxyNamespace('Proxies');
    $config->setAutoGenerateProxyClasses(ProxyFactory::AUTOGENERATE_EVAL);
    return new EntityManager(DriverManager::getConnection([
        'driver' => $driver,
        'host' => getenv('APP_HOST'),
        'port' => (int) getenv('APP_PORT'),
        'user' => getenv('APP_USER'),
        'password' => getenv('APP_PASSWORD'),
        'dbname' => getenv('APP_SCHEMA'),
        'charset' => 'utf8mb4',
    ], $config), $config);
}

function schema(EntityManager $em): void
{
    $tool = new SchemaTool($em);
    $classes = $em->getMetadataFactory()->getAllMetadata();
    $tool->dropSchema($classes);
    say('create', $tool->getCreateSchemaSql($classes));
    $tool->createSchema($classes);
    say('update', $tool->getUpdateSchemaSql($classes, true));
    say('valid', (new SchemaValidator($em))->validateMapping());
    $look = $em->getConnection()->createSchemaManager();
    foreach ($look->listTables() as $table) {
        say($table->getName(), array_map(fn ($one) => [$one->getName(), get_class($one->getType()), $one->getNotnull()], array_values($table->getColumns())));
        say('keys', sorted(array_map(fn ($one) => $one->onDelete() ?? 'none', $table->getForeignKeys())), sorted(array_keys($table->getIndexes())));
    }
}

function create_read_update_delete(EntityManager $em, EntityManager $other): void
{
    for ($n = 1; $n <= 30; $n++) {
        $em->persist(new Author("author $n"));
    }
    $author = new Author('Karel Čapek');
    $author->born = new DateTimeImmutable('1890-01-09');
    new Book($author, 'R.U.R.', '12.5');
    $em->persist($author);
    foreach (['drama', 'prose', 'verse'] as $n => $slug) {
        $em->persist(new Tag($slug, $n));
    }
    $em->flush();
    $em->clear();
    $author = $em->getRepository(Author::class)->findOneBy(['name' => 'Karel Čapek']);
    say('found', $author->born, $author->books->count(), $author->books[0]->price);
    say('by criteria', count($em->getRepository(Author::class)->findBy(['born' => null], ['id' => 'DESC'], 5, 2)));
    say('dql', $em->createQuery('SELECT a.id, a.name FROM Author a WHERE a.name LIKE :like ORDER BY a.id DESC')->setParameter('like', 'author 2%')->setMaxResults(3)->getArrayResult());
    say('update', $em->createQuery('UPDATE Tag t SET t.uses = t.uses + 10 WHERE t.slug <> :s')->execute(['s' => 'drama']));
    sync();
    $stale = $other->find(Book::class, $author->books[0]->id);
    $author->books[0]->price = '13.75';
    $em->flush();
    $stale->price = '1';
    say('stale', failure(fn () => $other->flush()));
    $em->remove($em->getRepository(Author::class)->findOneBy(['name' => 'author 5']));
    $em->flush();
    say('count', $em->getRepository(Author::class)->count([]));
    $em->persist(new Author('author 6'));
    say('duplicate', failure(fn () => $em->flush()));
}

function values(EntityManager $em): void
{
    $one = new Specimen();
    $one->id = '6f9619ff-8b86-d011-b42d-00cf4fc964ff';
    $one->json = ['text' => EMOJI, 'list' => [1, 2.5, null, true]];
    $one->at = new DateTimeImmutable('2024-03-31 01:59:59', new DateTimeZone('UTC'));
    $one->clock = new DateTimeImmutable('23:59:58');
    $one->amount = '12345678901234567890.0123456789';
    $one->number = 0.1 + 0.2;
    $one->flag = true;
    $one->data = bytes();
    $one->text = longText();
    $one->list = ['x', 'y'];
    $em->persist($one);
    $em->flush();
    $em->clear();
    $one = $em->find(Specimen::class, $one->id);
    say('values', $one->json, $one->at, $one->clock->format('H:i:s'), $one->amount, $one->number, $one->flag, $one->data, md5($one->text), $one->list);
}

function relations(EntityManager $em): void
{
    $tags = $em->getRepository(Tag::class)->findBy([], ['slug' => 'ASC']);
    $author = new Author('Božena');
    for ($n = 1; $n <= 4; $n++) {
        $book = new Book($author, "Babička $n", (string) ($n * 1.1));
        foreach (array_slice($tags, 0, $n % 3) as $tag) {
            $book->tags->add($tag);
        }
    }
    $em->persist($author);
    $em->flush();
    $show = fn ($books) => array_map(fn ($book) => [$book->title, $book->price, $book->author->name, $book->tags->map(fn ($tag) => $tag->slug)->toArray()], $books);
    $em->clear();
    say('lazy', $show($em->getRepository(Book::class)->findBy([], ['id' => 'ASC'])));
    $em->clear();
    say('eager', $show($em->createQuery('SELECT b, a, t FROM Book b JOIN b.author a LEFT JOIN b.tags t ORDER BY b.id')->getResult()));
    say('joined', $em->createQuery('SELECT t.slug, COUNT(b.id) AS n, SUM(b.price) AS total FROM Tag t JOIN t.books b GROUP BY t.slug ORDER BY t.slug')->getResult());
    $ids = [];
    foreach ($em->createQuery('SELECT b FROM Book b ORDER BY b.id')->toIterable() as $book) {
        $ids[] = $book->title;
    }
    say('iterated', $ids);
    $author = $em->getRepository(Author::class)->findOneBy(['name' => 'Božena']);
    $author->books->first()->tags->clear();
    $author->books->removeElement($author->books->last());
    $em->flush();
    $em->remove($author);
    $em->flush();
    say('left', $em->getRepository(Book::class)->count([]));
}

function transactions(EntityManager $em): void
{
    $db = $em->getConnection();
    $db->setNestTransactionsWithSavepoints(true);
    $em->wrapInTransaction(function (EntityManager $em) use ($db) {
        $tag = $em->find(Tag::class, 'drama', LockMode::PESSIMISTIC_WRITE);
        $tag->uses += 5;
        $em->flush();
        say('savepoint', failure(fn () => $db->transactional(function ($db) {
            $db->insert('tag', ['slug' => 'inner', 'uses' => 2]);
            $db->transactional(fn ($db) => $db->insert('tag', ['slug' => 'drama', 'uses' => 3]));
        })));
        $db->transactional(fn ($db) => $db->insert('tag', ['slug' => 'second', 'uses' => 4]));
    });
    say('rolled back', failure(fn () => $db->transactional(function ($db) {
        $db->executeStatement('UPDATE tag SET uses = 99');
        throw new RuntimeException('changed my mind');
    })));
    say('tags', $db->fetchAllKeyValue('SELECT slug, uses FROM tag ORDER BY slug'));
    $find = $db->prepare('SELECT ? AS a, id FROM author WHERE id > ? ORDER BY id LIMIT 2');
    foreach ([1, 20, 500] as $id) {
        $find->bindValue(1, EMOJI);
        $find->bindValue(2, $id);
        say('prepared', $find->executeQuery()->fetchAllAssociative());
    }
    say('lists', $db->fetchFirstColumn('SELECT id FROM author WHERE id IN (?) ORDER BY id', [[3, 1, 2]], [Doctrine\DBAL\Connection::PARAM_INT_ARRAY]));
    foreach ([1, 2, 4] as $level) {
        $db->setTransactionIsolation($level);
        say('isolation', $db->getTransactionIsolation(), $db->fetchOne('SELECT COUNT(*) FROM tag'));
    }
    say('no table', failure(fn () => $db->fetchOne('SELECT * FROM nothing')));
}

/** Reads of a session that has written nothing. */
function reports(EntityManager $em): void
{
    for ($n = 1; $n <= 20; $n++) {
        $author = $em->find(Author::class, $n);
        say('report', $author?->name, $author?->books->count(), $em->createQuery('SELECT COUNT(t) FROM Tag t WHERE t.uses > ?1')->setParameter(1, $n)->getSingleScalarResult());
    }
}
