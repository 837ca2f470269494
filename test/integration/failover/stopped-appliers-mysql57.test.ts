import { runStoppedAppliers } from './run-stopped-appliers.ts';

runStoppedAppliers('mysql');
