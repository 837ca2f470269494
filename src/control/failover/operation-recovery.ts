/**
 * Ends what another process has begun and not ended: it was killed, or its machine. The record in the servers says what
 * was meant, the state of the servers how far it came.
 *
 * | old primary           | new primary | what is done                                                         |
 * |-----------------------|-------------|----------------------------------------------------------------------|
 * | writable              | read-only   | nothing irrevocable was done: replication goes on, the record ends    |
 * | read-only             | read-only   | the same, and the old primary is made writable again                  |
 * | read-only, or away    | writable    | there was no way back: the new one keeps the writes, others follow it |
 * | writable              | writable    | somebody else has been at work: nothing, and it is said               |
 * | read-only             | away        | nobody knows whether it takes writes: waited for                      |
 * | away                  | read-only   | a dead primary: a failover's business                                 |
 * | writable              | away        | nothing irrevocable was done: the record ends                         |
 */

import type { ServerAddress } from '../../topology/server-description.ts';
import { describeError } from '../monitor/server-error.ts';
import { followPrimary, type PrimaryPlace, replicationProblem } from './follow-primary.ts';
import { OpenServers } from './open-servers.ts';
import type { OperationContext } from './operation-context.ts';
import { OperationKind, OperationOutcome } from './operation-event.ts';
import { OperationLock } from './operation-lock.ts';
import { endRecord, hasEnded, type OperationRecord, readRunningOperation } from './operation-record.ts';
import { findReplicationAccount } from './replication-account.ts';
import { killOrphanedOrders } from './servers/orphaned-orders.ts';
import type { ServerOperator } from './servers/server-operator.ts';
import { isReadOnly, type ReplicationChannelState, type ServerState } from './servers/server-state.ts';
import { type OperationStep, type RunReport, runSteps } from './step-run.ts';

interface Found {
  readonly operator: ServerOperator;
  readonly state: ServerState;
}

export const RecoveryResult = {
  /** Nothing was left. */
  nothing: 'nothing',
  /** It was finished or undone; the record has ended. */
  ended: 'ended',
  /** Somebody is at it, or servers are missing: worth another look. */
  later: 'later',
} as const;
export type RecoveryResult = (typeof RecoveryResult)[keyof typeof RecoveryResult];

export interface Recovery {
  readonly result: RecoveryResult;
  /** Why later; '' otherwise. */
  readonly reason: string;
  readonly report: RunReport | null;
}

const NOTHING: Recovery = { result: RecoveryResult.nothing, reason: '', report: null };

function later(reason: string): Recovery {
  return { result: RecoveryResult.later, reason, report: null };
}

/** Runs what changes servers while nothing else of this process does. */
type Alone = (work: () => Promise<Recovery>) => Promise<Recovery>;

class OperationRecovery {
  readonly #context: OperationContext;
  readonly #servers: OpenServers;
  readonly #alone: Alone;
  readonly #found = new Map<ServerAddress, Found>();
  #isAnyMissing = false;

  constructor(context: OperationContext, servers: OpenServers, alone: Alone) {
    this.#context = context;
    this.#servers = servers;
    this.#alone = alone;
  }

  async recover(): Promise<Recovery> {
    await this.#lookAtAll();
    const record = await this.#findRecord();
    if (record === null) {
      const isOpen = this.#isAnyMissing && this.#context.monitor.topology.primary === null;
      return isOpen ? later('not all servers answer') : NOTHING;
    }
    const refusal = this.#context.agreement.refusal();
    return refusal === null ? this.#alone(() => this.#endUnderLock(record)) : later(refusal);
  }

