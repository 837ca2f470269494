/** A small bookshop on Sequelize: models, migrations, relations, transactions, locks, a pool. */

import { createHash } from 'node:crypto';
import { DataTypes, Op, QueryTypes, type Sequelize, Transaction } from 'sequelize';
import { BYTES, EMOJI, failure, LONG_TEXT, range, say, sync } from '../transcript.ts';
import { connect, defineModels, type Models, type Row } from './models.ts';

const sequelize = connect(1);
const models = defineModels(sequelize);

await migrate();
await createReadUpdateDelete();
await values();
await relations();
await transactions();
await failures();
await rawQueries();
await sequelize.close();
await sync();
const pooled = connect(6);
await concurrency(pooled, defineModels(pooled));
await sync();
await reports(pooled, defineModels(pooled));
await pooled.close();
say('end');

function plain(rows: Row | readonly Row[] | null): unknown {
  if (rows === null) return null;
  return Array.isArray(rows)
    ? rows.map((row: Row) => row.get({ plain: true }))
    : (rows as Row).get({ plain: true });
}

async function migrate(): Promise<void> {
  say('authenticate', await sequelize.authenticate());
  await sequelize.sync({ force: true });
  const schema = sequelize.getQueryInterface();
  await schema.addColumn('authors', 'country', { type: DataTypes.STRING(2), defaultValue: 'CZ' });
  await schema.renameColumn('authors', 'country', 'land');
  await schema.changeColumn('authors', 'land', { type: DataTypes.STRING(3), allowNull: true });
  await schema.addIndex('authors', ['land', 'born'], { name: 'authors_land_born' });
  await schema.addConstraint('books', { type: 'unique', fields: ['title', 'authorId'], name: 'one_title' });
  say('tables', (await schema.showAllTables()).toSorted());
  for (const table of ['authors', 'books', 'book_tags', 'specimens']) {
    say(`describe ${table}`, await schema.describeTable(table));
    say(`indexes ${table}`, await schema.showIndex(table));
  }
  say('foreign keys', await schema.getForeignKeyReferencesForTable('book_tags'));
  await schema.removeIndex('authors', 'authors_land_born');
  await schema.removeColumn('authors', 'land');
  await sequelize.sync({ alter: true });
  say('described again', await schema.describeTable('authors'));
}

async function createReadUpdateDelete(): Promise<void> {
  const { Author, Book, Tag } = models;
  const author = await Author.create({ name: 'Karel Čapek', born: '1890-01-09' });
  say('created', plain(author));
  const authors = await Author.bulkCreate(
    range(30).map((n) => ({ name: `author ${n}`, born: `19${n + 10}-01-02` })),
  );
  say('bulk created', plain(authors));
  say('count', await Author.count());
  say('update', await Author.update({ born: null }, { where: { name: { [Op.like]: 'author 2%' } } }));
  say(
    'found',
    plain(await Author.findAll({ where: { born: null }, order: [['id', 'DESC']], limit: 5, offset: 1 })),
  );
  say(
    'found and counted',
    (await Author.findAndCountAll({ where: { id: { [Op.gt]: 10 } }, limit: 3 })).count,
  );
  say('find or create', (await Author.findOrCreate({ where: { name: 'author 7' } }))[1]);
  say('find or create', (await Author.findOrCreate({ where: { name: 'someone new' } }))[1]);
  say('upsert', (await Tag.upsert({ slug: 'drama', uses: 3 }))[1]);
  say('upsert', (await Tag.upsert({ slug: 'drama', uses: 9 }))[1]);
  const many = range(5).map((n) => ({ slug: `tag${n}`, uses: n }));
  await Tag.bulkCreate(many);
  await Tag.bulkCreate([...many.map(({ slug }) => ({ slug, uses: 70 })), { slug: 'tag6', uses: 6 }], {
    updateOnDuplicate: ['uses'],
  });
  await Tag.bulkCreate(many, { ignoreDuplicates: true });
  say('tags', plain(await Tag.findAll({ order: ['slug'] })));
  say('increment', (await Tag.increment({ uses: 5 }, { where: { slug: 'tag1' } }))[0]);
  say('sum', [await Tag.sum('uses'), await Tag.max('uses'), await Tag.min('slug')]);
  say('destroyed', await Tag.destroy({ where: { slug: ['tag2', 'tag3'] } }));
  await author.update({ name: 'Karel Čapek (1890)' });
  say('reloaded', plain(await author.reload()));
  const book = await Book.create({ title: 'R.U.R.', price: '12.5', authorId: author.get('id') });
  const stale = await Book.findByPk(book.get('id') as string);
  await book.update({ price: '13.75' });
  say('stale version', await failure(async () => stale?.update({ price: '1' })));
  say('book', plain(await book.reload()));
}

