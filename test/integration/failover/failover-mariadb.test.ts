import { runFailover } from './run-failover.ts';

runFailover('mariadb');
