import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { testReplay } from './run-replay.ts';

testReplay(t, ServerFlavor.mariadb);
