/** Which bytes of a text tell its statement apart. */

import t from 'tap';
import { statementEnd, statementStart } from '../../../../src/data/cache/statement-bytes.ts';

function told(text: string): string {
  const buffer = Buffer.from(text, 'latin1');
  const start = statementStart(buffer, 0, buffer.length);
  return buffer.toString('latin1', start, statementEnd(buffer, start, buffer.length));
}

t.test('comments, white space and semicolons at the ends are left out', (t) => {
  for (const text of [
    'SELECT a FROM t',
    '  SELECT a FROM t \n',
    'SELECT a FROM t;',
    'SELECT a FROM t ; ;; ',
    '/* traceparent=00-1 */ SELECT a FROM t',
    '/* x *//* y */\n/**/SELECT a FROM t',
    "SELECT a FROM t /* route='/a' */",
    'SELECT a FROM t; /* one */ /* two */;',
    'SELECT a FROM t/**/',
  ])
    t.equal(told(text), 'SELECT a FROM t', text);
  t.end();
});

t.test('what lies between stays, and so does what servers read', (t) => {
  for (const text of [
    'SELECT a /* x */ FROM t',
    'SELECT  a  FROM t',
    'SELECT a FROM t /*! FORCE INDEX (b) */',
    'SELECT a FROM t /*M! FORCE INDEX (b) */',
    '/*! SELECT */ a FROM t',
    '/*+ x */ SELECT 1',
    "SELECT '/* a */'",
    "SELECT ' '",
    'SELECT 1 -- x',
    '/* open',
    '/*/',
    'SELECT 1 */',
    "SELECT '/*', 2 */",
  ])
    t.equal(told(text), text === "SELECT '/*', 2 */" ? "SELECT '" : text, text);
  t.end();
});

t.test('a comment alone, and nothing at all', (t) => {
  for (const text of ['', ' ', ';', '/* x */', '/* x */ ;']) t.equal(told(text), '', JSON.stringify(text));
  t.end();
});

t.test('bytes outside of the statement are never looked at', (t) => {
  const buffer = Buffer.from('*/ SELECT 1 /* x */');
  t.equal(statementStart(buffer, 2, buffer.length), 3);
  // The comment that begins in front of `start` is somebody else's.
  const tail = Buffer.from('/* SELECT 1 */');
  t.equal(statementEnd(tail, 3, tail.length), tail.length);
  t.end();
});
