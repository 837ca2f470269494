/**
 * Runs one request after the other: what a request is, is in `store-messages.ts`. A request that needs rows from the
 * main thread waits for them in the middle of its transaction; nothing else runs in the meantime.
 */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SqlRow, SqlValue } from '../common/admin-tables/admin-table.ts';
import { ALL_TABLES } from '../common/admin-tables/all-tables.ts';
import {
  SLICE_WINDOW,
  type StoreInput,
  type StoreLayer,
  type StoreReply,
  type StoreRequest,
} from '../common/store-messages.ts';
import { ResultSlices } from './result-slices.ts';
import { isHiddenFromStats, type Role, type StatementPolicy } from './statement-policy.ts';
import { BEGIN, inTransaction, prepareRows, rollback, type StoreDatabase } from './store-database.ts';
import { StoreFailureError, sqliteCodeOf } from './store-failure.ts';

type Request<Kind extends StoreRequest['kind']> = Extract<StoreRequest, { kind: Kind }>;

/** What the main thread sends while a request runs. */
export interface InputSource {
  next(): Promise<StoreInput>;
}

interface Outcome {
  readonly columns: readonly string[];
  readonly slices: ResultSlices;
  readonly changes: number;
  readonly lastRowid: number | bigint;
  readonly written: readonly string[];
}

const SCHEMA_OF: Readonly<Record<StoreLayer, 'main' | 'disk'>> = { memory: 'main', disk: 'disk' };
const SQLITE_ERROR = 1;

export class StoreSession {
  readonly #store: StoreDatabase;
  readonly #input: InputSource;
  readonly #send: (reply: StoreReply) => void;

  constructor(store: StoreDatabase, input: InputSource, send: (reply: StoreReply) => void) {
    this.#store = store;
    this.#input = input;
    this.#send = send;
  }

  async run(request: Exclude<StoreRequest, { kind: 'open' }>): Promise<void> {
    await this.#answer(await this.#outcomeOf(request));
  }

