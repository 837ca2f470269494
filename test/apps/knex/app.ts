/** A small bookshop on Knex: migrations, a query builder, transactions, streams, a pool. */

import { createHash } from 'node:crypto';
import knexOf, { type Knex } from 'knex';
import { BYTES, connectionSettings, EMOJI, failure, LONG_TEXT, range, say, sync } from '../transcript.ts';

const { username: user, ...server } = connectionSettings;
const connection = { ...server, user, charset: 'utf8mb4', dateStrings: true, multipleStatements: true };

function connect(max: number): Knex {
  return knexOf({ client: 'mysql2', connection, pool: { min: 0, max }, acquireConnectionTimeout: 60_000 });
}

/** Migrations without files. */
class Migrations implements Knex.MigrationSource<string> {
  async getMigrations(): Promise<string[]> {
    return ['1_tables', '2_more', '3_data'];
  }
  getMigrationName(name: string): string {
    return name;
  }
  async getMigration(name: string): Promise<Knex.Migration> {
    if (name === '1_tables') return { up: createTables, down: dropTables };
    if (name === '2_more') return { up: addMore, down: removeMore };
    return {
      up: (knex) => knex('counter').insert({ name: 'a', value: 0 }),
      down: (knex) => knex('counter').del(),
    };
  }
}

const db = connect(1);
await migrate();
await createReadUpdateDelete();
await values();
await transactions();
await failures();
await readInPieces();
await db.destroy();
await sync();
const pooled = connect(6);
await concurrency(pooled);
await sync();
await reports(pooled);
await pooled.destroy();
say('end');

async function createTables(knex: Knex): Promise<void> {
  await knex.schema.createTable('author', (table) => {
    table.increments();
    table.string('name', 100).notNullable().unique();
    table.timestamp('seen', { precision: 3 }).nullable();
  });
  await knex.schema.createTable('book', (table) => {
    table.bigIncrements();
    table.string('title', 190).index();
    table.decimal('price', 12, 4).defaultTo(0);
    table.integer('author_id').unsigned().references('author.id').onDelete('CASCADE');
    table.json('json');
    table.binary('bytes', 600);
    table.text('text', 'longtext');
    table.enu('kind', ['small', 'großer', '😀']);
    table.double('real');
    table.datetime('at', { precision: 6 });
    table.comment('books – knihy');
  });
}

async function dropTables(knex: Knex): Promise<void> {
  await knex.schema.dropTable('book').dropTable('author');
}

async function addMore(knex: Knex): Promise<void> {
  await knex.schema.createTable('counter', (table) => {
    table.string('name', 20).primary();
    table.integer('value').notNullable();
  });
  await knex.schema.alterTable('author', (table) => {
    table.string('land', 2).defaultTo('CZ').after('name');
    table.index(['land', 'name'], 'land_name');
  });
  await knex.schema.createView('cheap', (view) => {
    view.columns(['id', 'title']);
    view.as(knex('book').select('id', 'title').where('price', '<', 10));
  });
}

async function removeMore(knex: Knex): Promise<void> {
  await knex.schema.dropView('cheap').dropTable('counter');
  await knex.schema.alterTable('author', (table) => {
    table.dropIndex([], 'land_name');
    table.dropColumn('land');
  });
}

async function migrate(): Promise<void> {
  const migrationSource = new Migrations();
  say('up', (await db.migrate.up({ migrationSource }))[1]);
  say('latest', (await db.migrate.latest({ migrationSource }))[1]);
  say('rolled back', (await db.migrate.rollback({ migrationSource }))[1]);
  say('latest', (await db.migrate.latest({ migrationSource }))[1]);
  say('version', await db.migrate.currentVersion({ migrationSource }));
  say('tables', [await db.schema.hasTable('book'), await db.schema.hasTable('nothing')]);
  say('columns', await db('author').columnInfo());
  await db.schema.renameTable('counter', 'counters');
  await db.schema.renameTable('counters', 'counter');
}

async function createReadUpdateDelete(): Promise<void> {
  say('insert', await db('author').insert(range(30).map((n) => ({ name: `author ${n}` }))));
  await db.batchInsert(
    'book',
    range(250).map((n) => ({ title: `book ${n}`, price: n / 7, author_id: 1 + (n % 30) })),
    60,
  );
  say(
    'update',
    await db('book')
      .where('id', '<', 20)
      .update({ price: db.raw('?? * 2', ['price']) }),
  );
  say('increment', await db('book').where({ id: 7 }).increment({ price: 5 }).update({ title: 'seven' }));
  say('delete', await db('book').whereIn('author_id', [3, 4]).del());
  say(
    'upsert',
    await db('author').insert({ id: 1, name: 'author 1', land: 'DE' }).onConflict('id').merge(['land']),
  );
  say('ignored', await db('author').insert({ id: 1, name: 'x' }).onConflict().ignore());
  say(
    'join',
    await db('book as b')
      .join('author as a', 'a.id', 'b.author_id')
      .where('a.land', 'DE')
      .select('b.*')
      .orderBy('b.id')
      .limit(3),
  );
  say(
    'grouped',
    await db('book')
      .groupBy('author_id')
      .select('author_id')
      .count('* as n')
      .sum('price as total')
      .having('n', '>', 8)
      .orderBy('author_id'),
  );
  say('view', await db('cheap').count('* as n').first());
  const union = db('author')
    .select('name')
    .where('id', 1)
    .union([db('book').select('title').where('id', 7)]);
  say('union', await union.orderBy('name'));
  const nested = db.with('w', db('book').max('id as id').groupBy('author_id')).from('w').count('* as n');
  say('with', await failure(() => nested));
  say(
    'exists',
    await db('author')
      .whereExists(db('book').whereRaw('book.author_id = author.id and price > 60'))
      .pluck('id'),
  );
}

