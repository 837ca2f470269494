/** Without its grammar no statement is lost: what only the parser could prove is no proven read, and that is said once. */

import { registerHooks } from 'node:module';
import t from 'tap';
import { grammarOf, onGrammarMissing } from '../../../src/sql/grammars.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { parserTables } from '../../../src/sql/parser-tables.ts';

let asked = 0;
const hooks = registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'node-sql-parser/build/mysql') return next(specifier, context);
    asked++;
    throw new Error('not installed');
  },
});
t.teardown(() => hooks.deregister());

const told: [string, string][] = [];
onGrammarMissing((grammar, error) => told.push([grammar, error.message]));

function tablesOf(sql: string, flavor: 'mysql' | 'mariadb') {
  const buf = Buffer.from(sql);
  return parserTables(
    buf,
    0,
    buf.length,
    makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor, versionId: 80400 }),
  );
}

t.test('one that cannot be loaded is asked for once, and told of once', async (t) => {
  for (let n = 0; n < 3; n++) t.equal(tablesOf('SELECT 1 FROM a.b', 'mysql'), null);
  t.equal(grammarOf('mysql'), null);
  t.equal(asked, 1);
  t.strictSame(told, [['mysql', 'not installed']]);
});

t.test('the other one is there', async (t) => {
  t.strictSame(tablesOf('SELECT 1 FROM a.b', 'mariadb'), [{ schema: 'a', table: 'b' }]);
  t.equal(told.length, 1);
});
