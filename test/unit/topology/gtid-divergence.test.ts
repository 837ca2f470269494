import t from 'tap';
import { divergingGtids } from '../../../src/topology/gtid-divergence.ts';
import { GtidFormatError } from '../../../src/topology/gtid-format-error.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = '4f22fa47-71ca-11e1-9e33-c80aa9429563';

t.test('MySQL: what one has executed and the other has not', (t) => {
  t.equal(divergingGtids(`${A}:1-10`, `${A}:1-10,${B}:1-3`, 'mysql'), '');
  t.equal(divergingGtids(`${A}:1-12`, `${A}:1-10,${B}:1-3`, 'mysql'), `${A}:11-12`);
  t.equal(divergingGtids('', `${A}:1-10`, 'mysql'), '');
  t.end();
});

t.test('MariaDB: branches that count on from the same number', (t) => {
  // The old primary, server 1, wrote 104 and 105 that nobody got; the new one, server 2, wrote its own 104 to 107.
  t.equal(divergingGtids('0-1-105', '0-1-103,0-2-107', 'mariadb'), '0-1-105');
  t.equal(divergingGtids('0-1-103', '0-1-103,0-2-107', 'mariadb'), '');
  t.equal(divergingGtids('0-3-90,0-1-103', '0-3-90,0-1-103,0-2-107', 'mariadb'), '');
  t.equal(divergingGtids('0-1-103,5-1-2', '0-1-103,0-2-107', 'mariadb'), '5-1-2');
  t.equal(divergingGtids('', '0-1-3', 'mariadb'), '');
  t.throws(() => divergingGtids('0-1', '', 'mariadb'), GtidFormatError);
  t.end();
});
