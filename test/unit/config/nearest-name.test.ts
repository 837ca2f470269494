import t from 'tap';
import { nearestName } from '../../../config/nearest-name.ts';

const NAMES = ['listen', 'port', 'maxConnections', 'maxConnecting', 'idleTimeoutMs', 'users', 'workers'];

t.test('finds what was meant', async (t) => {
  const cases: readonly [string, string | null][] = [
    ['prot', 'port'],
    ['Port', 'port'],
    ['lsten', 'listen'],
    ['max_connections', 'maxConnections'],
    ['max-connecting', 'maxConnecting'],
    ['idleTimeout', 'idleTimeoutMs'],
    ['user', 'users'],
    ['worker', 'workers'],
    ['x', null],
    ['zz', null],
    ['', null],
    ['completelyDifferent', null],
    ['p'.repeat(100_000), null],
  ];
  for (const [name, expected] of cases) t.equal(nearestName(name, NAMES), expected, name.slice(0, 30));
});
