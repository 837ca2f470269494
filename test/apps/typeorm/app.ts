/** A small bookshop on TypeORM: schema sync and migrations, relations, transactions, locks, a pool. */

import { createHash } from 'node:crypto';
import {
  type DataSource,
  In,
  IsNull,
  LessThan,
  Like,
  type MigrationInterface,
  type QueryRunner,
  Table,
  TableColumn,
} from 'typeorm';
import { BYTES, EMOJI, failure, LONG_TEXT, range, say, sync } from '../transcript.ts';
import {
  AuthorEntity,
  BookEntity,
  dataSource,
  ProfileEntity,
  SpecimenEntity,
  TagEntity,
} from './entities.ts';

class Counters1700000000000 implements MigrationInterface {
  name = 'Counters1700000000000';
  async up(runner: QueryRunner): Promise<void> {
    const columns = [
      { name: 'name', type: 'varchar', length: '20', isPrimary: true },
      { name: 'value', type: 'int', default: 0 },
    ];
    await runner.createTable(new Table({ name: 'counter', columns }));
    await runner.addColumn('counter', new TableColumn({ name: 'note', type: 'text', isNullable: true }));
    await runner.query("INSERT INTO counter (name, value) VALUES ('a', 0)");
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('counter');
  }
}

const shop = await dataSource(1).initialize();
await migrate();
await createReadUpdateDelete();
await values();
await relations();
await transactions();
await failures();
await queryBuilder();
await shop.destroy();
await sync();
const pooled = await dataSource(6).initialize();
await concurrency(pooled);
await sync();
await reports(pooled);
await pooled.destroy();
say('end');

async function migrate(): Promise<void> {
  await shop.synchronize(true);
  say('nothing to do', (await shop.driver.createSchemaBuilder().log()).upQueries.length);
  shop.setOptions({ migrations: [Counters1700000000000] });
  await (shop as unknown as { buildMetadatas(): Promise<void> }).buildMetadatas();
  const names = async () => (await shop.runMigrations({ transaction: 'each' })).map(({ name }) => name);
  say('migrations', [await names(), await names(), await shop.showMigrations()]);
  await shop.undoLastMigration();
  say('again', await names());
  const runner = shop.createQueryRunner();
  for (const name of ['author', 'book', 'book_tags_tag', 'counter']) {
    const table = await runner.getTable(name);
    say(`table ${name}`, {
      columns: table?.columns.map((column) => [column.name, column.type, column.length, column.isNullable]),
      keys: table?.foreignKeys.map((key) => [key.name, key.columnNames, key.onDelete]),
      indices: table?.indices.map((index) => [index.name, index.columnNames, index.isUnique]),
    });
  }
  await runner.release();
}

async function createReadUpdateDelete(): Promise<void> {
  const authors = shop.getRepository(AuthorEntity);
  const tags = shop.getRepository(TagEntity);
  say('saved', await authors.save({ name: 'Karel Čapek' }));
  say('bulk', (await authors.insert(range(30).map((n) => ({ name: `author ${n}` })))).identifiers);
  say(
    'chunks',
    (
      await authors.save(
        range(9).map((n) => ({ name: `chunk ${n}` })),
        { chunk: 4 },
      )
    ).length,
  );
  say(
    'found',
    await authors.find({ where: { name: Like('author 2%') }, order: { id: 'DESC' }, take: 3, skip: 2 }),
  );
  say('counted', await authors.findAndCount({ where: { id: LessThan(9) }, order: { id: 'ASC' }, take: 2 }));
  const updated = await authors.update({ name: 'author 1' }, { name: 'author one' });
  say('updated', updated.affected);
  say('deleted', (await authors.delete({ name: In(['author 2', 'author 3', 'nobody']) })).affected);
  await tags.upsert(
    [
      { slug: 'drama', uses: 3 },
      { slug: 'prose', uses: 4 },
    ],
    ['slug'],
  );
  await tags.upsert(
    [
      { slug: 'drama', uses: 30 },
      { slug: 'verse', uses: 5 },
    ],
    ['slug'],
  );
  say('increment', (await tags.increment({ slug: 'drama' }, 'uses', 4)).affected);
  say('tags', await tags.find({ order: { slug: 'ASC' } }));
  say('sum', [await tags.sum('uses'), await tags.average('uses'), await tags.maximum('uses')]);
  const books = shop.getRepository(BookEntity);
  const book = await books.save({ title: 'R.U.R.', price: '12.5' });
  book.price = '13.75';
  say('versioned', { ...(await books.save(book)) });
  const lock = { mode: 'optimistic', version: 1 } as const;
  say('stale version', await failure(() => books.findOne({ where: { id: book.id }, lock })));
  await books.softDelete({ id: book.id });
  say('soft', [await books.count(), await books.count({ withDeleted: true })]);
  await books.restore({ id: book.id });
  say('restored', await books.findOneBy({ id: book.id, deletedAt: IsNull() }));
}

