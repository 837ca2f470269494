import t from 'tap';
import { runMarks } from './run-marks.ts';

t.test('MariaDB', (t) => runMarks(t, 'mariadb'));
