/** Looks at what a dead primary has left: who can take its place, and whether a failover may begin at all. */

import { type CandidateVerdict, electHeir, type HeirCandidate } from '../../../topology/heir-election.ts';
import { OwnSign } from '../../../topology/primary-death.ts';
import { splitServerAddress } from '../../../topology/server-address.ts';
import {
  type ServerAddress,
  type ServerDescription,
  type ServerFlavor,
  ServerStatus,
} from '../../../topology/server-description.ts';
import type { WatchedPrimary } from '../../../topology/watched-primary.ts';
import { describeError } from '../../monitor/server-error.ts';
import { CheckList, type CheckVerdict } from '../check-verdict.ts';
import { lookAtPrimary } from '../detection/own-look.ts';
import { isExecutable } from '../hooks/run-hook.ts';
import type { OpenServers } from '../open-servers.ts';
import type { OperationContext } from '../operation-context.ts';
import { needsApplier, type ReplicationChannelState } from '../servers/server-state.ts';
import type { FailoverPlan, SemiSyncWish, Survivor } from './failover-plan.ts';

export interface FailoverAssessment {
  readonly checks: readonly CheckVerdict[];
  /** All reasons why not; '' where there is a plan. */
  readonly reason: string;
  readonly plan: FailoverPlan | null;
}

export interface AssessedPrimary {
  readonly primary: WatchedPrimary;
  /** Why a server must not be promoted now, for a reason that only Sluice knows; null: it may. */
  readonly exclusion: (address: ServerAddress) => string | null;
  readonly semiSync: SemiSyncWish | null;
}

/** A server that lives on a network that works answers in less. */
const LAST_LOOK_MS = 100;

class Assessment {
  readonly #context: OperationContext;
  readonly #servers: OpenServers;
  readonly #asked: AssessedPrimary;
  readonly #checks = new CheckList();

  constructor(context: OperationContext, servers: OpenServers, asked: AssessedPrimary) {
    this.#context = context;
    this.#servers = servers;
    this.#asked = asked;
  }

