/**
 * Composition root of one worker thread: makes what its sessions share, follows snapshots, and stops on request.
 * Talks to the main thread by messages and shared counters only, and never waits for it.
 */

import { createPrivateKey, randomBytes, randomInt } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import type { CachedSecret } from '../../protocol/index.ts';
import { growingTo } from '../common/growing-lru.ts';
import { IdleCollection } from '../common/heap-collection.ts';
import type { LogThreshold } from '../common/logger.ts';
import { monotonicMs } from '../common/monotonic-ms.ts';
import { ReportQueue } from '../common/report-queue.ts';
import { Gauge, SharedCounters, WorkerCounter } from '../common/shared-counters.ts';
import { SharedGtids } from '../common/shared-gtids.ts';
import { SharedMeasurements } from '../common/shared-measurements.ts';
import { SharedStatistics, StatementCounter } from '../common/shared-statistics.ts';
import type { Snapshot } from '../common/snapshot.ts';
import { TableEpochs } from '../common/table-epochs.ts';
import { type FromWorker, StopMode, type ToWorker, type WorkerStart } from '../common/thread-messages.ts';
import { TimerWheel } from '../common/timer-wheel.ts';
import { ReportStream } from '../common/worker-report.ts';
import { GRAMMAR_MISSING, onGrammarMissing } from '../sql/grammars.ts';
import { AccountCredentials } from './backend/account-credentials.ts';
import { Backends } from './backend/backends.ts';
import type { PoolEnvironment } from './backend/pool-environment.ts';
import { SessionRegistry } from './backend/session-registry.ts';
import { StateDifferences } from './backend/state-difference.ts';
import { StatementDefinitions } from './backend/statement-definition.ts';
import { CacheAdvisor } from './cache/cache-advisor.ts';
import { Freshness } from './cache/freshness.ts';
import { type CacheLimits, ResultCache } from './cache/result-cache.ts';
import { RowProofs } from './cache/row-proof.ts';
import { WorkerMarks } from './cache/worker-marks.ts';
import { ReplicaWaits } from './causal/replica-waits.ts';
import { WorkerCausality } from './causal/worker-causality.ts';
import { AccountDirectory } from './frontend/account-directory.ts';
import { flushCache } from './frontend/cache-inspector.ts';
import { CacheRefreshes } from './frontend/cache-refreshes.ts';
import type { ClientConnection } from './frontend/client-connection.ts';
import { explainRoute } from './frontend/explain-route.ts';
import { HandoverDrain } from './frontend/handover-drain.ts';
import { inspect } from './frontend/inspector.ts';
import { Listener } from './frontend/listener.ts';
import { LoginBackoff } from './frontend/login-backoff.ts';
import { Mirrors } from './frontend/mirror.ts';
import { PasswordChecks } from './frontend/password-check.ts';
import { PrimaryDrain } from './frontend/primary-drain.ts';
import type { Session } from './frontend/session.ts';
import { StatementReports } from './frontend/statement-reports.ts';
import { FlushScheduler } from './io/flush-scheduler.ts';
import { ProxyNetworks } from './io/proxy-networks.ts';
import { ClientTlsContext } from './io/tls-contexts.ts';
import { CommitDoubts } from './replay/commit-doubts.ts';
import { WorkerReplays } from './replay/worker-replays.ts';
import { CachePolicy, cacheCatalogOf } from './router/caching/cache-policy.ts';
import { PlanCache } from './router/plan-cache.ts';
import { RouteRing } from './router/route-ring.ts';
import { Router } from './router/router.ts';
import { FirewallLog } from './router/rules/firewall-log.ts';
import { WorkerRules } from './router/rules/worker-rules.ts';
import { tableCatalogOf, UNKNOWN_TABLES } from './router/table-catalog.ts';
import { StatementStatistics } from './statistics/statement-statistics.ts';
import { AcceptedAssignments, type LogLevel, type WorkerContext } from './worker-context.ts';

/** Idle and worn-out backend connections are looked for this often. */
const JANITOR_MS = 1000;
/** A stopping worker looks this often whether its last transaction has ended. */
const DRAIN_CHECK_MS = 50;
/** Lines that the main thread has not taken. */
const MAX_LOG_LINES = 10_000;
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const port = parentPort;
if (port === null) throw new Error('worker.ts runs in a worker thread');
const start = workerData as WorkerStart;

