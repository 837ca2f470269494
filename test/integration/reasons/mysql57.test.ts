import t from 'tap';
import { runReasons } from './run-reasons.ts';

t.test('MySQL 5.7', (t) => runReasons(t, 'mysql'));
