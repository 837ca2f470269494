/** The checkers must be able to fail: each kind of broken promise, made by hand, is found. */

import t from 'tap';
import { auditBank, brokenPromises } from '../../chaos/bank-audit.ts';
import { INITIAL_BALANCE } from '../../chaos/bank-workload.ts';
import { inFlightAt, longestPauses, percentile, writesAgainAfterMs } from '../../chaos/pauses.ts';
import { findSplitBrain, splitBrains } from '../../chaos/split-brain.ts';
import { parseReports, parseTotals } from '../../chaos/sysbench-load.ts';
import {
  type LedgerRow,
  outcomeOfFailure,
  type Transfer,
  TransferOutcome,
  TransferStep,
} from '../../chaos/transfer.ts';

const { acknowledged, failed, doubtful } = TransferOutcome;

function transfer(id: number, outcome: TransferOutcome, startedAtMs = id, endedAtMs = id + 1): Transfer {
  const failure =
    outcome === acknowledged ? null : { step: TransferStep.commit, errno: 9009, message: 'lost' };
  return { id, client: 0, startedAtMs, endedAtMs, outcome, failure };
}

/** One unit of money from account 1 to account 2. */
function row(id: number, serverId = 1, atMicros = id): LedgerRow {
  return { transfer: id, fromAccount: 1, toAccount: 2, amount: 1, serverId, atMicros };
}

function balances(moved: number): Map<number, number> {
  return new Map([
    [1, INITIAL_BALANCE - moved],
    [2, INITIAL_BALANCE + moved],
  ]);
}

t.test('a bank where all is well', async (t) => {
  const transfers = [
    transfer(1, acknowledged),
    transfer(2, failed),
    transfer(3, doubtful),
    transfer(4, doubtful),
  ];
  const audit = auditBank(transfers, [row(1), row(3)], balances(2));
  t.strictSame(brokenPromises(audit), []);
  t.match(audit, { acknowledged: 1, failed: 1, doubtful: { committed: 1, absent: 1 } });
  t.strictSame(audit.errors, { 'commit 9009': 3 });
});

t.test('what the audit finds', async (t) => {
  const acknowledgedOne = [transfer(1, acknowledged)];
  const cases: ReadonlyArray<readonly [string, readonly Transfer[], readonly LedgerRow[], number, string[]]> =
    [
      ['lost', acknowledgedOne, [], 0, ['1 lost: 1']],
      ['doubled', acknowledgedOne, [row(1), row(1)], 2, ['1 doubled: 1']],
      ['committed though it failed', [transfer(1, failed)], [row(1)], 1, ['1 phantoms: 1']],
      ['of nobody', acknowledgedOne, [row(1), row(9)], 2, ['1 strangers: 9']],
      ['half done', acknowledgedOne, [row(1)], 0, ['2 wrongBalances: 1, 2']],
    ];
  for (const [name, transfers, ledger, moved, broken] of cases) {
    t.strictSame(brokenPromises(auditBank(transfers, ledger, balances(moved))), broken, name);
  }
  const uneven = new Map([...balances(1), [2, INITIAL_BALANCE]]);
  t.strictSame(
    brokenPromises(auditBank(acknowledgedOne, [row(1)], uneven)),
    ['1 wrongBalances: 2', 'the sum is off by -1'],
    'money that went away',
  );
});

t.test('what an error means for a transfer', async (t) => {
  const of = (step: TransferStep, errno: number): TransferOutcome =>
    outcomeOfFailure({ step, errno, message: '' });
  t.equal(of(TransferStep.body, 9009), failed);
  t.equal(of(TransferStep.commit, 9009), doubtful);
  t.equal(of(TransferStep.commit, 9042), failed, 'Sluice has found out that it is not there');
  t.equal(of(TransferStep.commit, 9012), failed, 'it was never sent');
});

t.test('split brain', async (t) => {
  const transfers = [1, 2, 3, 4].map((id) => transfer(id, acknowledged));
  const clean = findSplitBrain(
    transfers,
    [
      [row(1), row(2)],
      [row(1), row(2), row(3, 2), row(4, 2)],
    ],
    [1, 2],
  );
  t.strictSame(splitBrains(clean), [], 'one behind the other');
  t.strictSame(
    clean.terms.map(({ serverId, rows }) => [serverId, rows]),
    [
      [1, 2],
      [2, 2],
    ],
  );
  const there = findSplitBrain(transfers, [[row(1), row(2, 2), row(3, 1), row(4, 1)]], [1, 2, 1]);
  t.strictSame(splitBrains(there), [], 'there and back');

  const both = findSplitBrain(
    transfers,
    [
      [row(1), row(3)],
      [row(1), row(2, 2), row(4, 2)],
    ],
    [1, 2],
  );
  t.equal(splitBrains(both).length, 3, 'two at once: the late row, and two terms that nobody expected');
  t.match(both.lateWrites, [{ transfer: 3, serverId: 1, lateMicros: 1, acknowledged: true }]);

  const unsaid = findSplitBrain(
    transfers.slice(0, 2),
    [
      [row(1), row(3)],
      [row(1), row(2, 2)],
    ],
    [1, 2],
  );
  t.strictSame(splitBrains(unsaid), [], 'a late write that nobody was told of');
  t.match(unsaid.lateWrites, [{ transfer: 3, acknowledged: false }], 'is shown all the same');

  const stranger = findSplitBrain(transfers, [[row(1), row(2, 3)]], [1, 2]);
  t.match(splitBrains(stranger), [/server 3 took 1 acknowledged writes out of its turn/, /server 3/]);
});

t.test('pauses', async (t) => {
  const transfers = [
    transfer(1, acknowledged, 0, 10),
    transfer(2, doubtful, 10, 50),
    transfer(3, acknowledged, 50, 60),
    { ...transfer(4, acknowledged, 0, 95), client: 1 },
  ];
  t.strictSame(longestPauses(transfers, { fromMs: 0, toMs: 100 }), [50, 95]);
  t.strictSame(longestPauses(transfers, { fromMs: 5, toMs: 8 }), [5, 90], 'only what overlaps the window');
  t.strictSame(longestPauses(transfers, { fromMs: 15, toMs: 20 }), [50, 80], 'and that as a whole');
  t.equal(percentile([3, 1, 2], 0.5), 2);
  t.equal(percentile([3, 1, 2], 0.99), 3);
  t.strictSame(inFlightAt(transfers, 20), { inFlight: 2, withoutError: 1 });
  const ledger = [row(1), row(3, 2), row(4, 2)];
  t.equal(writesAgainAfterMs(transfers, ledger, 1, 40), 20);
  t.equal(writesAgainAfterMs(transfers, ledger.slice(0, 1), 1, 40), null);
});

t.test('the reports of sysbench', async (t) => {
  const line =
    '[ 1s ] thds: 32 tps: 31.79 qps: 1085.12 (r/w/o: 820.75/169.55/94.82) lat (ms,95%): 733.00 err/s: 1.98 reconn/s: 0.50';
  t.strictSame(parseReports(line), [{ transactions: 31.79, ignoredErrors: 1.98, reconnects: 0.5 }]);
  t.equal(parseTotals(line), null);
  const end =
    '    transactions:                        164    (32.62 per sec.)\n' +
    '    ignored errors:                      2      (0.40 per sec.)\n    reconnects:                          1      (0.20 per sec.)\n';
  t.strictSame(parseTotals(end), { transactions: 164, ignoredErrors: 2, reconnects: 1 });
});
