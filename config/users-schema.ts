/** Accounts of clients. */
import * as z from 'zod';
import { MAX_CONNECTIONS, MAX_HOSTGROUP, MAX_USERS } from './capacity.ts';
import { causalLevel } from './causal-schema.ts';
import { comment, describe, integer, jsonText, milliseconds } from './schema-parts.ts';
import { optionalPassword } from './secret-schema.ts';

/** More is no limit. */
const MAX_RATE = 10_000_000;

export const userSchema = z
  .strictObject({
    username: describe(z.string().min(1).max(128), {
      description: 'Account name, the same at Sluice and at the servers.',
    }),
    password: optionalPassword({
      description:
        'Plain text, or the mysql_native_password hash (`"*"` and 40 hex digits, in quotes); none means an account without a password.',
      defaultText: 'none',
    }),
    host: describe(z.string().min(1).max(255).default('%'), {
      description:
        'Clients that the account is for, as a server knows it: `%` and `_` are wildcards, `10.0.0.0/255.0.0.0` is a network. Host names are not looked up.',
    }),
    defaultSchema: describe(z.string().min(1).max(64).nullable().default(null), {
      description: 'Schema of a client that names none when it connects.',
      defaultText: 'none',
    }),
    maxConnections: integer(0, MAX_CONNECTIONS, 0, {
      description: 'Most client connections of this account over all workers; 0 sets no limit of its own.',
      unit: 'connections',
    }),
    active: describe(z.boolean().default(true), {
      description: '`false`: nobody can log in with it, as if it were not listed.',
    }),
    defaultHostgroup: describe(z.int().min(0).max(MAX_HOSTGROUP).nullable().default(null), {
      description:
        'Hostgroup for what no rule sends elsewhere. With the writer of a pair, proven reads go to its readers.',
      defaultText: 'writer of the first pair',
    }),
    schemaLocked: describe(z.boolean().default(false), {
      description: 'Kept for tools that write it; of no effect.',
    }),
    transactionPersistent: describe(z.boolean().default(true), {
      description: 'Kept for tools that write it: transactions always stay where they are.',
    }),
    fastForward: describe(z.boolean().default(false), {
      description: 'Its sessions keep one connection of the primary: nothing goes to replicas.',
    }),
    causalReads: describe(causalLevel.nullable().default(null), {
      description: 'Which writes its reads must see; see `causalReads.level`.',
      defaultText: '`causalReads.level`',
    }),
    attributes: jsonText('More about the account, for tools.'),
    rateLimit: describe(
      z
        .strictObject({
          perSecond: describe(z.number().min(0.001).max(MAX_RATE), {
            description: 'Statements; 0.5 is one in two seconds.',
          }),
          burst: describe(z.number().min(1).max(MAX_RATE).optional(), {
            description: 'Statements that may come at once after a pause.',
            defaultText: '`perSecond`, 1 at least',
          }),
        })
        .transform(({ perSecond, burst = Math.max(1, perSecond) }) => ({ perSecond, burst }))
        .nullable()
        .default(null),
      {
        description:
          'Most statements of this user over all workers, `{perSecond, burst}`; one more gets error 9030.',
        defaultText: 'none',
      },
    ),
    comment: comment(),
    requireTls: describe(z.union([z.boolean(), z.enum(['NONE', 'SSL', 'X509'])]).default('NONE'), {
      description:
        '`SSL` (or `true`): the account may be used over TLS only; `X509`: and with a certificate that `tls.ca` has signed. Else error 1045.',
    }),
  })
  .meta({ description: 'An account that clients may use.' });

export const backendUsersSchema = z
  .strictObject({
    source: describe(z.literal('backend'), { description: 'Read the accounts from the primary.' }),
    refreshIntervalMs: milliseconds(100, 10_000, 'Time between two readings of the accounts.'),
    timeoutMs: milliseconds(100, 10_000, 'A reading that takes longer has failed.'),
    serverConnectionLimits: describe(z.boolean().default(true), {
      description:
        "Clients count against the account's MAX_USER_CONNECTIONS and the server's `max_user_connections` as connections to the server would; `false` leaves these to the server, which counts the connections of Sluice.",
    }),
    listed: describe(z.array(userSchema).max(MAX_USERS).default([]), {
      description: "Accounts that are listed all the same; each replaces the primary's accounts of its name.",
      defaultText: 'none',
    }),
  })
  .meta({ description: 'Accounts are read from the primary.' });