async function values(): Promise<void> {
  const json = JSON.stringify({ text: EMOJI, list: [1, 2.5, null, true] });
  const row = {
    json,
    bytes: BYTES,
    text: LONG_TEXT,
    kind: 'großer',
    real: 0.1 + 0.2,
    at: '2024-03-31 01:59:59.123456',
  };
  const [id] = await db('book').insert({ ...row, title: EMOJI });
  const found = await db('book').where({ id }).first();
  say('values', { ...found, text: createHash('sha256').update(found.text).digest('hex') });
  say('by emoji', await db('book').where({ title: EMOJI }).count('* as n'));
  say(
    'bindings',
    (await db.raw('SELECT ? AS a, :b: AS b'.replace(':b:', '?'), [EMOJI, LONG_TEXT.length]))[0],
  );
  say('many statements', (await db.raw("SET @x = 5; SELECT @x + 1 AS six; SELECT 'é' AS e"))[0]);
}

async function transactions(): Promise<void> {
  await db.transaction(async (trx) => {
    await trx('counter').update({ value: 1 });
    say('inside', await trx('counter').select());
    await trx.transaction((inner) => inner('counter').update({ value: 2 }));
    say(
      'savepoint',
      await failure(() =>
        trx.transaction(async (inner) => {
          await inner('counter').update({ value: 3 });
          await inner('counter').insert({ name: 'a', value: 4 });
        }),
      ),
    );
    say('after it', await trx('counter').select());
  });
  say(
    'rolled back',
    await failure(() =>
      db.transaction(async (trx) => {
        await trx('counter').update({ value: 99 });
        throw new Error('changed my mind');
      }),
    ),
  );
  for (const isolationLevel of ['read uncommitted', 'read committed', 'serializable'] as const) {
    await db.transaction(async (trx) => say(isolationLevel, await trx('counter').select()), {
      isolationLevel,
    });
  }
  await db.transaction(
    async (trx) =>
      say('read only', [
        await trx('counter').select(),
        await failure(() => trx('counter').update({ value: 5 })),
      ]),
    { readOnly: true },
  );
  const byHand = await db.transaction();
  await byHand('counter').increment('value', 10);
  await byHand.commit();
  say('after all', await db('counter').select());
}

async function failures(): Promise<void> {
  say('duplicate', await failure(() => db('counter').insert({ name: 'a', value: 1 })));
  say('no parent', await failure(() => db('book').insert({ author_id: 4711 })));
  say('no column', await failure(() => db('book').select('nothing')));
  say('too slow', await failure(() => db.raw('SELECT SLEEP(5)').timeout(100, { cancel: true })));
  say('still there', await db('counter').select());
}

async function readInPieces(): Promise<void> {
  let rows = 0;
  for await (const row of db('book').select('id', 'title').orderBy('id').stream({ highWaterMark: 7 }))
    rows += row.id > 0 ? 1 : 0;
  say('streamed', rows);
  for await (const row of db('book').orderBy('id').stream()) {
    say('stopped at', row.id);
    break;
  }
  say('and then', await db('book').count('* as n'));
}

async function concurrency(db: Knex): Promise<void> {
  const add = (n: number) =>
    db.transaction(async (trx) => {
      const row = await trx('counter').where({ name: 'a' }).forUpdate().first();
      await trx('counter')
        .where({ name: 'a' })
        .update({ value: row.value + n });
      await trx('counter').insert({ name: `job ${n}`, value: n });
    });
  await Promise.all(range(24).map(add));
}

/** Reads of sessions that have written nothing for a while, many at a time. */
async function reports(db: Knex): Promise<void> {
  const found = range(40).map((n) =>
    Promise.all([
      db('counter')
        .where({ name: `job ${n}` })
        .first(),
      db('book').where('author_id', n).orderBy('id').select('id', 'price'),
      db('book').count('* as n').where('price', '>', n).first(),
    ]),
  );
  say('reports', [await db('counter').where({ name: 'a' }), ...(await Promise.all(found))]);
}
