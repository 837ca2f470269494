/** One run of a scenario: load, damage, load again, end, and what came of it. */

import type { BankAudit } from '../../test/chaos/bank-audit.ts';
import { readLedger } from '../../test/chaos/bank-workload.ts';
import { type ChaosVerdict, judge } from '../../test/chaos/chaos-verdict.ts';
import { inFlightAt, longestPauses, writesAgainAfterMs } from '../../test/chaos/pauses.ts';
import { SmallDisk } from '../../test/chaos/small-disk.ts';
import type { SysbenchLoadResult } from '../../test/chaos/sysbench-load.ts';
import type { Transfer } from '../../test/chaos/transfer.ts';
import type { DatabaseServer } from '../../test/support/database-server.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { Scenario } from './scenarios.ts';
import { Stage, type StageOptions } from './stage.ts';

export interface RunResult {
  /** Empty: every promise was kept. */
  readonly broken: readonly string[];
  readonly audit: BankAudit;
  readonly sysbench: SysbenchLoadResult | null;
  /** The longest of each client of the bank. */
  readonly pausesMs: readonly number[];
  /** The same before the damage: what this machine does to clients when nothing happens. */
  readonly quietPausesMs: readonly number[];
  /** How long Sluice held writes, by its own account. */
  readonly heldMs: number | null;
  /** From the damage to the first acknowledged write on another server; null: there was none. */
  readonly writesAgainMs: number | null;
  /** Transfers under way when the damage was done, and how many of them ended without an error. */
  readonly inFlight: number;
  readonly inFlightWithoutError: number;
  /** What has become of the old primary. */
  readonly oldPrimary: OldPrimary;
  /** Names of the servers that took acknowledged writes, in order. */
  readonly terms: readonly string[];
  /** Rows that a server wrote when its term was over, which nobody was told of. */
  readonly lateWrites: number;
}

export const OldPrimary = {
  follows: 'follows',
  /** It has transactions of its own, and Sluice has named them. */
  keptOut: 'kept out',
  left: 'left',
} as const;
export type OldPrimary = (typeof OldPrimary)[keyof typeof OldPrimary];

export type RunOptions = Omit<StageOptions, 'config' | 'stopsAtErrors' | 'disk'>;