async function values(): Promise<void> {
  const { Specimen } = models;
  const id = '6f9619ff-8b86-d011-b42d-00cf4fc964ff';
  await Specimen.create({
    id,
    json: { text: EMOJI, list: [1, 2.5, null, true], deep: { a: { b: [] } } },
    at: new Date('2024-03-31T01:59:59.123Z'),
    day: '2024-02-29',
    clock: '23:59:58',
    amount: '12345678901234567890.0123456789',
    huge: '18446744073709551615',
    real: 0.1 + 0.2,
    kind: 'großer',
    bytes: BYTES,
    text: LONG_TEXT,
    short: EMOJI,
  });
  const read = await Specimen.findByPk(id);
  const { text, ...rest } = (read as Row).get({ plain: true }) as { text: string };
  say('values', { ...rest, text: createHash('sha256').update(text).digest('hex'), length: text.length });
  say('by emoji', await Specimen.count({ where: { short: EMOJI } }));
  say('by date', await Specimen.count({ where: { at: { [Op.lt]: new Date('2024-03-31T02:00:00Z') } } }));
  say('by bytes', await Specimen.count({ where: { bytes: BYTES } }));
  await Specimen.update({ json: null, bytes: null, at: null }, { where: { id } });
  say('nulls', await Specimen.findByPk(id, { attributes: ['json', 'bytes', 'at'], raw: true }));
}

async function relations(): Promise<void> {
  const { Author, Book, Tag } = models;
  const author = await Author.create(
    { name: 'Božena', books: range(4).map((n) => ({ title: `Babička ${n}`, price: n * 1.1 })) },
    { include: [Book] },
  );
  const books = await call<Row[]>(author, 'getBooks', { order: ['id'] });
  say('lazy', plain(books));
  for (const [index, book] of books.entries()) {
    await call(book, 'setTags', ['drama', ...(index % 2 === 0 ? ['tag1'] : [])]);
  }
  await call(books[0] as Row, 'addTag', 'tag4');
  await call(books[1] as Row, 'removeTag', 'drama');
  say('has', await call(books[0] as Row, 'hasTag', 'tag4'));
  const include = [{ model: Book, include: [{ model: Tag, through: { attributes: [] } }] }];
  const order = [
    [Book, 'id', 'ASC'],
    [Book, Tag, 'slug', 'ASC'],
  ] as never;
  say('eager', plain(await Author.findOne({ where: { name: 'Božena' }, include, order })));
  const separate = [{ model: Book, separate: true, order: [['title', 'DESC']] as never }];
  say('eager, separate', plain(await Author.findAll({ include: separate, where: { name: 'Božena' } })));
  say(
    'through',
    plain(await Tag.findAll({ include: [{ model: Book, where: { title: 'Babička 1' } }], order: ['slug'] })),
  );
  await author.destroy();
  say('cascade', await Book.count({ where: { title: { [Op.like]: 'Babička%' } } }));
}

/** The methods that associations add are not known to the types. */
function call<T = unknown>(row: Row, method: string, ...args: unknown[]): Promise<T> {
  return (row[method] as (...args: unknown[]) => Promise<T>).apply(row, args);
}