async function values(): Promise<void> {
  const specimens = shop.getRepository(SpecimenEntity);
  const id = '6f9619ff-8b86-d011-b42d-00cf4fc964ff';
  await specimens.insert({
    id,
    json: { text: EMOJI, list: [1, 2.5, null, true], deep: { a: { b: [] } } },
    simple: ['x', 'y'],
    at: new Date('2024-03-31T01:59:59.123Z'),
    stamp: new Date('2037-12-31T23:59:59.999Z'),
    day: '2024-02-29',
    year: 2155,
    amount: '12345678901234567890.0123456789',
    huge: '18446744073709551615',
    real: 0.1 + 0.2,
    kind: 'großer',
    flags: ['a', 'č'],
    bytes: BYTES,
    text: LONG_TEXT,
    short: EMOJI,
  });
  const { text, ...rest } = await specimens.findOneByOrFail({ id });
  say('values', { ...rest, hash: createHash('sha256').update(text).digest('hex') });
  say('by emoji', await specimens.countBy({ short: EMOJI }));
  say('by date', await specimens.countBy({ at: LessThan(new Date('2024-03-31T02:00:00Z')) }));
  await specimens.update({ id }, { json: () => 'NULL', bytes: null, at: null });
  say('nulls', await specimens.findOne({ where: { id }, select: { json: true, bytes: true, at: true } }));
}

async function relations(): Promise<void> {
  const authors = shop.getRepository(AuthorEntity);
  const books = range(3).map((n) => ({
    title: `Babička ${n}`,
    price: `${n}.10`,
    tags: [{ slug: 'drama' }, ...(n === 2 ? [] : [{ slug: 'folk' }])],
  }));
  const [first] = books;
  await shop.getRepository(TagEntity).save({ slug: 'folk', uses: 1 });
  say('cascade', await authors.save({ name: 'Božena', books }));
  await shop.getRepository(ProfileEntity).save({
    motto: EMOJI,
    author: Promise.resolve(await authors.findOneByOrFail({ name: 'Božena' })),
  });
  const order = { books: { id: 'ASC', tags: { slug: 'ASC' } } } as const;
  for (const relationLoadStrategy of ['join', 'query'] as const) {
    const [found] = await authors.find({
      where: { name: 'Božena' },
      relations: { books: { tags: true } },
      order,
      relationLoadStrategy,
    });
    say(`eager by ${relationLoadStrategy}`, found?.books);
    say('lazy', (await found?.profile)?.motto);
  }
  await shop.createQueryBuilder().relation(BookEntity, 'tags').of(first).remove('folk');
  await shop.createQueryBuilder().relation(BookEntity, 'tags').of(first).add('verse');
  const withTag = { where: { tags: { slug: 'verse' } }, relations: { tags: true, author: true } } as const;
  say('by relation', await shop.getRepository(BookEntity).find(withTag));
  await authors.delete({ name: 'Božena' }).then(
    ({ affected }) => say('deleted', affected),
    (error) => say('refused', error.errno),
  );
}

