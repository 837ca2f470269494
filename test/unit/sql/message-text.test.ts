import t from 'tap';
import { withoutQuoted } from '../../../src/sql/message-text.ts';

const MESSAGES: readonly (readonly [string, string])[] = [
  ["Duplicate entry 'secret' for key 'PRIMARY'", "Duplicate entry '?'"],
  ["Table 'shop.nothing' doesn't exist", "Table '?' doesn't exist"],
  ["You can't specify target table 't' for update", "You can't specify target table '?' for update"],
  ["syntax; near 'a 'secret' b' at line 1", "syntax; near '?' at line 1"],
  ["syntax; near 'x don't' at line 1", "syntax; near '?' at line 1"],
  ["cut in the middle; near 'secret", "cut in the middle; near '?'"],
  [
    "Access denied for user 'app'@'10.0.0.1' (using password: YES)",
    "Access denied for user '?' (using password: YES)",
  ],
  [
    'Lock wait timeout exceeded; try restarting transaction',
    'Lock wait timeout exceeded; try restarting transaction',
  ],
];

t.test('what stands in quotes may be a literal, and is left out', async (t) => {
  t.strictSame(
    MESSAGES.map(([given]) => withoutQuoted(given)),
    MESSAGES.map(([, wanted]) => wanted),
  );
});