const post = (message: FromWorker): void => port.postMessage(message);
/** Below it nothing is sent: all of `LEVELS` for `trace`, which workers do not have; none for `fatal` and `silent`. */
const rankOf = (level: LogThreshold): number => {
  if (level === 'trace') return 0;
  const rank = LEVELS.indexOf(level as LogLevel);
  return rank < 0 ? LEVELS.length : rank;
};
let threshold = rankOf(start.snapshot.settings.logLevel);

const shared = new SharedCounters(start.counters);
const counters = shared.worker(start.workerIndex);
const logLines = new ReportQueue(ReportStream.logLines, post, () =>
  counters.add(WorkerCounter.logLinesDropped),
);
logLines.limit = MAX_LOG_LINES;
const log = (level: LogLevel, message: string, fields: Record<string, unknown>): void => {
  if (LEVELS.indexOf(level) >= threshold && logLines.hasRoom()) logLines.add({ level, message, fields });
};
onGrammarMissing((grammar, err) => {
  counters.add(WorkerCounter.grammarsMissing);
  log('error', GRAMMAR_MISSING, { grammar, reason: err.message });
});
const statistics = new StatementStatistics(
  new SharedStatistics(start.statistics),
  start.workerIndex,
  start.snapshot.settings.statistics,
  randomInt(2 ** 32),
);
const measured = new SharedMeasurements(start.measurements);
const gtids = new SharedGtids(start.gtids);
const epochs = new TableEpochs(start.epochs);
const wheel = new TimerWheel(() => performance.now());
const initialVariables: WorkerContext['initialVariables'] = new Map();
const clients = new Set<ClientConnection>();

const scheduler = new FlushScheduler(() => backends.nextTurn());
const environment: PoolEnvironment = {
  workers: start.workers,
  counters: shared,
  workerCounters: counters,
  wheel,
  scheduler,
  measurements: { lagMs: (slot) => measured.lagMs(slot), appliedGtid: (slot) => gtids.applied(slot) },
  serverFailed: (address, reason) => post({ type: 'serverFailure', address, reason }),
  log,
  learnedInitial: (connection) => {
    // What a session starts with is what the primary says; a replica's defaults are brought in line with it.
    const { initialVariables: atLogin, variablesAfterReset: afterReset, key, collationId } = connection;
    if (atLogin === null || afterReset === null || connection.server.role !== 'primary') return;
    if (key.ownerId !== null) return;
    initialVariables.set(`${key.text} ${collationId}`, { atLogin, afterReset });
  },
};
const backends: Backends = new Backends(environment, wheel);
const causality = new WorkerCausality(gtids, counters, () => post({ type: 'gtidsWanted' }));

const accounts = new AccountDirectory(
  start.snapshot.accounts,
  randomBytes(16).toString('hex'),
  () => shared.gauge(Gauge.accountsEpoch),
  () => post({ type: 'accountsWanted' }),
);

const reports = new StatementReports(start.workerIndex, counters, post);
const clientEvents = new ReportQueue(ReportStream.clientEvents, post, () =>
  counters.add(WorkerCounter.clientEventsDropped),
);

const freshness = new Freshness(epochs, monotonicMs, new RowProofs(epochs, gtids));
/** Of this worker's share. */
const cacheLimits = ({ cache }: Snapshot['settings']): CacheLimits => ({
  maxBytes: Math.floor(cache.maxBytes / start.workers),
  maxResultBytes: cache.maxResultBytes,
});

const { level2 } = start.snapshot.settings.cache;
const sharesResults = level2.kind !== 'off' && start.snapshot.settings.cache.enabled;
// Most workers have no use for it.
const sharing = sharesResults ? await import('./cache/level2/start-second-level.ts') : null;
const secondLevel =
  sharing === null
    ? null
    : await sharing.startSecondLevel({ settings: level2, freshness, causality, epochs, counters, log });

