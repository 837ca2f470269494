import t from 'tap';
import { type ErrorPlace, ErrorTable } from '../../../../src/data/statistics/error-table.ts';

function place(more: Partial<ErrorPlace> = {}): ErrorPlace {
  return {
    hostgroup: 0,
    server: 'db:3306',
    username: 'app',
    clientAddress: '10.0.0.1',
    schema: 'shop',
    errno: 1062,
    ...more,
  };
}

t.test('an error is counted by all that names it; its message without literals', async (t) => {
  const table = new ErrorTable(100);
  table.add(place(), "Duplicate entry 'secret' for key 'PRIMARY'", 100);
  table.add(place(), "Duplicate entry 'other' for key 'PRIMARY'", 200);
  for (const more of [
    { hostgroup: 1 },
    { server: 'other:3306' },
    { username: 'report' },
    { clientAddress: '' },
    { schema: '' },
    { errno: 1 },
  ])
    table.add(place(more), 'x', 150);
  t.equal(table.size, 7);
  t.strictSame(table.records()[0], {
    ...place(),
    count: 2,
    firstSeen: 100,
    lastSeen: 200,
    message: "Duplicate entry '?'",
  });
});

t.test('the one that has not come for the longest time goes', async (t) => {
  const table = new ErrorTable(2);
  table.add(place({ errno: 1 }), '', 1);
  table.add(place({ errno: 2 }), '', 2);
  table.add(place({ errno: 1 }), '', 3);
  table.add(place({ errno: 3 }), '', 4);
  t.strictSame(
    table.records().map(({ errno, count }) => [errno, count]),
    [
      [1, 2],
      [3, 1],
    ],
  );
  t.equal(table.forgotten, 1);
  table.resize(1);
  t.strictSame([table.size, table.forgotten], [1, 3]);
  table.clear();
  t.equal(table.size, 0);
});
