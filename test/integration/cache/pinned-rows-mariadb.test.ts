import t from 'tap';
import { runPinnedRows } from './run-pinned-rows.ts';

t.test('entries of single rows', (t) => runPinnedRows(t, 'mariadb'));
