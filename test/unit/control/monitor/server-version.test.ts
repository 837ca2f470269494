import t from 'tap';
import { isSwitchedOn } from '../../../../src/control/monitor/global-variables.ts';
import { parseServerVersion } from '../../../../src/control/monitor/server-version.ts';

t.test('versions as servers announce them', (t) => {
  for (const [text, flavor, id] of [
    ['5.7.29-log', 'mysql', 50_729],
    ['8.0.36', 'mysql', 80_036],
    ['8.4.0-commercial', 'mysql', 80_400],
    ['8.0.35-27 Percona', 'mysql', 80_035],
    ['5.5.5-10.11.19-MariaDB-0+deb12u1-log', 'mariadb', 101_119],
    ['10.6.20-MariaDB', 'mariadb', 100_620],
    ['11.4.2-MariaDB-ubu2404', 'mariadb', 110_402],
    ['5.5.5-11.0.2-MariaDB', 'mariadb', 110_002],
    ['5.5.5-m3', 'mysql', 50_505],
    ['', 'mysql', 0],
    ['unknown', 'mysql', 0],
  ] as const) {
    t.strictSame(parseServerVersion(text), { text, flavor, id }, text);
  }
  t.end();
});

t.test('only OFF is off', (t) => {
  for (const [value, expected] of [
    ['ON', true],
    ['1', true],
    ['NO_LOCK', true],
    ['NO_LOCK_NO_ADMIN', true],
    ['OFF', false],
    ['off', false],
    ['0', false],
    ['', false],
    [undefined, false],
  ] as const) {
    t.equal(isSwitchedOn(value), expected, String(value));
  }
  t.end();
});
