import t from 'tap';
import { runMarks } from './run-marks.ts';

t.test('MySQL 5.7', (t) => runMarks(t, 'mysql'));