  async assess(): Promise<FailoverAssessment> {
    const plan = await this.#plan().catch((error: unknown) => {
      this.#checks.refuse('servers', describeError(error));
      return null;
    });
    const { verdicts, isRefused, reason } = this.#checks;
    return { checks: verdicts, reason, plan: isRefused ? null : plan };
  }

  async #plan(): Promise<FailoverPlan | null> {
    const refusal = this.#context.agreement.refusal();
    this.#checks.require('agreement', refusal === null, this.#context.agreement.state, refusal ?? '');
    await this.#checkHook();
    const survivors = await this.#survivors();
    const { primary } = this.#asked;
    const election = electHeir(
      survivors.map((survivor) => this.#candidateOf(survivor)),
      this.#context.settings().candidates,
    );
    for (const verdict of election.candidates) this.#checks.note('candidate', describeCandidate(verdict));
    const heir = survivors.find(({ operator }) => operator.address === election.heir);
    const hasHeir = this.#checks.require('heir', heir !== undefined, election.heir ?? '', election.reason);
    if (!hasHeir || heir === undefined) return null;
    const others = survivors.filter((survivor) => survivor !== heir);
    await this.#checkPrivileges(heir, others);
    const semiSync = this.#semiSync(heir, survivors);
    const replication = { tls: heir.channel?.tls ?? false, credentials: null, semiSync: semiSync.enabled };
    const place = { ...this.#placeOf(heir), ...replication };
    const toApply = heir.channel?.retrieved ?? '';
    const isBack = async () => {
      const sign = await lookAtPrimary(primary, this.#context.credentials(), LAST_LOOK_MS);
      return sign === OwnSign.answers;
    };
    return { from: primary.address, heir, toApply, others, place, semiSync, isBack };
  }

  async #checkHook(): Promise<void> {
    const { before } = this.#context.settings().hooks;
    if (before === null) return;
    const message = `${before} is no executable file`;
    this.#checks.require('hooks', await isExecutable(before), before, message);
  }

  /** Those that answer. Whether they are enough, the signs of death have told. */
  async #survivors(): Promise<Survivor[]> {
    const { topology } = this.#context.monitor;
    const { replicas } = this.#asked.primary;
    const found = await Promise.all(
      replicas.map(async (address) => {
        const server = topology.find(address);
        return server === null ? null : this.#reach(server);
      }),
    );
    return found.filter((survivor) => survivor !== null);
  }

  async #reach(server: ServerDescription): Promise<Survivor | null> {
    try {
      const operator = await this.#servers.open(server);
      const state = await operator.readState();
      const channel = state.channels.find((each) => this.#asked.primary.isSource(each)) ?? null;
      if (channel !== null || state.channels.length === 0) return { operator, state, channel };
      this.#checks.note('candidate', `${server.address} replicates from ${state.channels[0]?.source} now`);
    } catch (error) {
      this.#checks.note('candidate', `it does not answer: ${describeError(error)}`);
    }
    return null;
  }

  #candidateOf({ operator, state, channel }: Survivor): HeirCandidate {
    const { version, serverUuid, logBin, logReplicaUpdates, executed } = state;
    return {
      address: operator.address,
      flavor: version.flavor,
      versionId: version.id,
      serverUuid,
      logsUpdates: logBin && logReplicaUpdates,
      executed,
      retrieved: channel?.retrieved ?? '',
      applyError: channel === null ? null : applyErrorOf(channel, version.flavor),
      excluded: this.#exclusionOf({ operator, state, channel }),
    };
  }

  #exclusionOf({ operator, state, channel }: Survivor): string | null {
    const { address } = operator;
    const server = this.#context.monitor.topology.find(address);
    if (server?.status === ServerStatus.OFFLINE_SOFT || server?.status === ServerStatus.OFFLINE_HARD)
      return `the operator has set it ${server.status}`;
    if (!state.gtids) return 'gtid_mode is not ON';
    if (state.channels.length > 1) return 'it replicates from several sources';
    if (channel?.byGtid === false) return 'it replicates by file and position';
    if ((channel?.delaySeconds ?? 0) > 0) return `it is delayed on purpose, by ${channel?.delaySeconds} s`;
    return this.#asked.exclusion(address);
  }

  async #checkPrivileges(heir: Survivor, others: readonly Survivor[]): Promise<void> {
    const { username } = this.#context.credentials();
    await Promise.all(
      [heir, ...others].map(async (survivor) => {
        const missing = await survivor.operator.missingPrivileges();
        if (missing.length === 0) return;
        const { address } = survivor.operator;
        const text = `the monitor account lacks privileges on ${address}: GRANT ${missing.join(', ')} ON *.* TO '${username}'@'…'`;
        if (survivor === heir) this.#checks.refuse('privileges', text);
        else this.#checks.note('privileges', text);
      }),
    );
  }

  /** Where it was not seen, a replica that gives acknowledgements tells that somebody waited for them. */
  #semiSync(heir: Survivor, survivors: readonly Survivor[]): SemiSyncWish {
    if (!heir.state.semiSync.available) return { enabled: false, timeoutMs: null };
    if (this.#asked.semiSync !== null) return this.#asked.semiSync;
    return { enabled: survivors.some(({ state }) => state.semiSync.replicaEnabled), timeoutMs: null };
  }

  /** Servers may know each other by other names than Sluice's: then by those that they report. */
  #placeOf({ operator, state, channel }: Survivor): { host: string; port: number } {
    const { host, port } = operator.link.target;
    const named = state.reported === null ? null : splitServerAddress(state.reported);
    const isOurName = channel === null || channel.source === this.#asked.primary.address;
    if (isOurName || named === null) return { host, port };
    this.#checks.note(
      'names',
      `replicas will know ${operator.address} as ${state.reported}, which it reports`,
    );
    return named;
  }
}

/** Why what was received cannot be executed; null where it can. */
function applyErrorOf(channel: ReplicationChannelState, flavor: ServerFlavor): string | null {
  if (channel.sqlRunning !== 'No') return null;
  if (channel.sqlError !== '') return channel.sqlError;
  if (!needsApplier(channel, flavor) || channel.ioRunning !== 'No') return null;
  return 'both of its threads are stopped, and MariaDB throws away what it has received when one is started';
}

function describeCandidate({ address, refusal, toApply }: CandidateVerdict): string {
  if (refusal !== null) return `${address}: ${refusal}`;
  return toApply === ''
    ? `${address} has everything`
    : `${address} has everything, and has to execute ${toApply}`;
}

/** The lines stay open in `servers`: the plan uses them. */
export function assessFailover(
  context: OperationContext,
  servers: OpenServers,
  asked: AssessedPrimary,
): Promise<FailoverAssessment> {
  return new Assessment(context, servers, asked).assess();
}
