import fc from 'fast-check';
import t from 'tap';
import { MalformedPacketError } from '../../../../protocol/index.ts';
import {
  canonicalVariableName,
  isOn,
  SessionVariables,
} from '../../../../src/data/backend/session-variables.ts';

t.test('equal sets are one object, in whatever order they come', async (t) => {
  const one = SessionVariables.of([
    ['sql_mode', 'ANSI'],
    ['autocommit', 'OFF'],
  ]);
  const two = SessionVariables.of([
    ['autocommit', 'OFF'],
    ['sql_mode', 'ANSI'],
  ]);
  t.equal(one, two);
  t.ok(one.equals(two));
  t.equal(one.with([['autocommit', 'ON']]).with([['autocommit', 'OFF']]), one);
  t.equal(one.with([]), one);
  t.notOk(one.equals(one.with([['time_zone', 'UTC']])));
  t.equal(one.values.get('autocommit'), 'OFF', 'a change makes another set');
});

t.test('a name that comes twice is in it once', async (t) => {
  // MySQL 5.7 answers a probe under both names of tx_isolation: such a set equalled none that was made by a change.
  const probed = SessionVariables.of([
    ['tx_isolation', 'REPEATABLE-READ'],
    ['tx_isolation', 'REPEATABLE-READ'],
  ]);
  t.equal(probed, SessionVariables.of([['tx_isolation', 'REPEATABLE-READ']]));
  t.equal(
    SessionVariables.of([
      ['a', '1'],
      ['a', '2'],
    ]).values.get('a'),
    '2',
  );
});

t.test('what is read off at once', async (t) => {
  const plain = SessionVariables.of([]);
  t.match(plain, { autocommit: true, sqlMode: '', characterSetClient: '' });
  const set = SessionVariables.of([
    ['autocommit', 'OFF'],
    ['sql_mode', 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'],
    ['character_set_client', 'gbk'],
  ]);
  t.match(set, { autocommit: false, characterSetClient: 'gbk' });
  t.equal(set.waitTimeoutMs, null, 'not known');
  t.equal(set.with([['wait_timeout', '30']]).waitTimeoutMs, 30_000);
  t.same(['ON', '1', 'OFF', '0', ''].map(isOn), [true, true, false, false, false]);
});

t.test('two names of one variable', async (t) => {
  t.equal(canonicalVariableName('Transaction_Isolation'), 'tx_isolation');
  t.equal(canonicalVariableName('TX_ISOLATION'), 'tx_isolation');
  t.equal(canonicalVariableName('identity'), 'last_insert_id');
  t.equal(canonicalVariableName('storage_engine'), 'default_storage_engine');
  t.equal(canonicalVariableName('Time_Zone'), 'time_zone');
});

t.test('a server that lies about names gets no SQL into the connections of others', async (t) => {
  for (const name of ['', '?e_zone', 'a=1,@@session.sql_mode', 'a b', 'a`', 'é', 'a\0', 'a\n'])
    t.throws(() => canonicalVariableName(name), MalformedPacketError, JSON.stringify(name));
  t.equal(canonicalVariableName('hot_cache.key_buffer_size'), 'hot_cache.key_buffer_size');
});

t.test('different sets are never taken for equal, whatever bytes are in the values', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '=', '\0', '1', ':', 'b'), maxLength: 6 });
  const entries = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), text), { maxLength: 3 });
  fc.assert(
    fc.property(entries, entries, (left, right) => {
      const [one, two] = [SessionVariables.of(left), SessionVariables.of(right)];
      const names = new Set([...one.values.keys(), ...two.values.keys()]);
      const same = [...names].every((name) => one.values.get(name) === two.values.get(name));
      return one.equals(two) === same && (one === two) === same;
    }),
    {
      numRuns: 2000,
      examples: [
        [
          [['a', '1\0b=1']],
          [
            ['a', '1'],
            ['b', '1'],
          ],
        ],
      ],
    },
  );
});
