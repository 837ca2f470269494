import t from 'tap';
import { formatServerAddress, splitServerAddress } from '../../../src/topology/server-address.ts';

t.test('one spelling for one server', (t) => {
  t.equal(formatServerAddress('DB1.Example', 3306), 'db1.example:3306');
  t.equal(formatServerAddress('10.0.0.5', 3307), '10.0.0.5:3307');
  t.equal(formatServerAddress('FE80::1', 3306), '[fe80::1]:3306');
  t.equal(formatServerAddress('[::1]', 3306), '[::1]:3306');
  t.end();
});

t.test('taken apart again', (t) => {
  t.strictSame(splitServerAddress('db1:3306'), { host: 'db1', port: 3306 });
  t.strictSame(splitServerAddress('[fe80::1]:3306'), { host: 'fe80::1', port: 3306 });
  for (const bad of ['db1', 'db1:', ':3306', 'db1:0', 'db1:65536', 'db1:x', 'fe80::1:3306', '', '[::1]']) {
    t.equal(splitServerAddress(bad), null, bad);
  }
  t.end();
});