const context: WorkerContext = {
  workerIndex: start.workerIndex,
  counters,
  shared,
  wheel,
  backends,
  plans: new PlanCache(randomInt(2 ** 32), start.snapshot.settings.limits.digestCacheEntries, {
    miss: () => counters.add(WorkerCounter.classified),
  }),
  definitions: new StatementDefinitions(),
  causality,
  epochs,
  freshness,
  cacheAdvisor: new CacheAdvisor(),
  cache: new ResultCache(freshness, epochs, cacheLimits(start.snapshot.settings), counters, secondLevel),
  refreshes: new CacheRefreshes(() => context),
  marks: new WorkerMarks(epochs, start.workerIndex, start.snapshot.settings.cache.enabled, post),
  replicaWaits: new ReplicaWaits(causality, environment.measurements),
  router: new Router(),
  rules: new WorkerRules(start.workerIndex, log),
  cachePolicy: new CachePolicy(() => post({ type: 'strongWanted' })),
  firewallLog: new FirewallLog(log, () => performance.now()),
  mirrors: new Mirrors(() => context),
  replays: new WorkerReplays(shared, counters),
  routes: new RouteRing(start.snapshot.settings.limits.routeRingEntries),
  statistics,
  reports,
  clientEvents,
  differences: new StateDifferences(),
  sessions: new SessionRegistry(start.workerIndex, post, backends),
  clients,
  secretCache: new LRUCache<string, CachedSecret>(growingTo(10_000)),
  checkPassword: new PasswordChecks().check,
  accounts,
  commits: new CommitDoubts(wheel, post),
  credentials: new AccountCredentials(),
  loginDelays: new LoginBackoff(() => performance.now()),
  rsaKey: { publicKeyPem: start.rsaKey.publicKey, privateKey: createPrivateKey(start.rsaKey.privateKey) },
  scheduler,
  clientTls: new ClientTlsContext(),
  proxyNetworks: new ProxyNetworks(),
  tables: UNKNOWN_TABLES,
  snapshot: start.snapshot,
  stopping: false,
  initialVariables,
  accepted: new AcceptedAssignments(),
  log,
  post,
};

const listener = new Listener(context, start.inherited);
const handover = new HandoverDrain(clients, () => stop(StopMode.graceful));
const drain = new PrimaryDrain(context, sessionsNow);
let isAccepting = true;

/** @param atOnce at the start, when nobody waits. */
function apply(snapshot: Snapshot, atOnce = false): void {
  context.snapshot = snapshot;
  accounts.apply(snapshot.accounts);
  const { complete, unsafeViews } = snapshot.catalog;
  const { hostgroups, routing, limits } = snapshot.settings;
  const isCurrent = (): boolean => shared.gauge(Gauge.viewsEpoch) === snapshot.catalogEpoch;
  const isSchemaCurrent = (): boolean =>
    isCurrent() && shared.gauge(Gauge.relationsEpoch) === snapshot.relationsEpoch;
  const { version, keys } = context.tables;
  context.tables = tableCatalogOf(snapshot.catalog.tables, isSchemaCurrent, context.tables);
  if (context.tables.version !== version || context.tables.keys !== keys)
    for (const { marks } of sessionsNow()) marks.schemaChanged();
  const catalog = { complete, trusted: routing.trustViews, unsafeViews: new Set(unsafeViews), isCurrent };
  context.cache.update(cacheLimits(snapshot.settings));
  context.cachePolicy.update(
    snapshot.settings.cache,
    cacheCatalogOf(snapshot.catalog, isCurrent),
    context.tables,
    limits.ruleTextBytes,
  );
  context.router.update(catalog, snapshot.hostgroups, hostgroups, routing.whenAllLag === 'least-lagged');
  context.plans.resize(limits.digestCacheEntries);
  context.routes.resize(limits.routeRingEntries);
  context.replays.update(snapshot.settings.transactionReplay);
  statistics.update(snapshot.settings.statistics);
  reports.apply(snapshot);
  const { clients: wantsClients, queueLength } = snapshot.settings.auditLog;
  clientEvents.limit = wantsClients ? queueLength : 0;
  threshold = rankOf(snapshot.settings.logLevel);
  context.clientTls.update(snapshot.clientTls);
  context.proxyNetworks.update(snapshot.settings.proxyNetworks);
  causality.apply(snapshot.gtidSources);
  context.freshness.apply({
    term: snapshot.writes.term,
    maxLagMs: snapshot.settings.cache.follower.maxLagMs,
  });
  context.commits.update(snapshot.settings.resolveCommits, limits.noServerWaitMs);
  backends.apply(snapshot);
  if (secondLevel !== null) secondLevel.server = sharedServer(snapshot);
  context.replicaWaits.keepOnly((pool) => backends.poolOf(pool.server.address) === pool);
  drain.apply(snapshot.writes);
  void follow(snapshot.accepting);
  context.rules.update(snapshot.rules, limits.ruleTextBytes, atOnce, () =>
    post({ type: 'applied', version: snapshot.version }),
  );
}

