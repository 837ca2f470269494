/** The memory of the process, under the names of `stats_memory_metrics`: what the allocator's stand for is Node's. */

import { MAX_USERS } from '../../common/shared-counters.ts';
import type { CounterSnapshot } from '../metrics/counter-snapshot.ts';
import type { StatusVariable } from './global-status.ts';

/** Of an account in the shared counts. */
const BYTES_PER_USER = 4;

export function memoryMetrics({ statistics, workers }: CounterSnapshot): StatusVariable[] {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return [
    ['SQLite3_memory_bytes', 0],
    // Of the whole process; the three below of the main thread.
    ['jemalloc_resident', rss],
    ['jemalloc_active', heapTotal],
    ['jemalloc_allocated', heapUsed + external],
    ['jemalloc_mapped', rss],
    ['jemalloc_metadata', arrayBuffers],
    ['jemalloc_retained', Math.max(0, heapTotal - heapUsed)],
    ['Auth_memory', MAX_USERS * BYTES_PER_USER * (workers.length + 1)],
    ['query_digest_memory', statistics.counters.digestBytes],
    ['mysql_query_rules_memory', 0],
    ['mysql_firewall_users_table', 0],
    ['mysql_firewall_users_config', 0],
    ['mysql_firewall_rules_table', 0],
    ['mysql_firewall_rules_config', 0],
    ['stack_memory_mysql_threads', 0],
    ['stack_memory_admin_threads', 0],
    ['stack_memory_cluster_threads', 0],
  ];
}
