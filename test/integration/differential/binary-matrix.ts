/**
 * Cases of the binary protocol for every type, made from test/spec/binary/matrix.yaml:
 *
 * - `read <column>`: rows of each column type, whole, by cursor, with metadata, and compared with parameters
 * - `write <column> from <family>`: each parameter of the family goes into the column, and what is there is read back
 * - `parameters as <expression> from <family>`: parameters whose types change from one execution to the next
 *
 * Writes go to a MyISAM table, where sessions that work side by side have no deadlocks; each has an owner of its own.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Parameter, parameterSchema } from './binary-value.ts';

const serverName = z.enum(['mariadb', 'mysql57']);
type ServerName = z.output<typeof serverName>;

const matrixSchema = z.strictObject({
  columns: z.record(
    z.string(),
    z.strictObject({
      type: z.string(),
      servers: z.array(serverName).default(['mariadb', 'mysql57']),
      values: z.array(z.string()),
    }),
  ),
  families: z.record(z.string(), z.array(parameterSchema)),
  expressions: z.record(z.string(), z.string()),
  mariadbExpressions: z.record(z.string(), z.string()),
});

const FILE = fileURLToPath(new URL('../../spec/binary/matrix.yaml', import.meta.url));
const matrix = matrixSchema.parse(parse(readFileSync(FILE, 'utf8')));

const READ_TABLE = 'f_matrix';
const WRITE_TABLE = 'f_matrix_written';
/** A time of day becomes a date with today's date: the day must be the same in both runs. */
const FIXED_CLOCK = 'SET timestamp = 1700000000';

/** As in a YAML file, before defaults are filled in. */
export interface MadeCase {
  readonly name: string;
  readonly servers: ServerName[];
  readonly made: true;
  readonly steps: readonly unknown[];
}

/** The tables of these cases, on this kind of server. */
export function matrixTables(server: ServerName): string[] {
  const columns = Object.entries(matrix.columns).filter(([, column]) => column.servers.includes(server));
  const definitions = columns.map(([name, { type }]) => `c_${name} ${type}`).join(', ');
  const rows = Math.max(...columns.map(([, { values }]) => values.length));
  const row = (index: number): string =>
    `(${[index + 2, ...columns.map(([, { values }]) => values[index] ?? 'NULL')].join(', ')})`;
  return [
    `CREATE TABLE ${READ_TABLE} (id INT PRIMARY KEY, ${definitions})`,
    `CREATE TABLE ${WRITE_TABLE} (owner INT, n INT, ${definitions}, PRIMARY KEY (owner, n)) ENGINE = MyISAM`,
    "SET @mode = @@sql_mode, sql_mode = ''",
    `INSERT INTO ${READ_TABLE} (id) VALUES (1)`,
    `INSERT INTO ${READ_TABLE} VALUES ${Array.from({ length: rows }, (_, index) => row(index)).join(', ')}`,
    'SET sql_mode = @mode',
    // Enough rows for the servers to use the index always, and not to say sometimes that they did not.
    `INSERT INTO ${WRITE_TABLE} (owner, n) VALUES ${Array.from({ length: 100 }, (_, n) => `(0, ${n})`).join(', ')}`,
  ];
}

export function matrixCases(): MadeCase[] {
  const families = Object.entries(matrix.families);
  const columns = Object.entries(matrix.columns);
  return [
    ...columns.map(([name, column]) => readCase(name, column.servers)),
    ...columns.flatMap(([name, column]) =>
      families.map(([family, values]) => writeCase(name, column.servers, family, values)),
    ),
    ...expressionCases(matrix.expressions, ['mariadb', 'mysql57']),
    ...expressionCases(matrix.mariadbExpressions, ['mariadb']),
  ];
}

function readCase(column: string, servers: ServerName[]): MadeCase {
  const name = `c_${column}`;
  const compared = Object.values(matrix.families).map((values) => values[0] as Parameter);
  const steps = [
    FIXED_CLOCK,
    { open: { as: 'all', sql: `SELECT ${name} FROM ${READ_TABLE} ORDER BY id` } },
    { execute: { stmt: 'all' } },
    { execute: { stmt: 'all', flags: 1 } },
    { fetch: { stmt: 'all', rows: 2 } },
    { execute: { stmt: 'all', flags: 1 } },
    { fetch: { stmt: 'all', rows: 1 } },
    { fetch: { stmt: 'all', rows: 100 } },
    { fetch: { stmt: 'all', rows: 1 } },
    { close: 'all' },
    { open: { as: 'some', sql: `SELECT id, ${name} FROM ${READ_TABLE} WHERE id < ? ORDER BY id` } },
    { execute: { stmt: 'some', params: [3] } },
    { execute: { stmt: 'some', params: [1000], bound: false } },
    {
      open: {
        as: 'made',
        sql: `SELECT MAX(${name}), COUNT(${name}), HEX(${name}) FROM ${READ_TABLE} GROUP BY HEX(${name}) ORDER BY 3`,
      },
    },
    { execute: { stmt: 'made' } },
    { open: { as: 'equal', sql: `SELECT id FROM ${READ_TABLE} WHERE ${name} = ? ORDER BY id` } },
    ...compared.map((value) => ({ execute: { stmt: 'equal', params: [value] } })),
    'SHOW WARNINGS',
  ];
  return { name: `read ${column}`, servers, made: true, steps };
}

function writeCase(column: string, servers: ServerName[], family: string, values: Parameter[]): MadeCase {
  const name = `c_${column}`;
  const strict = (column.length + family.length) % 2 === 0;
  const steps = [
    ...(family === 'times' ? [FIXED_CLOCK] : []),
    ...(strict ? [] : ["SET sql_mode = ''"]),
    `DELETE FROM ${WRITE_TABLE} WHERE owner = {session}`,
    {
      open: {
        as: 'write',
        sql: `INSERT INTO ${WRITE_TABLE} (owner, n, ${name}) VALUES ({session}, ?, ?)`,
      },
    },
    ...values.map((value, index) => ({ execute: { stmt: 'write', params: [['long', index], value] } })),
    'SHOW WARNINGS',
    {
      open: {
        as: 'read',
        sql: `SELECT n, ${name} FROM ${WRITE_TABLE} FORCE INDEX (PRIMARY) WHERE owner = {session} ORDER BY n`,
      },
    },
    { execute: { stmt: 'read' } },
    { close: 'write' },
    `DELETE FROM ${WRITE_TABLE} WHERE owner = {session}`,
  ];
  return { name: `write ${column} from ${family}`, servers, made: true, steps };
}

function expressionCases(expressions: Readonly<Record<string, string>>, servers: ServerName[]): MadeCase[] {
  return Object.entries(expressions).flatMap(([name, sql]) =>
    Object.entries(matrix.families).map(([family, values]) => ({
      name: `parameters as ${name} from ${family}`,
      servers,
      made: true as const,
      steps: expressionSteps(sql, values),
    })),
  );
}

function expressionSteps(sql: string, values: Parameter[]): unknown[] {
  const placeholders = sql.split('?').length - 1;
  const params = (value: Parameter): Parameter[] => Array.from({ length: placeholders }, () => value);
  return [
    FIXED_CLOCK,
    { open: { as: 'it', sql } },
    ...values.map((value) => ({ execute: { stmt: 'it', params: params(value) } })),
    { execute: { stmt: 'it', params: params(values.at(-1) as Parameter), bound: false } },
    'SHOW WARNINGS',
  ];
}
