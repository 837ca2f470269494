import t from 'tap';
import { connectionsWithin, haproxyConfig } from '../../../bench/e2e/targets/haproxy-target.ts';
import { proxysqlConfig } from '../../../bench/e2e/targets/proxysql-target.ts';
import { poolConnections } from '../../../bench/e2e/targets/sluice-target.ts';

t.test("HAProxy's maxconn fits the limit of file descriptors", async (t) => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft}                1048576              files     \n`;
  t.equal(connectionsWithin(limits('20000')), 7000);
  t.equal(connectionsWithin(limits('1024')), 412);
  t.equal(connectionsWithin(limits('unlimited')), 7000);
  t.equal(connectionsWithin(''), 7000);
});

t.test('HAProxy passes bytes to one server with the threads asked for', async (t) => {
  const config = haproxyConfig({ port: 1, serverPort: 2, threads: 2, maxConnections: 3 });
  t.match(config, /nbthread 2\n/);
  t.match(config, /mode tcp/);
  t.match(config, /bind 127\.0\.0\.1:1 /);
  t.match(config, /server primary 127\.0\.0\.1:2\n/);
});

t.test('ProxySQL sends locking reads to the writer and other reads to the replicas', async (t) => {
  const setup = {
    directory: '/d',
    port: 1,
    adminPort: 2,
    threads: 1,
    primaryPort: 10,
    replicaPorts: [11, 12],
    cacheTtlMs: null,
  };
  const config = proxysqlConfig(setup);
  t.match(config, /port=10, hostgroup=0/);
  t.match(config, /port=11, hostgroup=1/);
  t.match(config, /port=12, hostgroup=1/);
  t.ok(
    config.indexOf('FOR UPDATE", destination_hostgroup=0') <
      config.indexOf('"^SELECT", destination_hostgroup=1'),
  );
  t.match(
    proxysqlConfig({ ...setup, replicaPorts: [] }),
    /port=10, hostgroup=1/,
    'reads have a server without replicas',
  );
});

t.test("Sluice's pool keeps its default while that does for clients that hold a connection", async (t) => {
  t.equal(poolConnections(1), 100);
  t.equal(poolConnections(50), 100);
  t.equal(poolConnections(256), 306);
});
