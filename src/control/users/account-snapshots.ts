/** Listed accounts and those of the primary, merged into what workers look logins up in. */

import type { Config, UserConfig } from '../../../config/schema.ts';
import { credentialOfPassword } from '../../../protocol/index.ts';
import { type Account, AccountSource, accountName, type PlacedAccount } from '../../common/account.ts';
import { encodeAccountTable } from '../../common/account-table.ts';
import { MAX_USERS, type SharedCounters, userGauge } from '../../common/shared-counters.ts';
import { type SnapshotAccounts, TlsRequirement } from '../../common/snapshot.ts';
import { AccountSlots } from './account-slots.ts';
import type { BackendAccounts } from './backend-accounts.ts';
import type { AccountReading } from './read-accounts.ts';

/** Of a Sluice without accounts of the primary: nobody's rules but its own. */
const OWN_POLICY = {
  flavor: null,
  resolvesLoopback: false,
  disconnectsExpired: true,
  maxUserConnections: 0,
} as const;

interface Encoded {
  readonly users: readonly UserConfig[];
  readonly reading: AccountReading | null;
  readonly placed: readonly PlacedAccount[];
  readonly table: SharedArrayBuffer;
}

export class AccountSnapshots {
  readonly #slots: AccountSlots;
  #encoded: Encoded | null = null;

  constructor(counters: SharedCounters, nowMs: () => number) {
    this.#slots = new AccountSlots(MAX_USERS, nowMs, (slot) => counters.gauge(userGauge(slot)));
  }

  /**
   * @param backend null where only the listed accounts count
   * @param epoch `Gauge.accountsEpoch` before the accounts were read
   * @throws RangeError when there are more accounts than places
   */
  build(config: Config, backend: BackendAccounts | null, epoch: number): SnapshotAccounts {
    const reading = backend?.reading ?? null;
    const { table } = this.#encode(config.users, reading);
    const policy = reading?.policy ?? OWN_POLICY;
    const enforced = config.backendUsers?.serverConnectionLimits ?? false;
    return Object.freeze({
      table,
      epoch,
      source: backend === null ? 'listed' : reading === null ? 'unread' : 'read',
      unreadReason: reading === null ? (backend?.failure ?? '') : '',
      policy,
      serverConnectionLimits: enforced,
    });
  }

  /** What was built last, for those who show it. */
  get accounts(): readonly PlacedAccount[] {
    return this.#encoded?.placed ?? [];
  }

  #encode(users: readonly UserConfig[], reading: AccountReading | null): Encoded {
    const known = this.#encoded;
    if (known !== null && known.users === users && known.reading === reading) return known;
    const listed = new Set(users.map(({ username }) => username));
    const accounts = [
      ...users.filter(({ active }) => active).map(accountOfUser),
      ...(reading?.accounts ?? []).filter(({ username }) => !listed.has(username)),
    ];
    const slots = this.#slots.assign(accounts.map(accountName));
    const placed = accounts.map((account, index) => ({ ...account, slot: slots[index]! }));
    const order = reading?.policy.flavor ?? 'mysql';
    this.#encoded = { users, reading, placed, table: encodeAccountTable(placed, order) };
    return this.#encoded;
  }
}

function accountOfUser({
  username,
  host,
  password,
  defaultSchema,
  defaultHostgroup,
  causalReads,
  fastForward,
  maxConnections,
  requireTls,
}: UserConfig): Account {
  const credential = credentialOfPassword(password);
  return {
    username,
    host,
    source: AccountSource.config,
    credentials: [credential],
    plugins: [credential.kind],
    defaultSchema,
    defaultHostgroup,
    causalReads,
    fastForward,
    maxConnections,
    maxUserConnections: 0,
    locked: false,
    expiresAtMs: null,
    requireTls: tlsRequirement(requireTls),
  };
}

function tlsRequirement(wanted: TlsRequirement | boolean): TlsRequirement {
  if (typeof wanted !== 'boolean') return wanted;
  return wanted ? TlsRequirement.SSL : TlsRequirement.NONE;
}
