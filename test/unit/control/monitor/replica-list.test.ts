import t from 'tap';
import { replicaAddresses } from '../../../../src/control/monitor/replica-list.ts';

t.test('named replicas first, then what the process list suggests', (t) => {
  for (const [title, replicas, peers, expected] of [
    ['nobody', [], [], []],
    ['named', [{ Host: 'DB2', Port: '3307' }], [], ['db2:3307']],
    [
      'named and connected',
      [{ Host: 'db2', Port: '3307' }],
      ['10.0.0.2:55555'],
      ['db2:3307', '10.0.0.2:3307'],
    ],
    ['without a name', [{ Host: '', Port: '3307' }], ['10.0.0.2:55555'], ['10.0.0.2:3307']],
    [
      'two without a name: every pair has to be tried',
      [
        { Host: '', Port: '3307' },
        { Host: null, Port: '3308' },
      ],
      ['10.0.0.2:1', '10.0.0.3:2'],
      ['10.0.0.2:3307', '10.0.0.2:3308', '10.0.0.3:3307', '10.0.0.3:3308'],
    ],
    ['not listed at all: the port of the source', [], ['10.0.0.2:55555'], ['10.0.0.2:3306']],
    ['IPv6', [{ Host: '::1', Port: '3307' }], ['fe80::1:55555'], ['[::1]:3307', '[fe80::1]:3307']],
    ['named twice', [{ Host: '10.0.0.2', Port: '3307' }], ['10.0.0.2:9'], ['10.0.0.2:3307']],
    ['a port of 0', [{ Host: 'db2', Port: '0' }], [], []],
    ['nonsense', [{ Host: 'db2', Port: 'x' }, { Host: 'db3' }, {}], [''], []],
  ] as const) {
    t.strictSame(replicaAddresses(replicas, peers, 3306), expected, title);
  }
  t.end();
});

t.test('there is an end to it', (t) => {
  const replicas = Array.from({ length: 1000 }, (_, index) => ({ Host: `db${index}`, Port: '3306' }));
  t.equal(replicaAddresses(replicas, [], 3306).length, 64);
  t.end();
});
