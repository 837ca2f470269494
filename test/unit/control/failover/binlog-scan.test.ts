import t from 'tap';
import { findCommittedTags, TagReader } from '../../../../src/control/failover/commit-doubt/binlog-scan.ts';

const ONE = 'sluice_00112233aabbccdd_1';
const TWO = 'sluice_00112233aabbccdd_2';
const EVENTS_PER_QUERY = 1000;

t.test('only the end of a transaction tells', async (t) => {
  const savepoint = ['Query', `SAVEPOINT \`${ONE}\``] as const;
  const cases: ReadonlyArray<readonly [string, boolean, ReadonlyArray<readonly [string, string]>]> = [
    ['MariaDB, InnoDB', true, [['Gtid', 'BEGIN GTID 0-1-1'], savepoint, ['Xid', 'COMMIT /* xid=1 */']]],
    [
      'MySQL',
      true,
      [['Gtid', "SET @@SESSION.GTID_NEXT= 'x:1'"], ['Query', 'BEGIN'], savepoint, ['Xid', 'COMMIT']],
    ],
    [
      'with a schema in front',
      true,
      [
        ['Query', `use \`a\`\`b\`; SAVEPOINT \`${ONE}\``],
        ['Query', 'use `a``b`; COMMIT'],
      ],
    ],
    ['rolled back, with MyISAM', false, [['Gtid', ''], savepoint, ['Query', 'ROLLBACK'], ['Xid', 'COMMIT']]],
    ['not ended yet', false, [['Gtid', ''], savepoint]],
    ['ended by nothing', false, [['Gtid', ''], savepoint, ['Gtid', ''], ['Xid', 'COMMIT']]],
    [
      'somebody else',
      false,
      [
        ['Gtid', ''],
        ['Query', `SAVEPOINT \`${TWO}\``],
        ['Xid', 'COMMIT'],
      ],
    ],
    [
      'in a text',
      false,
      [
        ['Query', `INSERT INTO t VALUES ('SAVEPOINT \`${ONE}\`')`],
        ['Xid', 'COMMIT'],
      ],
    ],
  ];
  for (const [name, expected, events] of cases) {
    const reader = new TagReader(new Set([ONE]));
    for (const [type, info] of events) reader.take(type, info);
    t.equal(reader.committed.has(ONE), expected, name);
  }
});

t.test('from a position to the end, through all files', async (t) => {
  const filler = Array.from({ length: EVENTS_PER_QUERY }, (_, index) => ({
    Event_type: 'Query',
    Info: 'x',
    End_log_pos: String(1000 + index),
  }));
  const last = [
    { Event_type: 'Query', Info: `SAVEPOINT \`${ONE}\``, End_log_pos: '80' },
    { Event_type: 'Xid', Info: 'COMMIT', End_log_pos: '90' },
  ];
  const asked: string[] = [];
  const run = async (sql: string) => {
    asked.push(sql);
    if (sql === 'SHOW BINARY LOGS') return ['b.8', 'b.9', 'b.10'].map((name) => ({ Log_name: name }));
    if (sql.includes("'b.10'")) return last;
    return sql.includes('FROM 400') ? filler : [];
  };
  const found = await findCommittedTags(run, { file: 'b.9', offset: 400 }, new Set([ONE, TWO]));
  t.strictSame([...found], [ONE]);
  t.strictSame(asked.slice(1), [
    "SHOW BINLOG EVENTS IN 'b.9' FROM 400 LIMIT 1000",
    "SHOW BINLOG EVENTS IN 'b.9' FROM 1999 LIMIT 1000",
    "SHOW BINLOG EVENTS IN 'b.10' LIMIT 1000",
  ]);
  const gone = findCommittedTags(run, { file: 'b.1', offset: 4 }, new Set([ONE]));
  await t.rejects(gone, /its binlog b\.1 is not there any more/);
});
