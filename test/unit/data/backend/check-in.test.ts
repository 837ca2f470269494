import t from 'tap';
import { StatusFlag } from '../../../../protocol/index.ts';
import {
  CheckInAction,
  type CheckInFacts,
  CheckInReason,
  checkInVerdict,
} from '../../../../src/data/backend/check-in.ts';

const CLEAN: CheckInFacts = {
  statusFlags: StatusFlag.SERVER_STATUS_AUTOCOMMIT,
  repliesOwed: 0,
  awaitsInfile: false,
  untracked: false,
  survivesReset: false,
  stateUnknown: false,
  initialised: false,
  initialLost: false,
  tainted: false,
  ageMs: 10,
  maxLifetimeMs: 0,
  serverUsable: true,
  poolClosing: false,
};

/** What makes each fact true, in the order in which they count, with what comes of it. */
const FACTS: readonly (readonly [Partial<CheckInFacts>, CheckInAction, CheckInReason])[] = [
  [{ awaitsInfile: true }, 'close', 'awaits-infile'],
  [{ repliesOwed: 1 }, 'close', 'replies-owed'],
  [{ tainted: true }, 'close', 'killed'],
  [{ poolClosing: true }, 'close', 'pool-closing'],
  [{ serverUsable: false }, 'close', 'server-gone'],
  [{ maxLifetimeMs: 9 }, 'close', 'too-old'],
  [{ survivesReset: true }, 'close', 'survives-reset'],
  [{ initialLost: true }, 'close', 'init-connect'],
  [{ initialised: true, untracked: true }, 'close', 'init-connect'],
  [{ untracked: true }, 'reset', 'untracked-state'],
  [{ stateUnknown: true }, 'reset', 'state-unknown'],
  [{ statusFlags: StatusFlag.SERVER_STATUS_IN_TRANS }, 'rollback', 'in-transaction'],
];

t.test('every combination of facts: the first that holds decides', async (t) => {
  for (let bits = 0; bits < 1 << FACTS.length; bits++) {
    const holding = FACTS.filter((_, index) => (bits & (1 << index)) !== 0);
    const facts = Object.assign({}, CLEAN, ...holding.map(([fact]) => fact)) as CheckInFacts;
    const [, action, reason] = holding[0] ?? [{}, CheckInAction.keep, CheckInReason.clean];
    const verdict = checkInVerdict(facts);
    if (verdict.action !== action || verdict.reason !== reason) {
      t.strictSame(verdict, { action, reason }, JSON.stringify(facts));
      return;
    }
  }
  const reasons = new Set(FACTS.map(([, , reason]) => reason));
  t.equal(reasons.size + 1, Object.keys(CheckInReason).length, 'every reason can be given');
});

t.test('a lifetime is over when it is exceeded, and 0 is none', async (t) => {
  t.equal(checkInVerdict({ ...CLEAN, ageMs: 10, maxLifetimeMs: 10 }).action, 'keep');
  t.equal(checkInVerdict({ ...CLEAN, ageMs: 11, maxLifetimeMs: 10 }).action, 'close');
  t.equal(checkInVerdict({ ...CLEAN, ageMs: 1e12, maxLifetimeMs: 0 }).action, 'keep');
});

t.test('flags of the last statement are no reason', async (t) => {
  const statusFlags =
    StatusFlag.SERVER_STATUS_AUTOCOMMIT |
    StatusFlag.SERVER_QUERY_NO_INDEX_USED |
    StatusFlag.SERVER_STATUS_DB_DROPPED;
  t.equal(checkInVerdict({ ...CLEAN, statusFlags }).action, 'keep');
});