async function transactions(): Promise<void> {
  const tags = shop.getRepository(TagEntity);
  await shop.transaction(async (manager) => {
    await manager.update(TagEntity, { slug: 'drama' }, { uses: 1 });
    say('inside', await manager.findOneBy(TagEntity, { slug: 'drama' }));
  });
  const rolledBack = shop.transaction('SERIALIZABLE', async (manager) => {
    await manager.update(TagEntity, { slug: 'drama' }, { uses: 99 });
    throw new Error('changed my mind');
  });
  say('rolled back', await failure(() => rolledBack));
  await shop.transaction(async (outer) => {
    await outer.insert(TagEntity, { slug: 'outer' });
    const inner = outer.transaction(async (manager) => {
      await manager.insert(TagEntity, { slug: 'inner' });
      await manager.transaction((deepest) => deepest.insert(TagEntity, { slug: 'inner' }));
    });
    say('savepoint', await failure(() => inner));
    await outer.transaction((manager) => manager.insert(TagEntity, { slug: 'second' }));
  });
  say('after savepoints', await tags.find({ order: { slug: 'ASC' } }));
  const runner = shop.createQueryRunner();
  await runner.startTransaction('READ COMMITTED');
  await runner.manager.increment(TagEntity, { slug: 'second' }, 'uses', 10);
  await runner.commitTransaction();
  await runner.startTransaction();
  await runner.manager.clear(TagEntity).catch((error) => say('truncate', error.errno));
  await runner.rollbackTransaction();
  await runner.release();
  say('by hand', await tags.findOneBy({ slug: 'second' }));
}

async function failures(): Promise<void> {
  say('duplicate', await failure(() => shop.getRepository(TagEntity).insert({ slug: 'drama' })));
  say('syntax', await failure(() => shop.query('SELEC 1')));
  say('null', await failure(() => shop.query('INSERT INTO author (name) VALUES (NULL)')));
  say(
    'no parent',
    await failure(() => shop.query("INSERT INTO book (title, version, authorId) VALUES ('x', 1, 4711)")),
  );
}

async function queryBuilder(): Promise<void> {
  const books = shop.getRepository(BookEntity);
  const query = books
    .createQueryBuilder('book')
    .leftJoinAndSelect('book.tags', 'tag')
    .where('book.price BETWEEN :low AND :high', { low: 1, high: 20 })
    .andWhere(
      (inner) =>
        `book.id IN ${inner.subQuery().select('MAX(b.id)').from(BookEntity, 'b').groupBy('b.title').getQuery()}`,
    )
    .orderBy('book.title')
    .addOrderBy('tag.slug');
  say('query', await query.getMany());
  say('raw', await query.select(['COUNT(*) AS n', 'SUM(book.price) AS total']).orderBy().getRawOne());
  const insert = shop
    .createQueryBuilder()
    .insert()
    .into(TagEntity)
    .values([{ slug: 'drama', uses: 7 }, { slug: 'zeta' }]);
  say('or update', (await insert.orUpdate(['uses'], ['slug']).execute()).raw.affectedRows);
  say('or ignore', (await insert.orIgnore().execute()).raw.warningStatus);
  const stream = await shop
    .getRepository(AuthorEntity)
    .createQueryBuilder('a')
    .orderBy('a.id')
    .limit(5)
    .stream();
  const streamed: unknown[] = [];
  for await (const row of stream) streamed.push({ ...row });
  say('stream', streamed);
  say(
    'parameters',
    await shop.query('SELECT ? AS a, ? AS b, ? AS c, LENGTH(?) AS d', [EMOJI, null, 1.5, BYTES]),
  );
}

async function concurrency(shop: DataSource): Promise<void> {
  const add = (n: number) =>
    shop.transaction(async (manager) => {
      const counter = { lock: { mode: 'pessimistic_write' }, where: { slug: 'zeta' } } as const;
      const tag = await manager.findOneOrFail(TagEntity, counter);
      await manager.update(TagEntity, { slug: 'zeta' }, { uses: tag.uses + n });
      await manager.insert(TagEntity, { slug: `job ${n}`, uses: n });
    });
  await Promise.all(range(24).map(add));
  const shared = { lock: { mode: 'pessimistic_read' }, where: { slug: 'zeta' } } as const;
  const locked = shop.transaction((manager) => manager.findOne(TagEntity, shared));
  say('shared lock', await failure(() => locked));
}

/** Reads of sessions that have written nothing for a while, many at a time. */
async function reports(shop: DataSource): Promise<void> {
  const tags = shop.getRepository(TagEntity);
  const found = range(40).map(async (n) => [
    await tags.findOneBy({ slug: `job ${n}` }),
    await shop.getRepository(AuthorEntity).find({ where: { id: n }, relations: { books: true } }),
    await tags.createQueryBuilder('t').select('COUNT(*)', 'n').where('t.uses > :n', { n }).getRawOne(),
  ]);
  say('reports', [await tags.findOneBy({ slug: 'zeta' }), ...(await Promise.all(found))]);
}
