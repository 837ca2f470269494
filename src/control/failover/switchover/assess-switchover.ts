/**
 * Everything that is looked at before a switchover, without touching anything. Each check says what it found; those that
 * need what an earlier one did not find are left out.
 */

import { splitServerAddress } from '../../../topology/server-address.ts';
import {
  type ServerAddress,
  type ServerDescription,
  ServerStatus,
} from '../../../topology/server-description.ts';
import { describeError } from '../../monitor/server-error.ts';
import { CheckList, type CheckVerdict } from '../check-verdict.ts';
import { isExecutable } from '../hooks/run-hook.ts';
import type { OpenServers } from '../open-servers.ts';
import type { OperationContext } from '../operation-context.ts';
import { isLockFree } from '../operation-lock.ts';
import { readRunningOperation } from '../operation-record.ts';
import { checkReplicationAccount, findReplicationAccount } from '../replication-account.ts';
import type { ServerState } from '../servers/server-state.ts';
import type { PlannedServer, SwitchoverPlan } from './switchover-plan.ts';
import {
  checkChannelGtid,
  checkFitness,
  checkReplicationRuns,
  checkSemiSync,
  checkVersions,
  findChannel,
} from './target-checks.ts';

export interface Assessment {
  readonly checks: readonly CheckVerdict[];
  /** All reasons why not; '' where there is a plan. */
  readonly reason: string;
  readonly plan: SwitchoverPlan | null;
}

class SwitchoverAssessment {
  readonly #context: OperationContext;
  readonly #servers: OpenServers;
  readonly #checks = new CheckList();

  constructor(context: OperationContext, servers: OpenServers) {
    this.#context = context;
    this.#servers = servers;
  }