  async #endUnderLock(record: OperationRecord): Promise<Recovery> {
    const named = [record.from, record.to].flatMap((address) => this.#find(address) ?? []);
    if (named.length === 0) return later(`neither ${record.from} nor ${record.to} answers`);
    const targets = named.map(({ operator }) => operator.link.target);
    const lock = await OperationLock.take(targets, this.#context.credentials());
    if (lock === null) return later('the Sluice that has begun it is at work');
    try {
      await Promise.all(named.map(({ operator }) => killOrphanedOrders(operator.link)));
      // What was seen before nobody held the lock may have changed since.
      await this.#lookAtAll();
      if ((await this.#findRecord())?.id !== record.id) return later('it has just ended');
      return await this.#end(record);
    } finally {
      lock.release();
    }
  }

  /** Both names of a server lead to it. */
  #find(address: ServerAddress): Found | null {
    const known = this.#context.monitor.topology.find(address);
    return this.#found.get(known?.address ?? address) ?? null;
  }

  async #lookAtAll(): Promise<void> {
    this.#found.clear();
    this.#isAnyMissing = false;
    await Promise.all(
      this.#context.monitor.topology.servers.map(async (server) => {
        try {
          const operator = await this.#servers.open(server);
          this.#found.set(server.address, { operator, state: await operator.readState() });
        } catch {
          this.#isAnyMissing = true;
        }
      }),
    );
  }

  /** A replica that lags may not know yet that it has ended. */
  async #findRecord(): Promise<OperationRecord | null> {
    const links = [...this.#found.values()].map(({ operator }) => operator.link);
    const records = await Promise.all(links.map((link) => readRunningOperation(link).catch(() => null)));
    for (const record of records) {
      if (record === null) continue;
      const ended = await Promise.all(links.map((link) => hasEnded(link, record.id).catch(() => false)));
      if (!ended.includes(true)) return record;
    }
    return null;
  }

  async #end(record: OperationRecord): Promise<Recovery> {
    const from = this.#find(record.from);
    const to = this.#find(record.to);
    if (to !== null && !isReadOnly(to.state)) {
      if (from !== null && !isReadOnly(from.state))
        return later(
          `${record.from} and ${record.to} are both writable: one of them has to be made read-only by hand`,
        );
      return this.#run(record, this.#finishing(record, from, to));
    }
    if (from === null) return later(`${record.from} does not answer`);
    const isFromReadOnly = isReadOnly(from.state);
    if (to === null && isFromReadOnly)
      return later(`${record.from} is read-only, and ${record.to}, which may be writable, does not answer`);
    const others = [...this.#found.values()].filter(
      ({ state }) => !isReadOnly(state) && state !== from.state,
    );
    const names = others.map(({ operator }) => operator.address).join(', ');
    if (isFromReadOnly && names !== '')
      return later(`${record.from} cannot be made writable again: ${names} takes writes`);
    return this.#run(record, this.#undoing(record, from, to));
  }

  async #run(record: OperationRecord, steps: readonly OperationStep[]): Promise<Recovery> {
    const { monitor } = this.#context;
    const operation = OperationKind.recovery;
    const { id, from, to } = record;
    monitor.note({ kind: 'operation-started', operation, id, from, to });
    const began = performance.now();
    const report = await runSteps(steps, { operation, id, note: (event) => monitor.note(event) });
    const durationMs = Math.round(performance.now() - began);
    const { outcome, reason } = report;
    monitor.note({ kind: 'operation-ended', operation, id, outcome, durationMs, pauseMs: null, reason });
    const isEnded = outcome === OperationOutcome.done;
    return { result: isEnded ? RecoveryResult.ended : RecoveryResult.later, reason, report };
  }

  #undoing(record: OperationRecord, from: Found, to: Found | null): readonly OperationStep[] {
    const steps: OperationStep[] = [];
    // First: a replica that waits for acknowledgements would stand still.
    const { semiSync } = from.state;
    if (to !== null && semiSync.sourceEnabled && to.state.semiSync.sourceEnabled)
      steps.push({
        name: 'semi-sync',
        plan: `${record.to} gives acknowledgements, and waits for none`,
        run: async () => {
          await to.operator.setSemiSync(false, true);
          return '';
        },
      });
    const channel = to?.state.channels.find((each) => this.#leadsTo(each, from));
    if (to !== null && channel !== undefined) {
      steps.push({
        name: 'replicate',
        plan: `let ${record.to} replicate again`,
        run: async () => {
          await to.operator.startReplication(channel.name);
          return '';
        },
      });
    }
    steps.push(
      {
        name: 'writable',
        plan: `make ${record.from} writable again`,
        run: async () => {
          if (isReadOnly(from.state)) await from.operator.setWritable();
          return '';
        },
      },
      this.#ending(record, from, OperationOutcome.undone),
    );
    return steps;
  }

  #finishing(record: OperationRecord, from: Found | null, to: Found): readonly OperationStep[] {
    const steps: OperationStep[] = [];
    const isPair = from?.state.channels.some((each) => this.#leadsTo(each, to)) ?? false;
    steps.push({
      name: 'reset',
      plan: `let ${record.to} forget its source`,
      // What fails behind it is told, and left for REJOIN.
      final: true,
      run: async () => {
        if (isPair) return 'they replicate from each other';
        for (const { name } of to.state.channels) {
          await to.operator.stopReplication(name);
          await to.operator.resetReplication(name);
        }
        return '';
      },
    });
    // With semi-synchronous replication the first commit needs a replica: so the record ends behind this.
    steps.push({
      name: 'follow',
      plan: `let the others replicate from ${record.to}`,
      run: () => this.#letFollow(from, to),
    });
    steps.push(this.#ending(record, to, OperationOutcome.done));
    return steps;
  }

  #ending(record: OperationRecord, { operator }: Found, outcome: OperationOutcome): OperationStep {
    return {
      name: 'end',
      plan: 'end the record',
      run: async () => {
        await endRecord(operator.link, record.id, outcome, 'the Sluice that had begun it was gone');
        await this.#context.monitor.wake();
        return outcome;
      },
    };
  }

  async #letFollow(from: Found | null, to: Found): Promise<string> {
    const tls = to.state.channels[0]?.tls ?? false;
    const { host, port } = to.operator.link.target;
    const credentials = await this.#account(to, to.state.channels[0]);
    const place = { host, port, tls, credentials, semiSync: to.state.semiSync.sourceEnabled };
    const problems: string[] = [];
    for (const other of this.#found.values()) {
      if (other.operator === to.operator) continue;
      const problem = await this.#letOneFollow(other, from, to, place).catch(describeError);
      if (problem !== '') problems.push(`${other.operator.address}: ${problem}`);
    }
    await this.#context.monitor.wake();
    if (problems.length > 0) throw new Error(`${problems.join('; ')}; see REJOIN`);
    return '';
  }

  /** @returns what is wrong, '' for nothing */
  async #letOneFollow(other: Found, from: Found | null, to: Found, place: PrimaryPlace): Promise<string> {
    const { operator, state } = other;
    const known = state.channels.find((each) => this.#leadsTo(each, to));
    if (known !== undefined) {
      // It may have been told where to, and not to begin.
      await operator.startReplication(known.name);
      return replicationProblem(operator);
    }
    const isOld = operator === from?.operator;
    const channel = from === null ? undefined : state.channels.find((each) => this.#leadsTo(each, from));
    if (!isOld && channel === undefined) return '';
    if (channel === undefined && place.credentials === null)
      return 'nothing tells the account that servers replicate with';
    await followPrimary(operator, state, channel ?? null, place);
    return replicationProblem(operator);
  }

  /** Of any replica: the new primary may have forgotten its own already. */
  async #account(to: Found, channel: ReplicationChannelState | undefined) {
    const candidates: [ServerOperator, string][] = channel === undefined ? [] : [[to.operator, channel.name]];
    for (const { operator, state } of this.#found.values())
      for (const { name } of state.channels) candidates.push([operator, name]);
    for (const [operator, name] of candidates) {
      const account = await findReplicationAccount(this.#context, operator, name).catch(() => null);
      if (account !== null) return account;
    }
    return findReplicationAccount(this.#context, to.operator, '').catch(() => null);
  }

  #leadsTo(channel: ReplicationChannelState, { operator, state }: Found): boolean {
    if (channel.sourceUuid !== null && state.serverUuid !== null)
      return channel.sourceUuid === state.serverUuid;
    const named = this.#context.monitor.topology.find(channel.source)?.address ?? channel.source;
    return named === operator.address || channel.sourceId === state.serverId;
  }
}

/**
 * Looks for an operation that was left, and ends it. Never throws for a server that does not answer.
 * @param alone around what is done if there is one: looking keeps nobody from a failover
 */
export async function recoverOperation(
  context: OperationContext,
  alone: Alone = (work) => work(),
): Promise<Recovery> {
  const servers = new OpenServers(context);
  try {
    return await new OperationRecovery(context, servers, alone).recover();
  } catch (error) {
    return later(describeError(error));
  } finally {
    servers.close();
  }
}
