/** Values as they are written into SET statements, read back from a server under every way of reading them. */

import type { Test } from 'tap';
import { literalOf } from '../../../src/data/backend/state-difference.ts';
import type { DatabaseServer } from '../../support/database-server.ts';

const SQL_MODES = [
  '',
  'ANSI_QUOTES',
  'NO_BACKSLASH_ESCAPES',
  'ANSI_QUOTES,NO_BACKSLASH_ESCAPES',
  'PIPES_AS_CONCAT',
  'IGNORE_SPACE',
  'ANSI',
  'TRADITIONAL',
];
/** In gbk and sjis a backslash, and in all of them a quote, may be the second byte of something else. */
const CHARACTER_SETS = ['utf8mb4', 'latin1', 'gbk', 'sjis', 'big5', 'ascii'];
const VALUES = [
  '',
  "'",
  "''",
  '"',
  '\\',
  "\\'",
  "\\'; SELECT 1 -- ",
  'a\\',
  'é',
  '表',
  '日本\\',
  '縗"',
  '😀',
  'a\nb\r\t\0\x1a',
  '%_',
  '/* */ -- #',
  '18446744073709551615',
  '-1',
  '1.500000',
  '007',
  '+01:00',
  'STRICT_TRANS_TABLES,NO_ZERO_DATE',
];

export async function testLiterals(t: Test, server: DatabaseServer): Promise<void> {
  const connection = await server.rootConnection({ charset: 'utf8mb4' });
  t.teardown(() => connection.end());
  for (const mode of SQL_MODES) {
    for (const charset of CHARACTER_SETS) {
      await connection.query('SET NAMES utf8mb4');
      await connection.query(`SET sql_mode = '${mode}'`);
      await connection.query(`SET NAMES ${charset}`);
      const wrong: string[] = [];
      for (const value of VALUES) {
        // As Sluice sends it: the bytes of UTF-8, whatever the connection takes them for.
        await connection.query(`SET @value = ${literalOf('some_variable', value)}`);
        const [rows] = await connection.query('SELECT HEX(CONVERT(@value USING utf8mb4)) AS hex');
        const [{ hex }] = rows as [{ hex: string }];
        if (Buffer.from(hex, 'hex').toString() !== value) wrong.push(`${JSON.stringify(value)} → ${hex}`);
      }
      t.strictSame(wrong, [], `sql_mode '${mode}', ${charset}`);
    }
  }
}
