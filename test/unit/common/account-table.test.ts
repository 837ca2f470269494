/** Accounts in shared memory: each is found, and nobody else's. */

import t from 'tap';
import type { PlacedAccount } from '../../../src/common/account.ts';
import { AccountTable, encodeAccountTable } from '../../../src/common/account-table.ts';

function account(username: string, host: string, slot = 0, more: Partial<PlacedAccount> = {}): PlacedAccount {
  return {
    username,
    host,
    source: 'backend',
    credentials: [{ kind: 'native', hash: `*${'0'.repeat(40)}` }],
    plugins: ['mysql_native_password'],
    defaultSchema: null,
    defaultHostgroup: null,
    causalReads: null,
    fastForward: false,
    maxConnections: 0,
    maxUserConnections: 0,
    locked: false,
    expiresAtMs: null,
    requireTls: 'NONE',
    slot,
    ...more,
  };
}

const at = (address: string) => ({ name: null, address });

t.test('none', async (t) => {
  const table = new AccountTable(encodeAccountTable([], 'mysql'));
  t.equal(table.count, 0);
  t.equal(table.find('', at('10.0.0.1')), null);
  t.equal(table.find('app', at('10.0.0.1')), null);
  t.equal(table.allows(at('10.0.0.1')), false);
  t.equal(table.kindFor(7), null);
});

t.test('ten thousand, with names of all kinds', async (t) => {
  const names = Array.from(
    { length: 10_000 },
    (_, index) => `user ${index} é'"\\\0 ${'x'.repeat(index % 50)}`,
  );
  const accounts = names.map((name, slot) => account(name, '%', slot));
  const startedAt = performance.now();
  const table = new AccountTable(encodeAccountTable(accounts, 'mariadb'));
  t.comment(`encoded in ${Math.round(performance.now() - startedAt)} ms`);
  t.equal(table.count, 10_000);
  const missed = names.filter((name, slot) => {
    const found = table.find(name, at('10.0.0.1'));
    return found?.slot !== slot || found.username !== name;
  });
  t.strictSame(missed, []);
  t.equal(table.find('user 10000', at('10.0.0.1')), null);
  t.equal(table.find('USER 1', at('10.0.0.1')), null, 'upper and lower case differ');
});

t.test('several for one name, and the anonymous ones', async (t) => {
  const accounts = [
    account('app', '%', 1),
    account('app', '10.0.0.%', 2),
    account('app', '10.0.0.7', 3),
    account('', '10.0.0.%', 4),
    account('', '192.168.0.0/255.255.0.0', 5),
  ];
  const table = new AccountTable(encodeAccountTable(accounts, 'mysql'));
  const slotOf = (user: string, address: string) => table.find(user, at(address))?.slot ?? null;
  t.equal(slotOf('app', '10.0.0.7'), 3);
  t.equal(slotOf('app', '10.0.0.8'), 2, 'of two alike the named one');
  t.equal(slotOf('app', '10.1.0.8'), 1);
  t.equal(slotOf('app', '192.168.3.3'), 5, 'the anonymous one is for fewer hosts');
  t.equal(slotOf('nobody', '10.0.0.8'), 4);
  t.equal(slotOf('nobody', '10.1.0.8'), null);
});

t.test('hosts that nobody may come from', async (t) => {
  const table = new AccountTable(encodeAccountTable([account('a', '10.%'), account('b', '::1')], 'mysql'));
  t.ok(table.allows(at('10.3.4.5')));
  t.ok(table.allows(at('::1')));
  t.notOk(table.allows(at('11.3.4.5')));
});

t.test('decoys are of the kinds that there are', async (t) => {
  const sha2 = { credentials: [{ kind: 'sha2', hash: 'x' }] } as const;
  const open = { credentials: [{ kind: 'none' }] } as const;
  const accounts = [account('a', '%'), account('b', '%', 1, sha2), account('c', '%', 2, open)];
  const table = new AccountTable(encodeAccountTable(accounts, 'mysql'));
  const kinds = new Set(Array.from({ length: 50 }, (_, index) => table.kindFor(index)));
  t.strictSame([...kinds].toSorted(), ['native', 'sha2']);
  t.equal(table.kindFor(5), table.kindFor(5));
});