  async #outcomeOf(request: Exclude<StoreRequest, { kind: 'open' }>): Promise<Outcome> {
    switch (request.kind) {
      case 'execute':
        return this.#execute(request);
      case 'read':
        return this.#read(request);
      case 'replace':
        return this.#replace(request);
      case 'copy':
        return this.#copy(request);
      case 'internal':
        return this.#internal(request);
    }
  }

  // ---- SQL of users

  async #execute(request: Request<'execute'>): Promise<Outcome> {
    const { role } = request;
    const policy = this.#prepared(request);
    const explains = /^\s*EXPLAIN\b/i.test(request.sql);
    if (policy.reads.size === 0 || explains) return this.#executed(request);
    const database = this.#store.connection(role);
    const changes = policy.writes.size > 0;
    database.exec(BEGIN);
    try {
      await this.#fill(database, [...policy.reads]);
      const outcome = this.#executed(request);
      // What was filled in has served its purpose.
      database.exec(changes ? 'COMMIT' : 'ROLLBACK');
      return outcome;
    } catch (error) {
      rollback(database);
      throw error;
    }
  }

  /** What the statement would touch. */
  #prepared(request: Request<'execute'>): StatementPolicy {
    return this.#store.underPolicy(request.role, request.context, (policy) => {
      this.#prepare(request, policy);
      return policy;
    });
  }

  #executed(request: Request<'execute'>): Outcome {
    const { role, context, parameters } = request;
    const changesBefore = this.#totalChanges(role);
    return this.#store.underPolicy(role, context, (policy) => {
      const statement = this.#prepare(request, policy);
      const slices = new ResultSlices(this.#store.limits, this.#realText(role));
      const columns = statement.columns().map(({ name }) => name);
      try {
        if (columns.length === 0) bound(statement, parameters).run();
        else for (const row of bound(statement, parameters).iterate()) slices.push(row as unknown[]);
      } catch (error) {
        // Some of what is refused is seen only when it runs.
        if (policy.refusal !== null) throw new StoreFailureError('denied', policy.refusal);
        throw error;
      }
      const changes = policy.writes.size > 0 ? this.#totalChanges(role) - changesBefore : 0;
      const lastRowid = policy.inserts && changes > 0 ? this.#lastRowid(role) : 0;
      return { columns, slices, changes, lastRowid, written: [...policy.writes] };
    });
  }

  #lastRowid(role: Role): number | bigint {
    const row = prepareRows(this.#store.connection(role), 'SELECT last_insert_rowid()').get();
    const [rowid] = row as unknown as readonly [bigint];
    return Number.isSafeInteger(Number(rowid)) ? Number(rowid) : rowid;
  }

  /** As SQLite writes them into texts, which its versions do differently: so it is asked. */
  #realText(role: Role): (value: number) => string {
    const cast = this.#store.connection(role).prepare('SELECT CAST(? AS TEXT) AS text');
    return (value) => (cast.get(value) as { text: string }).text;
  }

  #totalChanges(role: Role): number {
    const row = this.#store.connection(role).prepare('SELECT total_changes() AS changes').get();
    return Number((row as { changes: number }).changes);
  }

  #prepare({ sql, role }: Request<'execute'>, policy: StatementPolicy): StatementSync {
    try {
      return prepareRows(this.#store.connection(role), sql);
    } catch (error) {
      if (policy.needsDisk) this.#store.assertDiskWritable();
      if (policy.refusal !== null) throw new StoreFailureError('denied', policy.refusal);
      const hidden = role === 'stats' ? hiddenTable(error) : null;
      if (hidden !== null) throw new StoreFailureError('denied', `'${hidden}' needs an admin user`);
      throw error;
    }
  }

  async #fill(database: DatabaseSync, tables: readonly string[]): Promise<void> {
    for (const table of tables) database.exec(`DELETE FROM ${table}`);
    this.#send({ kind: 'need', tables });
    await this.#insertRows(database);
  }

  // ---- layers

  #read({ layer, tables }: Request<'read'>): Outcome {
    const schema = this.#schemaFor(layer);
    const database = this.#store.connection('admin');
    const slices = new ResultSlices(this.#store.limits, asNumber);
    inTransaction(database, () => {
      for (const [index, table] of tables.entries()) {
        if (index > 0) slices.nextTable();
        const columns = columnsOf(table);
        const order = columns.map((_, position) => position + 1).join(', ');
        const statement = prepareRows(
          database,
          `SELECT ${nameList(columns)} FROM ${schema}.${table} ORDER BY ${order}`,
        );
        for (const row of bound(statement, []).iterate()) slices.push(row as unknown[]);
      }
    });
    return { columns: [], slices, changes: 0, lastRowid: 0, written: [] };
  }

  async #replace({ layer, tables }: Request<'replace'>): Promise<Outcome> {
    const schema = this.#writableSchemaFor(layer);
    const database = this.#store.connection('admin');
    database.exec(BEGIN);
    try {
      for (const table of tables) database.exec(`DELETE FROM ${schema}.${table}`);
      await this.#insertRows(database, schema);
      database.exec('COMMIT');
    } catch (error) {
      rollback(database);
      throw error;
    }
    return nothing(this.#store);
  }

  #copy({ from, to, tables }: Request<'copy'>): Outcome {
    const source = this.#schemaFor(from);
    const target = this.#writableSchemaFor(to);
    const database = this.#store.connection('admin');
    inTransaction(database, () => {
      for (const table of tables) {
        const columns = nameList(columnsOf(table));
        database.exec(`DELETE FROM ${target}.${table}`);
        database.exec(
          `INSERT INTO ${target}.${table} (${columns}) SELECT ${columns} FROM ${source}.${table}`,
        );
      }
    });
    return nothing(this.#store);
  }

  #internal({ statements }: Request<'internal'>): Outcome {
    const database = this.#store.connection('admin');
    let slices = new ResultSlices(this.#store.limits, asNumber);
    let columns: readonly string[] = [];
    inTransaction(database, () => {
      for (const { sql, parameters = [] } of statements) {
        slices = new ResultSlices(this.#store.limits, asNumber);
        const statement = prepareRows(database, sql);
        columns = statement.columns().map(({ name }) => name);
        for (const row of bound(statement, parameters).iterate()) slices.push(row as unknown[]);
      }
    });
    return { columns, slices, changes: 0, lastRowid: 0, written: [] };
  }

  #schemaFor(layer: StoreLayer): 'main' | 'disk' {
    if (layer === 'disk') this.#store.assertDisk();
    return SCHEMA_OF[layer];
  }

  #writableSchemaFor(layer: StoreLayer): 'main' | 'disk' {
    if (layer === 'disk') this.#store.assertDiskWritable();
    return SCHEMA_OF[layer];
  }

  // ---- rows from the main thread, and to it

  async #insertRows(database: DatabaseSync, schema?: string): Promise<void> {
    const inserts = new Map<string, StatementSync>();
    for (;;) {
      const input = await this.#input.next();
      if (input.kind === 'endOfRows') return;
      if (input.kind === 'abort') throw new StoreFailureError('sql', input.reason);
      if (input.kind !== 'rows') continue;
      const name = schema === undefined ? input.table : `${schema}.${input.table}`;
      const insert = inserts.get(name) ?? prepareInsert(database, name);
      inserts.set(name, insert);
      for (const row of input.rows) insert.run(...(row.map(storable) as SqlValue[]));
    }
  }

  async #answer({ slices, ...rest }: Outcome): Promise<void> {
    const all = slices.take();
    for (const [index, bytes] of all.entries()) {
      if (index >= SLICE_WINDOW) await this.#input.next();
      this.#send({ kind: 'slice', bytes });
    }
    for (let left = Math.min(SLICE_WINDOW, all.length); left > 0; left -= 1) await this.#input.next();
    this.#send({ kind: 'done', rowCount: slices.rowCount, ...rest });
  }
}

