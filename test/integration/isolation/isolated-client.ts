import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Limiter } from './limiter.ts';
import { LOCALES, randomChange, SCHEMAS, type SessionModel, TIME_ZONES } from './session-model.ts';

export interface IsolatedClientOptions {
  readonly id: number;
  readonly user: string;
  readonly random: SeededRandom;
  readonly connect: (schema: string) => Promise<Connection>;
  /** Sections that hold a server connection for several statements: fewer than the pool has, so that none starves. */
  readonly holding: Limiter;
  readonly report: (violation: string) => void;
}

type Row = readonly unknown[];

/** A session that changes its state at random and, at every step, checks that it sees its own and nobody else's. */
export class IsolatedClient {
  readonly #options: IsolatedClientOptions;
  readonly #random: SeededRandom;
  #connection: Connection | null = null;
  #model: SessionModel | null = null;
  #defaults: SessionModel | null = null;
  #rows = 0;
  operations = 0;
  /** What was last sent, for the report of a client that hangs. */
  doing = 'not started';

  constructor(options: IsolatedClientOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  async run(operations: number): Promise<void> {
    await this.#open();
    for (let count = 0; count < operations; count++) {
      await this.#operation();
      this.operations++;
    }
    this.doing = 'ending';
    await this.#connection?.end();
    this.doing = 'done';
  }

  async #operation(): Promise<void> {
    const choice = this.#random.below(100);
    if (choice < 20) return this.#change();
    if (choice < 50) return this.#checkState();
    if (choice < 62) return this.#checkBehaviour();
    if (choice < 72) return this.#checkTable();
    if (choice < 76) return this.#checkNothingForeign();
    return this.#options.holding.run(() => this.#hold(choice));
  }

