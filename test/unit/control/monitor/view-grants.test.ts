import t from 'tap';
import { missingViewGrants } from '../../../../src/control/monitor/view-grants.ts';

const to = 'TO `monitor`@`%`';

t.test('grants that show every view', (t) => {
  for (const grants of [
    [`GRANT ALL PRIVILEGES ON *.* ${to} WITH GRANT OPTION`],
    [`GRANT SELECT, SHOW VIEW ON *.* ${to}`],
    [
      "GRANT SELECT, PROCESS, BINLOG MONITOR, SHOW VIEW, SLAVE MONITOR ON *.* TO `monitor`@`%` IDENTIFIED BY PASSWORD '*00'",
    ],
    [`GRANT USAGE ON *.* ${to}`, 'GRANT SELECT, SHOW VIEW ON *.* TO `watching`'],
    [`GRANT SELECT ON *.* ${to}`, 'GRANT SHOW VIEW ON *.* TO `watching`'],
    ["GRANT SELECT, SHOW VIEW ON *.* TO 'monitor'@'%'", "REVOKE INSERT ON `app`.* FROM 'monitor'@'%'"],
    [`grant select, show  view on *.* ${to}`],
  ]) {
    t.equal(missingViewGrants(grants), '', grants.join('; '));
  }
  t.end();
});

t.test('grants that do not, and what to give', (t) => {
  for (const [grants, missing] of [
    [[], /lacks SELECT, SHOW VIEW ON \*\.\*/],
    [[`GRANT USAGE ON *.* ${to}`], /lacks SELECT, SHOW VIEW/],
    [[`GRANT SELECT ON *.* ${to}`], /lacks SHOW VIEW ON/],
    [[`GRANT SHOW VIEW ON *.* ${to}`], /lacks SELECT ON/],
    [[`GRANT SELECT, SHOW VIEW ON \`app\`.* ${to}`], /lacks SELECT, SHOW VIEW/],
    [[`GRANT ALL PRIVILEGES ON \`app\`.* ${to}`], /lacks SELECT, SHOW VIEW/],
    [[`GRANT CREATE VIEW, SELECT ON *.* ${to}`], /lacks SHOW VIEW/],
    [[`GRANT SELECT (a, b), SHOW VIEW ON \`app\`.\`t\` ${to}`], /lacks SELECT, SHOW VIEW/],
    [[`GRANT \`watching\`@\`%\` ${to}`], /lacks/],
    [
      ["GRANT SELECT, SHOW VIEW ON *.* TO 'm'@'%'", "REVOKE SELECT ON `app`.* FROM 'm'@'%'"],
      /partial revoke on `app`\.\*/,
    ],
  ] as const) {
    t.match(missingViewGrants(grants), missing, grants.join('; '));
  }
  t.end();
});