const asNumber = (value: number): number => value;

function nothing(store: StoreDatabase): Outcome {
  return {
    columns: [],
    slices: new ResultSlices(store.limits, asNumber),
    changes: 0,
    lastRowid: 0,
    written: [],
  };
}

/** The table that SQLite misses, when it is one that only admin users may see. */
function hiddenTable(error: unknown): string | null {
  if (sqliteCodeOf(error) !== SQLITE_ERROR) return null;
  const name = /^no such table: (.+)$/.exec((error as Error).message)?.[1];
  return name !== undefined && isHiddenFromStats(name) ? name : null;
}

interface BoundStatement {
  run(): { changes: number | bigint };
  iterate(): Iterable<unknown>;
}

function bound(statement: StatementSync, parameters: readonly SqlValue[]): BoundStatement {
  return {
    run: () => statement.run(...parameters),
    iterate: () => statement.iterate(...parameters),
  };
}

function columnsOf(table: string): readonly string[] {
  const found = ALL_TABLES.find(({ name }) => name === table);
  if (found === undefined) throw new StoreFailureError('sql', `no such table: ${table}`);
  return found.columns;
}

function nameList(columns: readonly string[]): string {
  return columns.map((name) => `"${name}"`).join(', ');
}

function prepareInsert(database: DatabaseSync, table: string): StatementSync {
  const columns = columnsOf(table.slice(table.indexOf('.') + 1));
  const places = columns.map(() => '?').join(', ');
  return database.prepare(`INSERT INTO ${table} (${nameList(columns)}) VALUES (${places})`);
}

/** A provider that answers with a boolean, or leaves a value out, means what everybody would take it for. */
function storable(value: SqlRow[number] | boolean | undefined): SqlValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value ?? null;
}
