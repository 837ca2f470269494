import t from 'tap';
import { parseGeneralLog } from '../../support/general-log.ts';

t.test('MariaDB: the time stands only where it changed, statements may have several lines', async (t) => {
  const text = [
    '/usr/sbin/mariadbd, Version: 10.11.19-MariaDB (Debian 12). started with:',
    'Tcp port: 3306  Unix socket: /tmp/socket',
    'Time\t\t    Id Command\tArgument',
    '201120 23:56:11\t     5 Connect\tapp@localhost on app using TCP/IP',
    '\t\t     5 Query\tSELECT 1',
    'FROM t',
    '201120  1:05:01\t    12 Init DB\tapp',
    '\t\t    12 Quit\t',
    '',
  ].join('\n');
  t.strictSame(parseGeneralLog('primary', text), [
    { server: 'primary', threadId: 5, command: 'Connect', argument: 'app@localhost on app using TCP/IP' },
    { server: 'primary', threadId: 5, command: 'Query', argument: 'SELECT 1\nFROM t' },
    { server: 'primary', threadId: 12, command: 'Init DB', argument: 'app' },
    { server: 'primary', threadId: 12, command: 'Quit', argument: '' },
  ]);
});

t.test('MySQL: every entry has its time', async (t) => {
  const text = [
    'Time                 Id Command    Argument',
    '2026-11-20T23:56:11.534195Z\t    3 Query\tSELECT 2',
    '2026-11-20T23:56:12.000000Z\t    3 Field List\tt ',
    '',
  ].join('\n');
  t.strictSame(parseGeneralLog('replica1', text), [
    { server: 'replica1', threadId: 3, command: 'Query', argument: 'SELECT 2' },
    { server: 'replica1', threadId: 3, command: 'Field List', argument: 't' },
  ]);
});