  async assess(address: ServerAddress): Promise<Assessment> {
    const plan = await this.#plan(address).catch((error: unknown) => {
      this.#checks.refuse('reachable', describeError(error));
      return null;
    });
    const { verdicts, isRefused, reason } = this.#checks;
    return { checks: verdicts, reason, plan: isRefused ? null : plan };
  }

  async #plan(address: ServerAddress): Promise<SwitchoverPlan | null> {
    const pair = this.#findServers(address);
    if (pair === null) return null;
    const { primary, target } = pair;
    const [from, to] = await Promise.all([this.#reach(primary), this.#reach(target)]);
    if (from === null || to === null) return null;
    const checks = this.#checks;
    const isSameFlavor = checkVersions(checks, from.state, to.state);
    checkFitness(checks, from.state, to.state);
    const channel = findChannel(checks, from.state, to.state);
    if (channel === null || !isSameFlavor) return null;
    checkReplicationRuns(checks, to.state, channel);
    checkChannelGtid(checks, to.state, channel);
    checkSemiSync(checks, from.state, to.state);
    await this.#checkOperations(from, to);
    const others = await this.#findOthers(from, to);
    await this.#checkPrivileges([from, to, ...others]);
    await this.#checkHooks();
    const account = await findReplicationAccount(this.#context, to.operator, channel.name);
    const isPair = from.state.channels.some((each) => isOfServer(each.sourceUuid, each.sourceId, to.state));
    if (!isPair) await checkReplicationAccount(checks, this.#context, to.operator, account);
    if (!checks.isRefused) await this.#checkCaughtUp(from, to);
    const place = { ...this.#placeOf(target, to, primary, channel.source), tls: channel.tls };
    const semiSync = from.state.semiSync.sourceEnabled;
    return { from, to, channel, isPair, others, place: { ...place, credentials: account, semiSync } };
  }

  /** The two of them, as the monitor knows them. */
  #findServers(address: ServerAddress): { primary: ServerDescription; target: ServerDescription } | null {
    const checks = this.#checks;
    const { topology } = this.#context.monitor;
    const target = topology.find(address);
    const names = topology.servers.map((server) => server.address).join(', ');
    checks.require('known', target !== null, address, `there is no server ${address}; there are ${names}`);
    const primary = topology.primary === null ? null : topology.find(topology.primary);
    checks.require('primary', primary !== null, topology.primary ?? '', 'no primary is known: see FAILOVER');
    if (target === null || primary === null) return null;
    if (target.address === primary.address) {
      checks.refuse('other', `${target.address} is the primary already`);
      return null;
    }
    for (const [check, server] of [
      ['primary-status', primary],
      ['status', target],
    ] as const) {
      const { status, statusReason } = server;
      const isOnline = status === ServerStatus.ONLINE;
      checks.require(check, isOnline, status, `${server.address} is ${status}: ${statusReason}`);
    }
    const refusal = this.#context.agreement.refusal();
    checks.require('agreement', refusal === null, 'this Sluice may', refusal ?? '');
    const rivals = topology.rivals.join(', ');
    if (rivals !== '') checks.refuse('rivals', `there are other writable servers: ${rivals}`);
    return checks.isRefused ? null : { primary, target };
  }

  async #reach(server: ServerDescription): Promise<PlannedServer | null> {
    try {
      const operator = await this.#servers.open(server);
      return { operator, state: await operator.readState() };
    } catch (error) {
      this.#checks.refuse('reachable', describeError(error));
      return null;
    }
  }

  /** Replicas of the old primary that are to follow the new one. Those that cannot are left for REJOIN. */
  async #findOthers(from: PlannedServer, to: PlannedServer): Promise<SwitchoverPlan['others']> {
    const { topology } = this.#context.monitor;
    const others: SwitchoverPlan['others'][number][] = [];
    const rest = topology.servers.filter(
      ({ address }) => address !== from.operator.address && address !== to.operator.address,
    );
    // At once: each that is dead takes its time.
    const reached = await Promise.all(rest.map((server) => this.#reachOther(server)));
    for (const [index, server] of rest.entries()) {
      const other = reached[index] ?? null;
      const channel = other?.state.channels.find(
        (each) =>
          isOfServer(each.sourceUuid, each.sourceId, from.state) || each.source === from.operator.address,
      );
      if (other === null || channel === undefined) continue;
      if (!channel.byGtid)
        this.#checks.note('others', `${server.address} replicates without GTIDs: it stays`);
      else others.push({ ...other, channel });
    }
    const names = others.map(({ operator }) => operator.address).join(', ');
    this.#checks.require('others', true, names === '' ? 'no other replica' : `will follow: ${names}`, '');
    return others;
  }

  async #reachOther(server: ServerDescription): Promise<PlannedServer | null> {
    try {
      const operator = await this.#servers.open(server);
      return { operator, state: await operator.readState() };
    } catch (error) {
      this.#checks.note('others', `left for REJOIN: ${describeError(error)}`);
      return null;
    }
  }

  async #checkPrivileges(servers: readonly PlannedServer[]): Promise<void> {
    const { username } = this.#context.credentials();
    for (const { operator } of servers) {
      const lists = [
        [await operator.missingPrivileges(), '*.*'],
        [await operator.missingRecordPrivileges(), 'sluice.*'],
      ] as const;
      const grants = lists
        .filter(([missing]) => missing.length > 0)
        .map(([missing, on]) => `GRANT ${missing.join(', ')} ON ${on} TO '${username}'@'…'`);
      const lacks = `the monitor account lacks privileges on ${operator.address}: ${grants.join('; ')}`;
      if (grants.length > 0) this.#checks.refuse('privileges', lacks);
    }
  }

  async #checkHooks(): Promise<void> {
    const { hooks } = this.#context.settings();
    for (const path of [hooks.before, hooks.after]) {
      if (path === null) continue;
      this.#checks.require('hooks', await isExecutable(path), path, `${path} is no executable file`);
    }
  }

  async #checkOperations(from: PlannedServer, to: PlannedServer): Promise<void> {
    const free = await Promise.all([from, to].map(({ operator }) => isLockFree(operator.link)));
    const isFree = free.every((each) => each);
    this.#checks.require('lock', isFree, 'free', 'another Sluice has an operation running on these servers');
    const running = await readRunningOperation(from.operator.link);
    const text = `a ${running?.kind} from ${running?.from} to ${running?.to}, begun at ${running?.beganAt} UTC, has not ended`;
    this.#checks.require('operations', running === null, 'none runs', text);
    const isHeld = this.#context.gate.isHeld;
    this.#checks.require('hold', !isHeld, 'writes are not held', 'writes are held: see RELEASE WRITES');
  }

  /** Measured, not told: how long it takes to have what the primary has now. */
  async #checkCaughtUp(from: PlannedServer, to: PlannedServer): Promise<void> {
    const { maxLagMs } = this.#context.settings();
    const wanted = await from.operator.executedGtids();
    const began = performance.now();
    const hasAll = await to.operator.waitForGtids(wanted, maxLagMs);
    const tookMs = Math.round(performance.now() - began);
    const { address } = to.operator;
    const late = `${address} is lagging: after ${tookMs} ms it has not got what the primary had then (failover.maxLagMs is ${maxLagMs})`;
    this.#checks.require('lag', hasAll && tookMs <= maxLagMs, `${tookMs} ms`, late);
  }

  /** Servers may know each other by other names than Sluice's: then by those that they report. */
  #placeOf(
    target: ServerDescription,
    to: PlannedServer,
    primary: ServerDescription,
    sourceName: ServerAddress,
  ): { host: string; port: number } {
    const { reported } = to.state;
    const named = reported === null ? null : splitServerAddress(reported);
    if (sourceName === primary.address || named === null) return { host: target.host, port: target.port };
    this.#checks.note('names', `replicas will know ${target.address} as ${reported}, which it reports`);
    return named;
  }
}

function isOfServer(uuid: string | null, id: number | null, state: ServerState): boolean {
  return uuid !== null && state.serverUuid !== null ? uuid === state.serverUuid : id === state.serverId;
}

/** The lines stay open in `servers`: the plan uses them. */
export function assessSwitchover(
  context: OperationContext,
  servers: OpenServers,
  address: ServerAddress,
): Promise<Assessment> {
  return new SwitchoverAssessment(context, servers).assess(address);
}
