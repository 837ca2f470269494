// sluice-test: long
import t from 'tap';
import { runCausal } from './run-causal.ts';

t.test('[B3] MySQL 5.7', (t) => runCausal(t, 'mysql'));
