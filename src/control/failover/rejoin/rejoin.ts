/**
 * Makes a server a replica of the primary: a former primary that came back, or a replica that was left behind. It is
 * refused where the server has what the primary has not: whose data are right only people can say.
 */

import { ServerStatus } from '../../../topology/server-description.ts';
import { describeError } from '../../monitor/server-error.ts';
import { CheckList, type CheckVerdict } from '../check-verdict.ts';
import { followPrimary, type PrimaryPlace, replicationProblem } from '../follow-primary.ts';
import type { OpenServers, ServerPlace } from '../open-servers.ts';
import type { OperationContext } from '../operation-context.ts';
import { checkReplicationAccount, findReplicationAccount } from '../replication-account.ts';
import type { ServerOperator } from '../servers/server-operator.ts';
import type { ServerState } from '../servers/server-state.ts';
import type { OperationStep } from '../step-run.ts';
import { checkVersions } from '../switchover/target-checks.ts';
import { divergenceOf } from './divergence.ts';

interface Known {
  readonly operator: ServerOperator;
  readonly state: ServerState;
}

export interface RejoinPlan {
  readonly server: Known;
  readonly primary: Known;
  readonly place: PrimaryPlace;
}

export interface RejoinAssessment {
  readonly checks: readonly CheckVerdict[];
  readonly reason: string;
  readonly plan: RejoinPlan | null;
}

/** Says what only the server has, or what the primary cannot give it any more; '' for neither. */
function differenceText(server: ServerState, primary: ServerState): string {
  const { extra, purged } = divergenceOf(server, primary);
  if (extra !== '')
    return `${server.address} has transactions that the primary ${primary.address} has not: ${extra}`;
  if (purged === '') return '';
  return `${server.address} lacks transactions that the primary ${primary.address} has in no binary log any more: ${purged}`;
}

function checkDifference(checks: CheckList, server: ServerState, primary: ServerState): void {
  const difference = differenceText(server, primary);
  checks.require('gtid', difference === '', 'the primary has all that it has', difference);
}

export async function assessRejoin(
  context: OperationContext,
  servers: OpenServers,
  place: ServerPlace,
): Promise<RejoinAssessment> {
  const checks = new CheckList();
  const plan = await planRejoin(context, servers, place, checks).catch((error: unknown) => {
    checks.refuse('reachable', describeError(error));
    return null;
  });
  return { checks: checks.verdicts, reason: checks.reason, plan: checks.isRefused ? null : plan };
}

async function planRejoin(
  context: OperationContext,
  servers: OpenServers,
  place: ServerPlace,
  checks: CheckList,
): Promise<RejoinPlan | null> {
  const { topology } = context.monitor;
  const current = topology.primary === null ? null : topology.find(topology.primary);
  const isThere = current?.status === ServerStatus.ONLINE;
  const name = current?.address ?? '';
  if (!checks.require('primary', isThere, name, 'there is no primary that is ONLINE')) return null;
  if (current === null) return null;
  const isOther = place.address !== current.address;
  if (!checks.require('other', isOther, place.address, `${place.address} is the primary`)) return null;
  const [server, primary] = await Promise.all(
    [place, current].map(async (each) => {
      const operator = await servers.open(each);
      return { operator, state: await operator.readState() };
    }),
  );
  if (server === undefined || primary === undefined) return null;
  if (!checkVersions(checks, server.state, primary.state)) return null;
  checks.require('gtids', server.state.gtids, 'on', `gtid_mode is not ON on ${place.address}`);
  checkDifference(checks, server.state, primary.state);
  const missing = await server.operator.missingPrivileges();
  const grant = `GRANT ${missing.join(', ')} ON *.*`;
  checks.require('privileges', missing.length === 0, 'enough', `missing on ${place.address}: ${grant}`);
  const channel = server.state.channels[0]?.name ?? '';
  const account = await rejoinAccount(context, servers, server, channel);
  await checkReplicationAccount(checks, context, primary.operator, account);
  const { host, port } = current;
  const semiSync = primary.state.semiSync.sourceEnabled;
  const tls = server.state.channels[0]?.tls ?? false;
  return { server, primary, place: { host, port, tls, credentials: account, semiSync } };
}

/** A MySQL server that has no account of its own may replicate with that of another replica. */
async function rejoinAccount(
  context: OperationContext,
  servers: OpenServers,
  server: Known,
  channel: string,
): Promise<PrimaryPlace['credentials']> {
  const own = await findReplicationAccount(context, server.operator, channel);
  if (own !== null) return own;
  for (const other of context.monitor.topology.servers) {
    if (other.role !== 'replica' || other.address === server.operator.address) continue;
    const found = await servers.open(other).then(
      (operator) => findReplicationAccount(context, operator, ''),
      () => null,
    );
    if (found !== null) return found;
  }
  return null;
}

export function rejoinSteps(context: OperationContext, plan: RejoinPlan): readonly OperationStep[] {
  const { server, primary, place } = plan;
  const { operator } = server;
  return [
    {
      name: 'read-only',
      plan: `make ${operator.address} read-only`,
      run: async () => {
        await operator.setReadOnly();
        return '';
      },
    },
    {
      name: 'compare',
      plan: 'compare its GTIDs again, now that it takes no writes',
      run: async () => {
        const [state, other] = await Promise.all([operator.readState(), primary.operator.readState()]);
        const difference = differenceText(state, other);
        if (difference !== '') throw new Error(difference);
        return state.executed;
      },
    },
    {
      name: 'follow',
      plan: `let it replicate from ${primary.operator.address}`,
      run: async () => {
        const state = await operator.readState();
        // What it had stopped for is not what it is told to do now: the account is given anew.
        await followPrimary(operator, state, null, withChannel(state, place));
        const problem = await replicationProblem(operator);
        if (problem !== '') throw new Error(problem);
        return '';
      },
    },
    {
      name: 'measure',
      plan: 'look at it with the monitor',
      run: async () => {
        await context.monitor.wake(operator.address);
        return '';
      },
    },
  ];
}

/** A channel that is there keeps its TLS settings. */
function withChannel(state: ServerState, place: PrimaryPlace): PrimaryPlace {
  return { ...place, tls: state.channels[0]?.tls ?? place.tls };
}
