import { runFailover } from './run-failover.ts';

runFailover('mysql');
