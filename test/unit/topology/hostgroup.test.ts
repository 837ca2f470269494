import t from 'tap';
import { hostgroupOf } from '../../../src/topology/hostgroup.ts';

t.test('hostgroups follow the role, unless the operator fixed them', (t) => {
  const pair = { writer: 10, reader: 20 };
  t.equal(hostgroupOf('primary', null, pair), 10);
  t.equal(hostgroupOf('replica', null, pair), 20);
  t.equal(hostgroupOf('unknown', null, pair), 20);
  t.equal(hostgroupOf('replica', 7, pair), 7);
  t.end();
});
