/** The tables of a ProxySQL that runs, read on its admin port. */
import { readFileSync } from 'node:fs';
import type { Connection, ConnectionOptions, FieldPacket } from 'mysql2/promise';
import { isLoopback } from '../../../config/default-password.ts';
import { formatAddress } from '../../../config/server-address.ts';
import type { SqlValue } from '../../common/admin-tables/admin-table.ts';
import {
  DEFAULT_DATADIR,
  type ProxySqlSource,
  type SourceRow,
  type SourceVariable,
} from './proxysql-source.ts';
import { FOREIGN_TABLES, KNOWN_TABLES } from './source-tables.ts';

/** Where ProxySQL has what it is configured to do. */
export const SourceLayer = { memory: 'memory', runtime: 'runtime', disk: 'disk' } as const;
export type SourceLayer = (typeof SourceLayer)[keyof typeof SourceLayer];

export interface LiveAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly layer: SourceLayer;
  /** PEM file of the authority that signs the port's certificate; null: no TLS. */
  readonly ca: string | null;
  /** The operator has said that nobody can listen on the way. */
  readonly insecure: boolean;
}

/** Says which port, and why it cannot be asked; never the password. */
export class LiveSourceError extends Error {
  override readonly name = 'LiveSourceError';
}

const TIMEOUT_MS = 10_000;
const QUERY_TIMEOUT_MS = 60_000;
const VARIABLES = 'global_variables';
const NO_PROXYSQL = 'this is no admin port of ProxySQL';

function connectOptions({ host, port, username, password, ca, insecure }: LiveAddress): ConnectionOptions {
  if (ca === null && !insecure && !isLoopback(host))
    throw new LiveSourceError(
      `${formatAddress(host, port)}: the answers hold passwords; beyond this machine give --ca FILE for TLS, or --insecure`,
    );
  const login = { host, port, user: username, password, connectTimeout: TIMEOUT_MS };
  if (ca === null) return login;
  try {
    return { ...login, ssl: { ca: readFileSync(ca, 'utf8'), rejectUnauthorized: true } };
  } catch (error) {
    throw new LiveSourceError(`${ca}: the file cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

class AdminReader {
  readonly #connection: Connection;
  readonly #layer: SourceLayer;

  constructor(connection: Connection, layer: SourceLayer) {
    this.#connection = connection;
    this.#layer = layer;
  }

  async #rows(sql: string): Promise<{ columns: string[]; rows: SqlValue[][] }> {
    const [rows, fields] = (await this.#connection.query({
      sql,
      rowsAsArray: true,
      timeout: QUERY_TIMEOUT_MS,
      typeCast: (field: { string: () => string | null }) => field.string(),
    })) as unknown as [SqlValue[][], FieldPacket[]];
    return { columns: fields.map(({ name }) => name), rows };
  }

  #nameOf(table: string): string {
    switch (this.#layer) {
      case SourceLayer.memory:
        return table;
      case SourceLayer.runtime:
        return `runtime_${table}`;
      case SourceLayer.disk:
        return `disk.${table}`;
    }
  }

  async #names(): Promise<Set<string>> {
    const { rows } = await this.#rows(
      this.#layer === SourceLayer.disk ? 'SHOW TABLES FROM disk' : 'SHOW TABLES',
    );
    return new Set(rows.map(([name]) => String(name)));
  }

  async tables(): Promise<Map<string, readonly SourceRow[]>> {
    const present = await this.#names();
    const tables = new Map<string, readonly SourceRow[]>();
    for (const table of [...KNOWN_TABLES, ...FOREIGN_TABLES, VARIABLES]) {
      const name = this.#nameOf(table);
      if (!present.has(name.replace(/^disk\./, ''))) continue;
      const { columns, rows } = await this.#rows(`SELECT * FROM ${name}`);
      tables.set(
        table,
        rows.map((row) => ({
          values: new Map(columns.map((column, at) => [column, row[at] ?? null])),
          place: '',
        })),
      );
    }
    return tables;
  }
}

function variablesOf(rows: readonly SourceRow[]): Map<string, SourceVariable> {
  return new Map(
    rows.map(({ values }) => [
      String(values.get('variable_name') ?? ''),
      { value: String(values.get('variable_value') ?? ''), place: '' },
    ]),
  );
}

/** @throws LiveSourceError */
export async function readLiveSource(address: LiveAddress): Promise<ProxySqlSource> {
  const where = formatAddress(address.host, address.port);
  const options = connectOptions(address);
  const { default: mysql } = await import('mysql2/promise');
  let connection: Connection | null = null;
  try {
    connection = await mysql.createConnection(options);
    const tables = await new AdminReader(connection, address.layer).tables();
    const variables = tables.get(VARIABLES);
    if (variables === undefined) throw new LiveSourceError(`${where}: ${NO_PROXYSQL}`);
    tables.delete(VARIABLES);
    return {
      name: `${address.layer} of ${where}`,
      tables,
      variables: variablesOf(variables),
      others: [],
      datadir: DEFAULT_DATADIR,
      holdsDefaults: true,
    };
  } catch (error) {
    if (error instanceof LiveSourceError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    // ProxySQL's tables are there without one.
    if (code === 'ER_NO_DB_ERROR') throw new LiveSourceError(`${where}: ${NO_PROXYSQL}`);
    throw new LiveSourceError(`${where} cannot be asked (${message || code})`);
  } finally {
    connection?.destroy();
  }
}
