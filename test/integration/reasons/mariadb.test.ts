import t from 'tap';
import { runReasons } from './run-reasons.ts';

t.test('MariaDB', (t) => runReasons(t, 'mariadb'));
