import t from 'tap';
import { classify } from '../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import type { StatementClass, TableReference } from '../../../src/sql/statement-class.ts';
import { OTHER_STATEMENTS } from './other-statement-groups.ts';
import { PROVEN_READS } from './proven-reads.ts';
import { UNPROVEN_READS } from './unproven-reads.ts';
import { DDL, DELETES, INSERTS, OTHERS, UPDATES } from './written-table-cases.ts';

const MARIADB = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101100 });
const MYSQL = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 });

function classOf(sql: string | Buffer, context = MARIADB): StatementClass {
  const buf = Buffer.from(sql);
  return classify(buf, 0, buf.length, context);
}

function namesOf(tables: readonly TableReference[] | null): string | null {
  if (tables === null) return null;
  return tables.map(({ schema, table }) => (schema === null ? table : `${schema}.${table}`)).join(' ');
}

for (const [name, cases] of Object.entries({ INSERTS, UPDATES, DELETES, DDL, OTHERS })) {
  t.test(name, async (t) => {
    for (const [sql, writes, reads] of cases) {
      const found = classOf(sql);
      t.equal(namesOf(found.writes), writes, sql);
      const read = (namesOf(found.tables) ?? '').split(' ');
      for (const table of reads?.split(' ') ?? []) t.ok(read.includes(table), `${sql} reads ${table}`);
    }
  });
}

t.test('what means something else to MySQL', async (t) => {
  t.equal(namesOf(classOf('INSERT INTO t VALUES ROW(1, 2), ROW(3, 4)', MYSQL).writes), 't');
  t.equal(namesOf(classOf('CREATE TABLE t AS VALUES ROW(1), ROW(2)', MYSQL).writes), 't');
  t.equal(namesOf(classOf('DELETE FROM t returning WHERE a = 1', MYSQL).writes), 't');
  t.equal(namesOf(classOf('DELETE returning FROM t returning, u', MYSQL).writes), 't');
});

t.test('a proven read writes nothing, however it is cut off', async (t) => {
  const corpus = [PROVEN_READS, ...UNPROVEN_READS, ...OTHER_STATEMENTS].flatMap((group) => group.statements);
  const cases = [...INSERTS, ...UPDATES, ...DELETES, ...DDL, ...OTHERS].map(([sql]) => sql);
  let proven = 0;
  for (const sql of [...corpus, ...cases]) {
    const whole = Buffer.from(sql);
    for (let length = 0; length <= whole.length; length++) {
      const found = classOf(whole.subarray(0, length));
      if (!found.provenRead) continue;
      proven++;
      if (found.writes?.length !== 0) t.fail(`${sql} cut at ${length}`);
    }
  }
  t.ok(proven > 1000, `${proven}`);
});
