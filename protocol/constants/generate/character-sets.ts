/**
 * Writes ../character-sets-table.ts from what running servers say:
 *
 *   node protocol/constants/generate/character-sets.ts <folder>
 *
 * The folder holds tab-separated output (`mariadb -N -B -e …`) of a MySQL 5.7 and a MariaDB 10.10 or later:
 *   mysql-charsets.tsv, mariadb-charsets.tsv:
 *     SELECT CHARACTER_SET_NAME, MAXLEN, DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS
 *   mysql-collations.tsv:
 *     SELECT ID, COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS
 *   mariadb-collations.tsv (COLLATIONS leaves out the ids of uca1400):
 *     SELECT ID, FULL_COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY
 * The collations that MySQL 8.0 added are listed below:
 *   https://dev.mysql.com/doc/refman/8.4/en/charset-unicode-sets.html
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** id → what stands between `utf8mb4_` and the rest, `0900_ai_ci` and so on. */
const MYSQL_8_FAMILIES: readonly (readonly [
  firstId: number,
  suffix: string,
  languages: readonly string[],
])[] = [
  [
    255,
    '0900_ai_ci',
    ['', 'de_pb', 'is', 'lv', 'ro', 'sl', 'pl', 'et', 'es', 'sv', 'tr', 'cs', 'da', 'lt', 'sk'],
  ],
  [270, '0900_ai_ci', ['es_trad', 'la']],
  [273, '0900_ai_ci', ['eo', 'hu', 'hr']],
  [277, '0900_ai_ci', ['vi']],
  [
    278,
    '0900_as_cs',
    ['', 'de_pb', 'is', 'lv', 'ro', 'sl', 'pl', 'et', 'es', 'sv', 'tr', 'cs', 'da', 'lt', 'sk'],
  ],
  [293, '0900_as_cs', ['es_trad', 'la']],
  [296, '0900_as_cs', ['eo', 'hu', 'hr']],
  [300, '0900_as_cs', ['vi']],
  [303, '0900_as_cs', ['ja']],
  [304, '0900_as_cs_ks', ['ja']],
  [305, '0900_as_ci', ['']],
  [306, '0900_ai_ci', ['ru']],
  [307, '0900_as_cs', ['ru', 'zh']],
  [309, '0900_bin', ['']],
];
/** From 8.0.30: pairs of ai_ci and as_cs. */
const MYSQL_8_0_30_LANGUAGES = ['nb', 'nn', 'sr_latn', 'bs', 'bg', 'gl', 'mn_cyrl'];
const MYSQL_8_0_30_FIRST_ID = 310;
/** utf8mb3_tolower_ci is hidden in 5.7 and shown in 8.0. */
const UTF8MB3_TOLOWER_CI = 76;

type CollationRow = readonly [id: number, collation: string, charset: string];

function mysql8Collations(): CollationRow[] {
  const rows: CollationRow[] = [[UTF8MB3_TOLOWER_CI, 'utf8mb3_tolower_ci', 'utf8mb3']];
  const push = (id: number, language: string, suffix: string): void => {
    const name = language === '' ? `utf8mb4_${suffix}` : `utf8mb4_${language}_${suffix}`;
    rows.push([id, name, 'utf8mb4']);
  };
  for (const [firstId, suffix, languages] of MYSQL_8_FAMILIES) {
    languages.forEach((language, index) => {
      push(firstId + index, language, suffix);
    });
  }
  MYSQL_8_0_30_LANGUAGES.forEach((language, index) => {
    push(MYSQL_8_0_30_FIRST_ID + 2 * index, language, '0900_ai_ci');
    push(MYSQL_8_0_30_FIRST_ID + 2 * index + 1, language, '0900_as_cs');
  });
  return rows;
}

/** `utf8` has meant utf8mb3 in every version so far; the table has the unambiguous name. */
function canonical(name: string): string {
  return name === 'utf8' ? 'utf8mb3' : name.replace(/^utf8_/, 'utf8mb3_');
}

function readTsv(folder: string, file: string): string[][] {
  const text = readFileSync(join(folder, file), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

function collations(folder: string): CollationRow[] {
  const rows: CollationRow[] = [];
  const sources = ['mysql-collations.tsv', 'mariadb-collations.tsv'].flatMap((file) =>
    readTsv(folder, file).map(
      ([id, collation, charset]): CollationRow => [Number(id), canonical(collation!), canonical(charset!)],
    ),
  );
  for (const row of [...sources, ...mysql8Collations()]) {
    if (row[1].split('_')[0] !== row[2]) throw new Error(`The name does not begin with its charset: ${row}`);
    const alike = rows.filter((known) => known[0] === row[0]);
    if (alike.some((known) => known[2] !== row[2])) throw new Error(`Two charsets for one id: ${row}`);
    // One id with two names: MariaDB says `croatian_mysql561` where MySQL says `croatian`. The first one names the id.
    if (!alike.some((known) => known[1] === row[1])) rows.push(row);
  }
  return rows.sort((left, right) => left[0] - right[0]);
}

function charsets(folder: string, rows: readonly CollationRow[]): [string, number, number][] {
  const found = new Map<string, [string, number, number]>();
  for (const file of ['mysql-charsets.tsv', 'mariadb-charsets.tsv']) {
    for (const [name, maxBytes, collation] of readTsv(folder, file)) {
      const charset = canonical(name!);
      const id = rows.find((row) => row[1] === canonical(collation!))?.[0];
      if (id === undefined) throw new Error(`No id for ${collation}`);
      const known = found.get(charset);
      if (known !== undefined && (known[1] !== Number(maxBytes) || known[2] !== id)) {
        throw new Error(`The servers disagree about ${charset}`);
      }
      found.set(charset, [charset, Number(maxBytes), id]);
    }
  }
  return [...found.values()].sort((left, right) => (left[0] < right[0] ? -1 : 1));
}

function main(): void {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('A folder with the four .tsv files is needed');
  const rows = collations(folder);
  const text = [
    '// Generated by protocol/constants/generate/character-sets.ts; do not edit.',
    '// Source: information_schema of MySQL 5.7.29 and MariaDB 10.11, and the manual of MySQL 8.4.',
    '',
    '/** Charset, greatest number of bytes of a character, id of the default collation. */',
    'export const CHARSETS: readonly (readonly [string, number, number])[] = [',
    ...charsets(folder, rows).map(([name, bytes, id]) => `  ['${name}', ${bytes}, ${id}],`),
    '];',
    '',
    '/** A line for each collation: id and name, which begins with its charset. Each line has an end and one in front. */',
    'export const COLLATIONS = `',
    ...rows.map(([id, collation]) => `${id} ${collation}`),
    '`;',
    '',
  ].join('\n');
  writeFileSync(new URL('../character-sets-table.ts', import.meta.url), text);
}

main();
