/** What the choice of a replica costs, by policy: among four, in a turn of its own and behind another one of its turn. */

import { LatencyAverage } from '../../src/data/backend/balancing/latency-average.ts';
import type { ReadNeeds } from '../../src/data/backend/balancing/read-needs.ts';
import { ReadGroup } from '../../src/data/backend/read-group.ts';
import { makeLexicalContext } from '../../src/sql/lexical-context.ts';
import { hashTokens } from '../../src/sql/token-hash.ts';
import { BalancingPolicyName } from '../../src/topology/balancing.ts';
import type { Microbenchmark } from './harness.ts';

const SERVERS = 4;
const APPLIED = 1000;

function group(policy: BalancingPolicyName) {
  const made = new ReadGroup({ lagMs: () => 5, appliedGtid: () => APPLIED });
  const members = Array.from({ length: SERVERS }, (_, slot) => {
    const latency = new LatencyAverage();
    latency.observe(1, 1, performance.now());
    const server = { address: `db${slot}:3306`, slot, role: 'replica' };
    return { pool: { server, inUse: slot, latency }, weight: 1 + slot, warming: null, isNear: true };
  });
  made.update(members, { policy, hashKey: 'statement', heaviest: SERVERS });
  return made;
}

function choice(name: string, policy: BalancingPolicyName, readsPerTurn: number, more: Partial<ReadNeeds>) {
  const servers = group(policy);
  const read = { affinity: -1, maxLagMs: -1, neededGtid: 0, ...more };
  return {
    name: `choice of a replica, ${policy}${name}`,
    run: (operations: number) => {
      let found = 0;
      for (let operation = 0; operation < operations; operation++) {
        if (read.affinity >= 0) read.affinity = Math.imul(operation, 0x9e3779b1) >>> 0;
        if (servers.choose(Math.floor(operation / readsPerTurn), read) !== null) found++;
      }
      if (found !== operations) throw new Error(`${policy} chose nobody`);
      return found;
    },
  };
}

const CONTEXT = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_119,
});

function key(name: string, text: string): Microbenchmark {
  const bytes = Buffer.from(text);
  return {
    name: `key of consistent hashing: ${name}, ${bytes.length} bytes`,
    bytesPerOperation: bytes.length,
    run: (operations) => {
      let sum = 0;
      for (let operation = 0; operation < operations; operation++)
        sum ^= hashTokens(bytes, 0, bytes.length, CONTEXT);
      return sum;
    },
  };
}

export const benchmarks: readonly Microbenchmark[] = [
  ...Object.values(BalancingPolicyName).map((policy) =>
    choice(policy === 'consistent-hash' ? ', by key' : '', policy, 1, {
      affinity: policy === 'consistent-hash' ? 0 : -1,
    }),
  ),
  choice(', 16 reads per turn', 'least-connections', 16, {}),
  choice(', 16 reads per turn, GTID needed', 'least-connections', 16, { neededGtid: APPLIED }),
  choice(', GTID needed', 'least-connections', 1, { neededGtid: APPLIED }),
  key('point select', 'SELECT c FROM sbtest1 WHERE id=100123'),
  key(
    'join',
    "SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = 'somebody@example.org' AND o.created > '2024-01-01' ORDER BY o.id DESC LIMIT 20",
  ),
];
