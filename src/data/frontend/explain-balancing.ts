/** What EXPLAIN ROUTE tells of the choice among the servers that may answer. */

import { mixedBits } from '../../common/mixed-bits.ts';
import type { ExplainStep } from '../../common/thread-messages.ts';
import { HashKey } from '../../topology/balancing.ts';
import { hashText } from '../backend/balancing/hash-ring.ts';
import { StatementNeeds } from '../backend/balancing/read-needs.ts';
import type { Destination } from '../router/destination.ts';
import type { WorkerContext } from '../worker-context.ts';
import { NO_AFFINITY } from './read-affinity.ts';

export interface ExplainedRead {
  readonly destination: Destination;
  readonly user: string | null;
  readonly schema: string | null;
  /** Of its tokens, see `hashTokens`. */
  readonly tokenHash: number;
}

/** As this worker would choose now. */
export function balancingSteps({ backends }: WorkerContext, read: ExplainedRead): ExplainStep[] {
  const key = backends.hashKeyOf(read.destination);
  const needs = new StatementNeeds();
  needs.affinity = affinity(key, read);
  const foreseen = backends.foresee(read.destination, needs);
  if (foreseen === null) return [];
  const { address, policy, candidates } = foreseen;
  const shown = needs.affinity < 0 ? '' : `, key 0x${needs.affinity.toString(16).padStart(8, '0')}`;
  const judged = candidates.map((candidate) => `${candidate.address} (${candidate.figures})`);
  return [
    { step: 'policy', value: key === null ? policy : `${policy} by ${key}${shown}` },
    { step: 'weighed', value: judged.join(', ') },
    { step: 'chosen', value: address },
  ];
}

function affinity(key: HashKey | null, { user, schema, tokenHash }: ExplainedRead): number {
  if (key === HashKey.user) return user === null ? NO_AFFINITY : hashText(user);
  if (key === HashKey.schema) return hashText(schema ?? '');
  return key === null ? NO_AFFINITY : mixedBits(tokenHash);
}
