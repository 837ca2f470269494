// sluice-test: long
import t from 'tap';
import { runCausal } from './run-causal.ts';

t.test('[B3] MariaDB', (t) => runCausal(t, 'mariadb'));
