import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { testMovedPrimary } from './run-moved-primary.ts';

testMovedPrimary(t, ServerFlavor.mariadb);
