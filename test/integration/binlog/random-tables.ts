/** Tables with columns of all types in any order, and rows for them. */

import { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';

/** What a column is read as. */
export type Reading = 'signed' | 'unsigned' | 'text' | null;

export interface RandomColumn {
  readonly name: string;
  readonly definition: string;
  readonly reading: Reading;
  /** A value as SQL; null where none may be given. */
  readonly value: ((random: SeededRandom) => string) | null;
}

interface ColumnType {
  readonly sql: string;
  readonly reading?: Reading;
  readonly value: ((random: SeededRandom) => string) | null;
}

const INTEGERS = [
  ['TINYINT', 8],
  ['SMALLINT', 16],
  ['MEDIUMINT', 24],
  ['INT', 32],
  ['BIGINT', 64],
] as const;

function integerType(random: SeededRandom): ColumnType {
  const [name, bits] = random.pick(INTEGERS);
  const isSigned = random.below(2) === 0;
  const value = (random: SeededRandom): string => {
    const magnitude = random.bytes(8).readBigUInt64LE() >> BigInt(64 - 1 - random.below(bits));
    return `${isSigned ? BigInt.asIntN(bits, magnitude) : BigInt.asUintN(bits, magnitude)}`;
  };
  return {
    sql: isSigned ? name : `${name} UNSIGNED`,
    reading: isSigned ? 'signed' : 'unsigned',
    value,
  };
}

const WORDS = ['', 'a', 'Zoë', 'x y', ' lead', "it''s", 'ﬀ', '日本', 'tail  ', '0123456789'];

function textValue(maxLength: number): (random: SeededRandom) => string {
  return (random) => {
    let text = '';
    const length = random.below(3) === 0 ? maxLength : random.below(Math.min(20, maxLength + 1));
    while (text.length < length) text += random.pick(WORDS).replaceAll("''", "'") || 'e';
    const cut = [...text].slice(0, maxLength).join('');
    return `'${cut.replaceAll("'", "''")}'`;
  };
}

function textType(random: SeededRandom): ColumnType {
  const length = random.pick([1, 10, 63, 64, 85, 86, 255]);
  const charset = random.pick(['utf8mb4', 'latin1', 'utf8']);
  const word = random.pick(['CHAR', 'VARCHAR']);
  const value = charset === 'utf8mb4' ? textValue(length) : asciiValue(length);
  return { sql: `${word}(${length}) CHARACTER SET ${charset}`, reading: 'text', value };
}

function asciiValue(maxLength: number): (random: SeededRandom) => string {
  return (random) => `'${'aB-_9 '.repeat(50).slice(0, random.below(maxLength + 1))}'`;
}

function bytesValue(maxBytes: number): (random: SeededRandom) => string {
  return (random) => `x'${random.bytes(random.below(maxBytes + 1)).toString('hex')}'`;
}

const number =
  (scale: number) =>
  (random: SeededRandom): string =>
    ((random.next() - 0.5) * 10 ** scale).toFixed(2);

function decimalType(random: SeededRandom): ColumnType {
  const precision = 1 + random.below(65);
  const scale = random.below(Math.min(precision, 30) + 1);
  return { sql: `DECIMAL(${precision},${scale})`, value: (random) => `0.${random.below(10)}` };
}

const fraction = (random: SeededRandom): string => `${random.below(7)}`;
const time = (random: SeededRandom): string => `'${10 + random.below(14)}:03:0${random.below(10)}.123456'`;
const moment = (random: SeededRandom): string => `'2024-0${1 + random.below(9)}-11 ${time(random).slice(1)}`;

const MANY = Array.from({ length: 300 }, (_, i) => `'v${i}'`).join(',');
const MEMBERS = Array.from({ length: 64 }, (_, i) => `s${i}`);

function setType(random: SeededRandom): ColumnType {
  const members = MEMBERS.slice(0, 1 + random.below(64));
  const list = members.map((member) => `'${member}'`).join(',');
  return {
    sql: `SET(${list})`,
    value: (random) => `'${members.filter(() => random.below(3) === 0).join(',')}'`,
  };
}

const PLAIN: readonly ((random: SeededRandom) => ColumnType)[] = [
  integerType,
  integerType,
  integerType,
  textType,
  textType,
  textType,
  decimalType,
  setType,
  () => ({ sql: 'FLOAT', value: number(5) }),
  () => ({ sql: 'FLOAT(7,3)', value: number(3) }),
  () => ({ sql: 'DOUBLE', value: number(9) }),
  () => ({ sql: 'DATE', value: (random) => moment(random) }),
  (random) => ({ sql: `TIME(${fraction(random)})`, value: time }),
  (random) => ({ sql: `DATETIME(${fraction(random)})`, value: moment }),
  (random) => ({ sql: `TIMESTAMP(${fraction(random)}) NULL`, value: moment }),
  () => ({ sql: 'YEAR', value: (random) => `${1901 + random.below(250)}` }),
  () => ({ sql: "ENUM('a','b')", value: () => "'b'" }),
  () => ({ sql: `ENUM(${MANY})`, value: (random) => `'v${random.below(300)}'` }),
  (random) => ({ sql: `BIT(${1 + random.below(64)})`, value: (random) => `b'${random.below(2)}'` }),
  () => ({ sql: 'BINARY(40)', value: bytesValue(40) }),
  () => ({ sql: 'VARBINARY(300)', value: bytesValue(300) }),
  () => ({ sql: 'TINYBLOB', value: bytesValue(255) }),
  () => ({ sql: 'BLOB', value: bytesValue(400) }),
  () => ({ sql: 'MEDIUMTEXT', value: textValue(300) }),
  () => ({ sql: 'LONGTEXT', value: textValue(300) }),
  () => ({ sql: 'JSON', value: (random) => `'{"a": [1, ${random.below(9)}, "ä"]}'` }),
  () => ({ sql: 'POINT', value: (random) => `POINT(${random.below(9)}, 1)` }),
  () => ({ sql: 'GEOMETRY', value: () => "ST_GeomFromText('LINESTRING(0 0,1 1,2 2)')" }),
  () => ({ sql: 'INT GENERATED ALWAYS AS (rid + 1) VIRTUAL', value: null }),
  () => ({ sql: 'VARCHAR(20) GENERATED ALWAYS AS (CONCAT(rid, rid)) STORED', value: null }),
];

const MARIADB: readonly ((random: SeededRandom) => ColumnType)[] = [
  () => ({ sql: 'VARCHAR(200) COMPRESSED', value: textValue(100) }),
  () => ({ sql: 'VARCHAR(500) COMPRESSED', value: textValue(100) }),
  () => ({ sql: 'BLOB COMPRESSED', value: bytesValue(300) }),
  () => ({ sql: 'MEDIUMTEXT COMPRESSED', value: textValue(300) }),
  () => ({ sql: 'INET4', value: () => "'10.0.0.1'" }),
  () => ({ sql: 'INET6', value: () => "'::1'" }),
  () => ({ sql: 'UUID', value: () => 'UUID()' }),
];

/** `rid` somewhere among them, which tells rows apart. */
export function randomColumns(random: SeededRandom, flavor: ServerFlavor): readonly RandomColumn[] {
  const makers = flavor === ServerFlavor.mariadb ? [...PLAIN, ...MARIADB] : PLAIN;
  const columns = Array.from({ length: 3 + random.below(22) }, (_, index): RandomColumn => {
    const { sql, reading = null, value } = random.pick(makers)(random);
    return { name: `c${index}`, definition: sql, reading, value };
  });
  const rid: RandomColumn = {
    name: 'rid',
    definition: 'INT NOT NULL PRIMARY KEY',
    reading: 'signed',
    value: null,
  };
  columns.splice(random.below(columns.length + 1), 0, rid);
  return columns;
}

export function randomValue({ value }: RandomColumn, random: SeededRandom): string {
  return value === null || random.below(5) === 0 ? 'NULL' : value(random);
}