/** Whose results are shared: the same in all Sluices in front of the same servers, as long as these have the same primary. */
function sharedServer({ servers }: Snapshot): string | null {
  const primary = servers.find(({ role }) => role === 'primary');
  if (primary === undefined) return null;
  const { flavor, versionId } = backends.dialect;
  return `${flavor} ${versionId} ${primary.address} ${causality.sources.current?.prefix ?? ''}`;
}

async function follow(accepting: boolean): Promise<void> {
  if (accepting === isAccepting) return;
  isAccepting = accepting;
  const failures = await listener.accept(accepting);
  if (accepting) post({ type: 'accepting', failures });
}

async function listen(): Promise<void> {
  const { host, port: wanted, more, sockets, socketMode } = start.listen;
  try {
    const address = await listener.listen(host, wanted);
    for (const other of more) await listener.listen(other.host, other.port);
    for (const [index, path] of sockets.entries())
      if (index % start.workers === start.workerIndex) await listener.listenUnix(path, socketMode);
    post({ type: 'listening', ...address });
  } catch (error) {
    post({ type: 'listenFailed', message: (error as Error).message });
  }
}

/** No new clients; idle ones end now, the others when their transaction does, or at the limit. */
function stop(mode: StopMode): void {
  // The end of a hand-over, and then SIGTERM.
  if (context.stopping) return;
  context.stopping = true;
  handover.end();
  listener.close();
  const deadline =
    performance.now() + (mode === StopMode.graceful ? context.snapshot.settings.limits.shutdownGraceMs : 0);
  const check = (): void => {
    const over = performance.now() >= deadline;
    for (const client of [...clients]) {
      if (over || client.session === null || client.session.mayEndNow) client.endForShutdown();
    }
    if (clients.size > 0 && !over) {
      // Behind what has come from clients meanwhile.
      setTimeout(() => setImmediate(check), DRAIN_CHECK_MS);
      return;
    }
    backends.close();
    clearInterval(janitor);
    // The last ERR packets must leave before the thread ends.
    const drained = (): void => void setTimeout(() => post({ type: 'drained' }), DRAIN_CHECK_MS);
    if (secondLevel === null) drained();
    else void secondLevel.close().finally(drained);
  };
  check();
}

function sessionsNow(): Session[] {
  return [...clients].flatMap(({ session }) => (session === null ? [] : [session]));
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'snapshot') apply(message.snapshot);
  else if (message.type === 'stop') stop(message.mode);
  else if (message.type === 'whichSockets') post({ type: 'sockets', sockets: listener.sockets() });
  else if (message.type === 'handOver') {
    listener.close(true);
    handover.begin(message);
  } else if (message.type === 'commitResolved') context.commits.resolved(message);
  else if (message.type === 'whoDrains') drain.report();
  else if (message.type === 'explain') {
    const { requestId } = message;
    void explainRoute(context, message).then((steps) => post({ type: 'explained', requestId, steps }));
  } else if (message.type === 'watchCache') context.cacheAdvisor.start();
  else if (message.type === 'flushCache') flushCache(context.cache, message);
  else if (message.type === 'inspect') {
    inspect(message, context, sessionsNow(), post);
  } else if (message.type === 'reportTaken') {
    if (message.stream === ReportStream.clientEvents) clientEvents.taken(message.count);
    else if (message.stream === ReportStream.logLines) logLines.taken(message.count);
    else reports.taken(message.stream, message.count);
  } else if (message.type === 'kill') context.sessions.answerKill(message);
  else if (message.type === 'killAnswer') context.sessions.killAnswered(message);
  else if (message.type === 'listSessions') context.sessions.answerList(message);
  else context.sessions.listAnswered(message);
});

const idleCollection = new IdleCollection();
const janitor = setInterval(() => {
  counters.add(WorkerCounter.beats);
  backends.closeIdle(Date.now());
  context.cache.tick();
  idleCollection.tick(clients.size === 0, performance.now());
  counters.set(WorkerCounter.digests, context.plans.size);
  counters.set(WorkerCounter.cacheEntries, context.cache.store.size);
  if (secondLevel !== null) counters.set(WorkerCounter.level2Unflushed, secondLevel.pendingFlushes);
  counters.set(WorkerCounter.cacheBytes, context.cache.store.bytes);
  statistics.publish();
  statistics.counters.set(StatementCounter.definitions, context.definitions.definitions);
}, JANITOR_MS);
wheel.start();
apply(start.snapshot, true);
await listen();
