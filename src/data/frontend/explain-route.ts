/** EXPLAIN ROUTE: the whole decision for a statement of a fresh session, step by step. */

import { Gauge } from '../../common/shared-counters.ts';
import type { ExplainRequest, ExplainStep } from '../../common/thread-messages.ts';
import { digestName, digestText } from '../../sql/digest-text.ts';
import { makeLexicalContext } from '../../sql/lexical-context.ts';
import { RouteTarget } from '../../sql/route-reason.ts';
import type { StatementClass, TableReference } from '../../sql/statement-class.ts';
import { hashTokens } from '../../sql/token-hash.ts';
import { type HostgroupMember, MemberVerdict } from '../../topology/hostgroup-membership.ts';
import type { Destination } from '../router/destination.ts';
import type { RoutingFacts } from '../router/router.ts';
import type { WorkerContext } from '../worker-context.ts';
import { balancingSteps } from './explain-balancing.ts';
import { explainCache, explainStored } from './explain-cache.ts';
import { explainCausality } from './explain-causality.ts';
import { judgeForExplain } from './explain-route-rules.ts';

const MAX_TEXT_BYTES = 1024 * 1024;
const YES_NO = { true: 'yes', false: 'no' } as const;

const FRESH: Omit<RoutingFacts, 'schema' | 'verdict' | 'defaultHostgroup'> = {
  holdsConnection: false,
  inTransaction: false,
  pinned: false,
  autocommit: true,
  needsPrimary: false,
  avoidsReplicaTransactions: false,
};

/** @param request of a user who is not told the rules see an unnamed one from 127.0.0.1. */
export async function explainRoute(
  context: WorkerContext,
  { statement: text, schema, user, clientAddress }: ExplainRequest,
): Promise<ExplainStep[]> {
  const { backends, router, plans } = context;
  const primary = backends.primary?.server ?? null;
  // A session's own sql_mode and character set may read the bytes otherwise; this is how most sessions do.
  const lexical = makeLexicalContext({
    charset: 'utf8mb4',
    sqlMode: '',
    ...backends.dialect,
  });
  const bytes = Buffer.from(text, 'utf8');
  const written = plans.planFor(bytes, 0, bytes.length, lexical);
  const address = clientAddress ?? '127.0.0.1';
  const session = { username: user ?? '', schema, clientAddress: address, proxyAddress: '', proxyPort: 0 };
  const judged = judgeForExplain(context.rules.engine, session, written, bytes);
  const { verdict, rewritten } = judged;
  const plan = rewritten === null ? written : plans.planFor(rewritten, 0, rewritten.length, lexical);
  const { statement } = plan;
  const account = user === null ? null : await accountOf(context, user, address);
  const fresh: RoutingFacts = {
    ...FRESH,
    schema,
    verdict,
    defaultHostgroup: account?.defaultHostgroup ?? null,
  };
  const destination = router.destinationOf(statement, fresh);
  const route = router.route(statement, fresh, destination);
  const isRead = route.target === RouteTarget.replica;
  const runs = rewritten ?? bytes;
  const tokenHash = hashTokens(runs, 0, runs.length, lexical);
  const readers = membersOf(context, destination.readers);
  const fit = readers.filter(({ verdict }) => verdict === MemberVerdict.fit).map(({ address }) => address);
  const servers = isRead ? fit : [primary?.address ?? 'none'];
  const hostgroup = isRead && destination.readers !== null ? destination.readers : destination.writer;
  return [
    { step: 'digest', value: digestText(written.normalized, MAX_TEXT_BYTES) },
    { step: 'digest_hash', value: digestName(written.normalized) },
    ...judged.steps,
    ...classSteps(statement, schema),
    { step: 'views', value: viewsState(context) },
    { step: 'destination', value: describeDestination(destination) },
    { step: 'candidates', value: describeCandidates(readers) },
    { step: 'causal_reads', value: explainCausality(context, { plan, schema, verdict, account, isRead }) },
    { step: 'cache', value: explainCache(context, plan, verdict, user, schema) },
    ...explainStored(context, { text: runs, destination, rules: verdict, username: user, schema }),
    { step: 'target', value: route.target },
    { step: 'reason', value: route.reason },
    { step: 'hostgroup', value: String(hostgroup) },
    { step: 'servers', value: servers.join(', ') },
    ...(isRead ? balancingSteps(context, { destination, user, schema, tokenHash }) : []),
  ];
}

function classSteps(statement: StatementClass, schema: string | null): ExplainStep[] {
  const { kind, command, statementCount, provenRead, reason, detail, tables, writes, pins, mayWrite } =
    statement;
  return [
    { step: 'kind', value: kind },
    { step: 'command', value: command },
    { step: 'statements', value: String(statementCount) },
    { step: 'proven_read', value: YES_NO[`${provenRead}`] },
    { step: 'class_reason', value: detail === '' ? reason : `${reason}: ${detail}` },
    { step: 'tables', value: named(tables, schema) },
    { step: 'writes', value: writes === null ? 'any table' : named(writes, schema) },
    { step: 'pins', value: pins.join(', ') },
    { step: 'may_write', value: YES_NO[`${mayWrite}`] },
  ];
}

async function accountOf({ accounts }: WorkerContext, user: string, address: string) {
  return accounts.find(user, accounts.hostOf(address));
}

function membersOf({ snapshot }: WorkerContext, hostgroup: number | null): readonly HostgroupMember[] {
  return snapshot.hostgroups.find(({ id }) => id === hostgroup)?.members ?? [];
}

/** Whose members proven reads go to, and who says so. */
function describeDestination({ source, readers, writer }: Destination): string {
  if (readers === null) return `hostgroup ${writer} (${source}): the primary`;
  return `hostgroup ${readers} (${source}) for proven reads`;
}

function describeCandidates(members: readonly HostgroupMember[]): string {
  return members.map(({ address, verdict }) => `${address} ${verdict}`).join(', ');
}

function named(tables: readonly TableReference[], schema: string | null): string {
  return tables.map((table) => `${table.schema ?? schema ?? '(no schema)'}.${table.table}`).join(', ');
}

function viewsState(context: WorkerContext): string {
  const { catalog, catalogEpoch } = context.snapshot;
  if (!catalog.complete) return catalog.incompleteReason;
  return context.shared.gauge(Gauge.viewsEpoch) === catalogEpoch
    ? 'known'
    : 'being read again after a change';
}
