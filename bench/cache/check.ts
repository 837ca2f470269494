/**
 * Looks for reads that no right run can give: see `test/cache/`. Prints its seed first, a line of JSON last, and the first
 * violations with what happened around them; exit code 1 if there were any, or if a run with a cache had no hits.
 *
 *   node bench/cache/check.ts --flavor mysql --replicas 2 --operations 1000000 --seconds 3600 --cache strong
 */

import { parseArgs } from 'node:util';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { type CacheMode, cacheConfig, cacheModes } from '../../test/cache/cache-modes.ts';
import type { Foreign } from '../../test/cache/checker-options.ts';
import { violationText } from '../../test/cache/checker-report.ts';
import { faultNamed } from '../../test/cache/planted-faults.ts';
import { runChecker } from '../../test/cache/run-checker.ts';
import type { SharedCacheKind } from '../../test/support/shared-cache-server.ts';
import { mergeConfig } from '../../test/support/sluice-process.ts';
import { oneOf } from '../e2e/arguments.ts';

const SHOWN_VIOLATIONS = 3;

const { values } = parseArgs({
  options: {
    flavor: { type: 'string', default: 'mariadb' },
    replicas: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    operations: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '3600' },
    writers: { type: 'string', default: '6' },
    readers: { type: 'string', default: '16' },
    /** none, direct (around Sluice) or second (through another Sluice). */
    foreign: { type: 'string', default: 'none' },
    cache: { type: 'string', default: 'strong' },
    causal: { type: 'string', default: 'table' },
    /** auto, on or off. */
    follower: { type: 'string', default: 'auto' },
    /** Of writes that come around Sluice: the follower's. */
    foreignBoundMs: { type: 'string', default: '500' },
    disturbances: { type: 'string', default: '2' },
    holdUpMs: { type: 'string', default: '0' },
    pauseMs: { type: 'string', default: '60' },
    /** What servers answer comes so much later now and then. */
    delayMs: { type: 'string', default: '12' },
    /** How often each of these happens. */
    switchovers: { type: 'string', default: '0' },
    failovers: { type: 'string', default: '0' },
    workerCrashes: { type: 'string', default: '0' },
    level2Restarts: { type: 'string', default: '0' },
    handovers: { type: 'string', default: '0' },
    /** redis or memcached. */
    level2: { type: 'string' },
    /** About so often operators do something. */
    operatorMs: { type: 'string', default: '0' },
    /** Of each hundred reads and writes, how many more are of a single row. */
    pinned: { type: 'string', default: '20' },
    /** A fault of test/cache/planted-faults.ts, in the run that finds it. */
    plant: { type: 'string' },
  },
});

function wholeNumber(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0) throw new Error(`--${name} ${value} is no whole number`);
  return number;
}

const mode = oneOf<CacheMode>('cache', values.cache, cacheModes);
const { config, boundMs } = cacheConfig(mode);
const seed = wholeNumber('seed', values.seed);
process.stdout.write(`seed ${seed}\n`);
const began = performance.now();
const report = await runChecker({
  flavor: oneOf<ServerFlavor>('flavor', values.flavor, ['mariadb', 'mysql']),
  replicas: wholeNumber('replicas', values.replicas),
  seed,
  operations: wholeNumber('operations', values.operations),
  seconds: wholeNumber('seconds', values.seconds),
  writers: wholeNumber('writers', values.writers),
  readers: wholeNumber('readers', values.readers),
  foreign: oneOf<Foreign>('foreign', values.foreign, ['none', 'direct', 'second']),
  config: mergeConfig(
    { causalReads: { level: values.causal }, cache: { follower: { mode: values.follower } } },
    config,
  ),
  boundMs,
  foreignBoundMs: wholeNumber('foreignBoundMs', values.foreignBoundMs),
  disturbances: wholeNumber('disturbances', values.disturbances),
  holdUpMs: wholeNumber('holdUpMs', values.holdUpMs),
  pauseMs: wholeNumber('pauseMs', values.pauseMs),
  delayMs: wholeNumber('delayMs', values.delayMs),
  switchovers: wholeNumber('switchovers', values.switchovers),
  failovers: wholeNumber('failovers', values.failovers),
  workerCrashes: wholeNumber('workerCrashes', values.workerCrashes),
  level2Restarts: wholeNumber('level2Restarts', values.level2Restarts),
  handovers: wholeNumber('handovers', values.handovers),
  level2:
    values.level2 === undefined
      ? null
      : oneOf<SharedCacheKind>('level2', values.level2, ['redis', 'memcached']),
  operatorMs: wholeNumber('operatorMs', values.operatorMs),
  pinned: wholeNumber('pinned', values.pinned),
  planted: values.plant ?? null,
  ...(values.plant === undefined ? {} : faultNamed(values.plant).options),
});
for (const violation of report.violations.slice(0, SHOWN_VIOLATIONS))
  process.stdout.write(`\n${violationText(violation)}\n`);
const { options, violations, ...rest } = report;
const seconds = Math.round((performance.now() - began) / 1000);
process.stdout.write(`\n${JSON.stringify({ ...values, seconds, ...rest })}\n`);
if (violations.length > 0 || (mode !== 'none' && report.hits === 0)) process.exitCode = 1;