async function transactions(): Promise<void> {
  const { Counter } = models;
  await Counter.create({ name: 'a', value: 0 });
  await sequelize.transaction(async (transaction) => {
    await Counter.update({ value: 1 }, { where: { name: 'a' }, transaction });
    say('inside', plain(await Counter.findByPk('a', { transaction })));
  });
  const rolledBack = sequelize.transaction(async (transaction) => {
    await Counter.update({ value: 99 }, { where: { name: 'a' }, transaction });
    throw new Error('changed my mind');
  });
  say('rolled back', await failure(() => rolledBack));
  say('after rollback', plain(await Counter.findByPk('a')));
  await sequelize.transaction(async (outer) => {
    await Counter.create({ name: 'outer', value: 1 }, { transaction: outer });
    const inner = sequelize.transaction({ transaction: outer }, async (transaction) => {
      await Counter.create({ name: 'inner', value: 2 }, { transaction });
      await Counter.create({ name: 'inner', value: 3 }, { transaction });
    });
    say('savepoint', await failure(() => inner));
    await sequelize.transaction({ transaction: outer }, async (transaction) => {
      await Counter.create({ name: 'second', value: 4 }, { transaction });
    });
  });
  say('after savepoints', plain(await Counter.findAll({ order: ['name'] })));
  for (const isolationLevel of Object.values(Transaction.ISOLATION_LEVELS)) {
    await sequelize.transaction({ isolationLevel }, async (transaction) => {
      const rows = await sequelize.query("SHOW VARIABLES LIKE 't%_isolation'", { transaction });
      say(isolationLevel, [rows[0], await Counter.count({ transaction })]);
    });
  }
  const unmanaged = await sequelize.transaction();
  await Counter.increment('value', { by: 10, where: { name: 'a' }, transaction: unmanaged });
  await unmanaged.commit();
  say('unmanaged', plain(await Counter.findByPk('a')));
}

async function failures(): Promise<void> {
  const { Author, Book } = models;
  say('duplicate', await failure(() => Author.create({ name: 'author 1' })));
  say('no such parent', await failure(() => Book.create({ title: 'x', authorId: 4711 })));
  say('null', await failure(() => sequelize.query('INSERT INTO authors (name) VALUES (NULL)')));
  say('syntax', await failure(() => sequelize.query('SELEC 1')));
  say('no table', await failure(() => sequelize.query('SELECT * FROM nothing')));
  say('still there', await Author.count());
}

async function rawQueries(): Promise<void> {
  const type = QueryTypes.SELECT;
  const replacements = { ids: [1, 2, 3], name: "o'author %", when: new Date('2020-02-02T20:20:02Z') };
  say(
    'replacements',
    await sequelize.query(
      'SELECT :name AS name, :when AS at, id FROM authors WHERE id IN (:ids) ORDER BY id',
      { replacements, type },
    ),
  );
  for (const id of [1, 2, '3']) {
    const bind = { id, like: 'a%', long: LONG_TEXT.slice(0, 3000) };
    say(
      'bind',
      await sequelize.query(
        'SELECT id, name, LENGTH($long) AS bytes FROM authors WHERE id > $id AND name LIKE $like ORDER BY id LIMIT 2',
        { bind, type },
      ),
    );
  }
  say(
    'raw insert',
    await sequelize.query("INSERT INTO tags (slug, uses) VALUES ('raw', 1), ('raw2', 2)", {
      type: QueryTypes.INSERT,
    }),
  );
  say(
    'raw update',
    await sequelize.query("UPDATE tags SET uses = uses + 1 WHERE slug LIKE 'raw%'", {
      type: QueryTypes.UPDATE,
    }),
  );
  say('show', await sequelize.query('SHOW CREATE TABLE counters'));
}

async function concurrency(sequelize: Sequelize, { Counter, Tag }: Models): Promise<void> {
  const add = async (n: number): Promise<void> => {
    await sequelize.transaction(async (transaction) => {
      const row = await Counter.findByPk('a', { transaction, lock: Transaction.LOCK.UPDATE });
      await row?.update({ value: (row.get('value') as number) + n }, { transaction });
    });
    await Tag.create({ slug: `job ${n}`, uses: n });
  };
  await Promise.all(range(24).map(add));
  const holder = await sequelize.transaction();
  await Counter.findByPk('a', { transaction: holder, lock: true });
  const waiting = sequelize.transaction(async (transaction) => {
    await sequelize.query('SET SESSION innodb_lock_wait_timeout = 1', { transaction });
    await Counter.findByPk('a', { transaction, lock: transaction.LOCK.UPDATE });
  });
  say('lock wait', await failure(() => waiting));
  await holder.rollback();
}

/** Reads of sessions that have written nothing for a while, many at a time. */
async function reports(sequelize: Sequelize, { Author, Counter, Tag }: Models): Promise<void> {
  say('counter', plain(await Counter.findByPk('a')));
  const found = range(40).map(async (n) => [
    await Author.findAll({ where: { id: n }, raw: true }),
    await Tag.findByPk(`job ${n}`, { raw: true }),
    await sequelize.query('SELECT COUNT(*) AS n, SUM(uses) AS s FROM tags WHERE uses > ?', {
      replacements: [n],
      type: QueryTypes.SELECT,
    }),
  ]);
  say('reports', await Promise.all(found));
}