  /** What keeps a server connection for the session until it is over. */
  async #hold(choice: number): Promise<void> {
    if (choice < 81) return this.#insert();
    if (choice < 86) return this.#transaction();
    if (choice < 89) return this.#temporaryTable();
    if (choice < 92) return this.#userVariable();
    if (choice < 94) return this.#warnings();
    if (choice < 96) return this.#userLock();
    if (choice < 98) return this.#prepared();
    if (choice < 99) return this.#changeUser();
    return this.#die();
  }

  async #change(): Promise<void> {
    const model = this.#state();
    if (this.#random.below(4) === 0) {
      model.schema = this.#random.pick(SCHEMAS);
      await this.#query(`USE ${model.schema}`);
      return;
    }
    await this.#query(randomChange(this.#random, model));
  }

  async #checkState(): Promise<void> {
    const model = this.#state();
    const [row] = await this.#query(
      'SELECT @@time_zone, @@group_concat_max_len, @@sql_mode, @@lc_time_names, @@character_set_client, DATABASE(), ' +
        'CURRENT_USER(), @@autocommit',
    );
    const expected = [
      model.timeZone,
      model.groupConcatMaxLen,
      model.sqlMode,
      model.lcTimeNames,
      model.characterSet,
      model.schema,
      `${this.#options.user}@%`,
      1,
    ];
    this.#equal('state', row, expected);
  }

  /** Statements whose answers depend on the state, on servers that may be replicas. */
  async #checkBehaviour(): Promise<void> {
    const model = this.#state();
    const [row] = await this.#query(
      "SELECT HOUR(FROM_UNIXTIME(86400)), DATE_FORMAT('2024-05-01', '%M'), LENGTH(GROUP_CONCAT(text)), '1' || '0' FROM long_texts",
    );
    const hour = TIME_ZONES[model.timeZone as keyof typeof TIME_ZONES];
    const pipes = model.sqlMode.includes('PIPES_AS_CONCAT') ? '10' : 1;
    const month = LOCALES[model.lcTimeNames as keyof typeof LOCALES];
    this.#equal('behaviour', row, [Number(hour), month, Math.min(model.groupConcatMaxLen, 2501), pipes]);
    const quoted = await this.#query('SELECT "name" FROM whoami');
    this.#equal('quotes', quoted[0], [model.sqlMode.includes('ANSI_QUOTES') ? model.schema : 'name']);
  }

  async #checkTable(): Promise<void> {
    const rows = await this.#query('SELECT name FROM whoami');
    this.#equal('schema of a table', rows[0], [this.#state().schema]);
  }

  /** Nothing that another session holds: no temporary table, no user variable, no uncommitted row. */
  async #checkNothingForeign(): Promise<void> {
    this.#equal('user variable', (await this.#query('SELECT @who'))[0], [null]);
    const rows = await this.#query(`SELECT owner FROM iso_a.journal WHERE committed = 0 LIMIT 1`);
    this.#equal('uncommitted rows of others', rows[0], undefined);
    await this.#expectError('SELECT owner FROM scratch', 1146);
  }

  async #insert(): Promise<void> {
    const { id } = this.#options;
    const [result] = await this.#live().query(
      `INSERT INTO iso_a.journal (owner, committed) VALUES (${id}, 1)`,
    );
    this.#rows++;
    const { insertId } = result as { insertId: number };
    if (this.#random.below(2) === 0) await this.#checkTable();
    this.#equal('LAST_INSERT_ID', (await this.#query('SELECT LAST_INSERT_ID() AS x'))[0], [insertId]);
    await this.#checkOwnRows();
  }

  async #checkOwnRows(): Promise<void> {
    const [row] = await this.#query(`SELECT COUNT(*) FROM iso_a.journal WHERE owner = ${this.#options.id}`);
    this.#equal('own rows', row, [this.#rows]);
  }

  async #transaction(): Promise<void> {
    const { id } = this.#options;
    await this.#query(this.#random.pick(['BEGIN', 'START TRANSACTION', 'START TRANSACTION READ WRITE']));
    const [result] = await this.#live().query(
      `INSERT INTO iso_a.journal (owner, committed) VALUES (${id}, 0)`,
    );
    const count = `SELECT COUNT(*) FROM iso_a.journal WHERE owner = ${id}`;
    this.#equal('rows in the transaction', (await this.#query(count))[0], [this.#rows + 1]);
    await this.#checkState();
    if (this.#random.below(2) === 0) {
      await this.#query('ROLLBACK');
    } else {
      const { insertId } = result as { insertId: number };
      await this.#query(`UPDATE iso_a.journal SET committed = 1 WHERE id = ${insertId}`);
      await this.#query('COMMIT');
      this.#rows++;
    }
    await this.#checkOwnRows();
  }

  async #temporaryTable(): Promise<void> {
    const { id } = this.#options;
    await this.#query('CREATE TEMPORARY TABLE scratch (owner INT)');
    await this.#query(`INSERT INTO scratch VALUES (${id})`);
    await this.#checkTable();
    this.#equal('temporary table', await this.#query('SELECT owner FROM scratch'), [[id]]);
    await this.#query('DROP TEMPORARY TABLE scratch');
    await this.#release();
  }

  async #userVariable(): Promise<void> {
    const { id } = this.#options;
    await this.#query(`SET @who = ${id}`);
    await this.#checkTable();
    this.#equal('own user variable', (await this.#query('SELECT @who'))[0], [id]);
    await this.#release();
  }

  async #warnings(): Promise<void> {
    const mine = `w${this.#options.id}x`;
    await this.#query(`SELECT CAST('${mine}' AS SIGNED)`);
    const rows = await this.#query('SHOW WARNINGS');
    this.#equal('one warning', rows.length, 1);
    if (!String(rows[0]?.[2]).includes(mine)) this.#violation('warning', rows[0], mine);
  }

  async #userLock(): Promise<void> {
    const name = `lock_${this.#options.id}`;
    this.#equal('lock', (await this.#query(`SELECT GET_LOCK('${name}', 0)`))[0], [1]);
    await this.#checkTable();
    this.#equal('lock is held', (await this.#query(`SELECT IS_FREE_LOCK('${name}')`))[0], [0]);
    this.#equal('unlock', (await this.#query(`SELECT RELEASE_LOCK('${name}')`))[0], [1]);
    await this.#release();
  }

  async #prepared(): Promise<void> {
    const { id } = this.#options;
    this.doing = 'COM_STMT_PREPARE';
    const statement = await this.#live().prepare('SELECT ?, name FROM whoami');
    const [rows] = await statement.execute([`p${id}`]);
    this.#equal('prepared', Object.values((rows as RowDataPacket[])[0] ?? {}), [
      `p${id}`,
      this.#state().schema,
    ]);
    await statement.close();
    await this.#release();
  }

  /** Back to the state after login, so that what could not be undone does not hold a connection for ever. */
  async #release(): Promise<void> {
    if (this.#random.below(2) === 0) return this.#changeUser();
    await this.#reopen();
  }

  async #changeUser(): Promise<void> {
    const schema = this.#random.pick(SCHEMAS);
    this.doing = 'COM_CHANGE_USER';
    // mysql2 follows SET NAMES, and would ask for the last character set here.
    await this.#live().changeUser({ database: schema, charset: 'UTF8MB4_UNICODE_CI' });
    this.#forget(schema);
    await this.#checkState();
  }

  /** The client goes away in the middle of a transaction: what it wrote must be gone for everybody. */
  async #die(): Promise<void> {
    await this.#query('BEGIN');
    await this.#query(`INSERT INTO iso_a.journal (owner, committed) VALUES (${this.#options.id}, 0)`);
    this.#live().destroy();
    await this.#open();
  }

  async #reopen(): Promise<void> {
    await this.#connection?.end();
    await this.#open();
    await this.#checkState();
  }

  async #open(): Promise<void> {
    const schema = this.#random.pick(SCHEMAS);
    this.doing = 'connecting';
    this.#connection = await this.#options.connect(schema);
    if (this.#defaults === null) this.#defaults = await this.#readDefaults(schema);
    this.#forget(schema);
  }

  #forget(schema: string): void {
    if (this.#defaults === null) throw new Error('no connection yet');
    this.#model = { ...this.#defaults, schema };
  }

  /** The same for all, for the servers are configured alike; the first client's view is checked by the test. */
  async #readDefaults(schema: string): Promise<SessionModel> {
    const [row] = await this.#query(
      'SELECT @@time_zone, @@group_concat_max_len, @@sql_mode, @@lc_time_names, @@character_set_client',
    );
    const [timeZone, groupConcatMaxLen, sqlMode, lcTimeNames, characterSet] = row as [
      string,
      number,
      string,
      string,
      string,
    ];
    return { timeZone, groupConcatMaxLen, sqlMode, lcTimeNames, characterSet, schema };
  }

  async #query(sql: string): Promise<Row[]> {
    this.doing = sql;
    const [rows] = await this.#live().query({ sql, rowsAsArray: true });
    return Array.isArray(rows) ? (rows as unknown as Row[]) : [];
  }

  async #expectError(sql: string, errno: number): Promise<void> {
    try {
      await this.#query(sql);
      this.#violation(sql, 'no error', errno);
    } catch (error) {
      const actual = (error as { errno?: number }).errno;
      if (actual !== errno) throw error;
    }
  }

  #state(): SessionModel {
    if (this.#model === null) throw new Error('no connection yet');
    return this.#model;
  }

  #live(): Connection {
    if (this.#connection === null) throw new Error('no connection yet');
    return this.#connection;
  }

  #equal(what: string, actual: unknown, expected: unknown): void {
    if (JSON.stringify(actual) !== JSON.stringify(expected)) this.#violation(what, actual, expected);
  }

  #violation(what: string, actual: unknown, expected: unknown): void {
    this.#options.report(
      `client ${this.#options.id}, operation ${this.operations}: ${what}: saw ${JSON.stringify(actual)}, own is ${JSON.stringify(expected)}`,
    );
  }
}