const TRANSFERS_BEFORE = 10;
const TRANSFERS_AFTER = 10;
const REJOIN_TIMEOUT_MS = 20_000;
const LOAD_TIMEOUT_MS = 30_000;

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<RunResult> {
  const { config, isSilent, diskBytes } = scenario;
  const disk = diskBytes === undefined ? null : SmallDisk.mount(diskBytes);
  let stage: Stage | null = null;
  try {
    stage = await Stage.start({ ...options, config, stopsAtErrors: isSilent, disk });
    return await runOn(stage, scenario);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${stage?.sluice.logTail()}`, { cause: error });
  } finally {
    await stage?.dispose();
    disk?.dispose();
  }
}

async function runOn(stage: Stage, scenario: Scenario): Promise<RunResult> {
  const { bank, set } = stage;
  await bank.waitForEach(1, LOAD_TIMEOUT_MS);
  const loadedAtMs = performance.now();
  await bank.waitForEach(TRANSFERS_BEFORE, LOAD_TIMEOUT_MS);
  const sinceMs = performance.now();
  const failure = await scenario.run(stage).then(
    () => null,
    (error: Error) => error.message,
  );
  const recoveryMs = scenario.recoveryMs ?? LOAD_TIMEOUT_MS;
  const recovered = await bank.waitForEach(TRANSFERS_AFTER, recoveryMs).then(
    () => null,
    (error: Error) => error.message,
  );
  const recoveredAtMs = performance.now();
  const sysbench = await endSysbench(stage, recovered === null);
  const transfers = await bank.stop();
  // Where nobody has taken over, what was killed is still away.
  for (const server of set.servers) await server.start();
  const oldPrimary = await waitForOldPrimary(stage, scenario);
  const survivor = (await stage.writable()) ?? set.primary;
  const terms = survivor === set.primary ? [set.primary] : [set.primary, survivor];
  const servers = set.servers.filter((server) => server.running);
  const verdict = await judge({ transfers, survivor, servers, terms });
  const broken = [
    ...[failure, recovered].filter((message) => message !== null),
    ...verdict.broken,
    ...(scenario.isSilent ? clientErrors(verdict.audit, sysbench) : []),
    ...(oldPrimary === OldPrimary.left ? ['the old primary neither follows nor was kept out'] : []),
    ...(await differences(set.servers, survivor)),
  ];
  const gathered = { stage, transfers, verdict, sysbench, loadedAtMs, sinceMs, recoveredAtMs };
  return { broken, oldPrimary, ...figures(gathered) };
}

interface Gathered {
  readonly stage: Stage;
  readonly transfers: readonly Transfer[];
  readonly verdict: ChaosVerdict;
  readonly sysbench: SysbenchLoadResult | null;
  readonly loadedAtMs: number;
  readonly sinceMs: number;
  readonly recoveredAtMs: number;
}

function figures(gathered: Gathered): Omit<RunResult, 'broken' | 'oldPrimary'> {
  const { stage, transfers, verdict, sysbench, loadedAtMs, sinceMs, recoveredAtMs } = gathered;
  const { set } = stage;
  const { inFlight, withoutError } = inFlightAt(transfers, sinceMs);
  const beforeThat = transfers.filter(({ endedAtMs }) => endedAtMs < sinceMs);
  return {
    audit: verdict.audit,
    sysbench,
    pausesMs: longestPauses(transfers, { fromMs: sinceMs, toMs: recoveredAtMs }),
    quietPausesMs: longestPauses(beforeThat, { fromMs: loadedAtMs, toMs: sinceMs }),
    heldMs: heldMs(stage),
    writesAgainMs: writesAgainAfterMs(transfers, verdict.ledger, set.primary.serverId, sinceMs),
    inFlight,
    inFlightWithoutError: withoutError,
    terms: verdict.splitBrain.terms.map(({ serverId }) => set.nameOf(serverId)),
    lateWrites: verdict.splitBrain.lateWrites.length,
  };
}

function heldMs({ sluice }: Stage): number | null {
  const ended = sluice.log.findLast(
    ({ kind, operation }) => kind === 'operation-ended' && operation !== 'rejoin',
  );
  return typeof ended?.pauseMs === 'number' ? ended.pauseMs : null;
}

function clientErrors(audit: BankAudit, sysbench: SysbenchLoadResult | null): string[] {
  const errors = Object.entries(audit.errors).map(([error, count]) => `${count} clients' errors: ${error}`);
  if (sysbench?.survived === false) errors.push(`sysbench: ${sysbench.fatal}`);
  return errors;
}

/** Waits for its own end, unless there is nothing left to wait for. */
async function endSysbench(stage: Stage, goesOn: boolean): Promise<SysbenchLoadResult | null> {
  if (stage.sysbench === null) return null;
  return goesOn ? stage.sysbench.ended() : stage.sysbench.stop();
}

async function waitForOldPrimary({ set, sluice }: Stage, { leavesBroken }: Scenario): Promise<OldPrimary> {
  const { address } = set.primary;
  const look = async (): Promise<OldPrimary | null> => {
    const following = await Promise.all(set.servers.map(follows));
    // All but the primary, and but for what the scenario has broken for good.
    const left = following.filter((one) => !one).length - (leavesBroken === true ? 1 : 0);
    if (left === 1) return OldPrimary.follows;
    const isNamed = sluice.log.some(
      (line) => line.kind === 'server-kept-out' && line.address === address && line.gtids !== '',
    );
    return isNamed && left === 2 && following[0] === false ? OldPrimary.keptOut : null;
  };
  return waitUntil('the old primary is dealt with', look, { timeoutMs: REJOIN_TIMEOUT_MS }).catch(
    () => OldPrimary.left,
  );
}

/** Those that follow have what they follow. */
async function differences(servers: readonly DatabaseServer[], survivor: DatabaseServer): Promise<string[]> {
  // By their ids: two rows of the same microsecond have no order.
  const ledgerOf = async (server: DatabaseServer): Promise<string> =>
    (await readLedger(server))
      .map(({ transfer, serverId }) => `${transfer} ${serverId}`)
      .toSorted()
      .join();
  const expected = await ledgerOf(survivor);
  const found: string[] = [];
  for (const server of servers) {
    if (server === survivor || !(await follows(server))) continue;
    const isSame = async (): Promise<boolean> => (await ledgerOf(server)) === expected;
    await waitUntil(`${server.name} has the same ledger`, isSame).catch(() =>
      found.push(`${server.name} follows, and has another ledger`),
    );
  }
  return found;
}

async function follows(server: DatabaseServer): Promise<boolean> {
  const [status] = await server.query<Record<string, string>>('SHOW SLAVE STATUS');
  return status?.Slave_IO_Running === 'Yes' && status.Slave_SQL_Running === 'Yes';
}
