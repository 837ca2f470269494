/** Holds what the clients were told against what the surviving primary has. Pure. */

import { INITIAL_BALANCE } from './bank-workload.ts';
import { type LedgerRow, type Transfer, TransferOutcome } from './transfer.ts';

export interface BankAudit {
  readonly acknowledged: number;
  readonly failed: number;
  /** COMMIT was sent and never answered with a truth: as many as are there, and as many as are not. */
  readonly doubtful: { readonly committed: number; readonly absent: number };
  /** Acknowledged, and not there. */
  readonly lost: readonly number[];
  /** There more than once. */
  readonly doubled: readonly number[];
  /** There, though the client was told that they are not. */
  readonly phantoms: readonly number[];
  /** There, though no client made them. */
  readonly strangers: readonly number[];
  /** Accounts whose balance is not what the ledger makes of it. */
  readonly wrongBalances: readonly number[];
  /** What all balances together are off by. */
  readonly sumError: number;
  /** Of transfers that were not acknowledged: how often each error came, as `step errno`. */
  readonly errors: Readonly<Record<string, number>>;
}

export function auditBank(
  transfers: readonly Transfer[],
  ledger: readonly LedgerRow[],
  balances: ReadonlyMap<number, number>,
): BankAudit {
  const times = new Map<number, number>();
  for (const { transfer } of ledger) times.set(transfer, (times.get(transfer) ?? 0) + 1);
  const known = new Set(transfers.map(({ id }) => id));
  const idsOf = (outcome: TransferOutcome): number[] =>
    transfers.filter((one) => one.outcome === outcome).map(({ id }) => id);
  const acknowledged = idsOf(TransferOutcome.acknowledged);
  const failed = idsOf(TransferOutcome.failed);
  const doubtful = idsOf(TransferOutcome.doubtful);
  const committed = doubtful.filter((id) => times.has(id)).length;
  return {
    acknowledged: acknowledged.length,
    failed: failed.length,
    doubtful: { committed, absent: doubtful.length - committed },
    lost: acknowledged.filter((id) => !times.has(id)),
    doubled: [...times].filter(([, count]) => count > 1).map(([id]) => id),
    phantoms: failed.filter((id) => times.has(id)),
    strangers: [...times.keys()].filter((id) => !known.has(id)),
    wrongBalances: wrongBalances(ledger, balances),
    sumError: [...balances.values()].reduce((sum, balance) => sum + balance - INITIAL_BALANCE, 0),
    errors: countErrors(transfers),
  };
}

/** What breaks a promise; empty when all is well. */
export function brokenPromises(audit: BankAudit): string[] {
  const broken: string[] = [];
  for (const what of ['lost', 'doubled', 'phantoms', 'strangers', 'wrongBalances'] as const) {
    const ids = audit[what];
    if (ids.length > 0) broken.push(`${ids.length} ${what}: ${ids.slice(0, 10).join(', ')}`);
  }
  if (audit.sumError !== 0) broken.push(`the sum is off by ${audit.sumError}`);
  return broken;
}

function wrongBalances(ledger: readonly LedgerRow[], balances: ReadonlyMap<number, number>): number[] {
  const expected = new Map([...balances.keys()].map((account) => [account, INITIAL_BALANCE]));
  const add = (account: number, amount: number): void => {
    expected.set(account, (expected.get(account) ?? Number.NaN) + amount);
  };
  for (const { fromAccount, toAccount, amount } of ledger) {
    add(fromAccount, -amount);
    add(toAccount, amount);
  }
  return [...expected].filter(([account, balance]) => balances.get(account) !== balance).map(([id]) => id);
}

function countErrors(transfers: readonly Transfer[]): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const { failure } of transfers) {
    if (failure === null) continue;
    const key = `${failure.step} ${failure.errno === 0 ? failure.message : failure.errno}`;
    errors[key] = (errors[key] ?? 0) + 1;
  }
  return errors;
}
