/**
 * Runs a driver’s own test suite straight at a server, twice, and through Sluice, and compares.
 *
 *   node test/drivers/run.ts results        writes RESULTS.md anew
 *   node test/drivers/run.ts <suite> [--server mariadb|mysql57] [--source DIR] [--replicas N] [--only PREFIX,…] [--show]
 *
 * The exit code is 1 when a test that passes straight does not pass through Sluice and known-differences.yaml does not
 * say why. A whole run is written to results/ and RESULTS.md; of one with --only, that saved
 * differences are gone.
 */

import { parseArgs } from 'node:util';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { compareSuite } from './compare-suite.ts';
import { explain } from './known-differences.ts';
import { removeGone, saveResult, writeResultsPage } from './results.ts';
import { findSource } from './source.ts';
import { suites } from './suite-catalog.ts';

const FLAVORS: Readonly<Record<string, ServerFlavor>> = { mariadb: 'mariadb', mysql57: 'mysql' };
const DETAIL_CHARACTERS = 3000;

const { values, positionals } = parseArgs({
  options: {
    server: { type: 'string', default: 'mariadb' },
    source: { type: 'string' },
    replicas: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    show: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

if (positionals[0] === 'results') {
  await writeResultsPage();
  process.exit(0);
}
const suite = suites.find(({ name }) => name === positionals[0]);
const flavor = FLAVORS[values.server];
if (suite === undefined || flavor === undefined || !suite.flavors.includes(flavor)) {
  console.error(
    `usage: node test/drivers/run.ts ${suites.map(({ name }) => name).join('|')} --server mariadb|mysql57`,
  );
  process.exit(2);
}
const files = values.only === '' ? [] : values.only.split(',');
const source = await findSource(suite, values.source);
const replicas = Number(values.replicas);
const comparison = await compareSuite({
  suite,
  flavor,
  source,
  files,
  replicas,
  straightRuns: 2,
  log: console.error,
});
const explained = await explain(suite.name, values.server, comparison.differences);

for (const { test, throughSluice, detail, reason } of explained) {
  if (reason !== null && !values.show) continue;
  console.log(`\n✘ ${test}: ${throughSluice} through Sluice${reason === null ? '' : ` (${reason})`}`);
  if (detail !== '') console.log(detail.slice(-DETAIL_CHARACTERS).replaceAll(/^/gm, '    '));
}
if (values.show) for (const test of comparison.failedStraight) console.log(`! ${test}: fails straight`);
for (const test of comparison.flaky) console.log(`~ ${test}: flaky straight`);
for (const test of comparison.onlyThroughSluice) console.log(`? ${test}: passes only through Sluice`);
const unexplained = explained.filter(({ reason }) => reason === null).length;
console.log(
  `\n${suite.title} on ${values.server}: ${comparison.passedStraight} passed straight, ` +
    `${comparison.passedStraight - comparison.differences.length} of them through Sluice; ` +
    `${comparison.failedStraight.length} failed and ${comparison.skippedStraight} skipped straight, ` +
    `${comparison.flaky.length} flaky; ${unexplained} unexplained differences`,
);
if (files.length === 0) {
  const version = await suite.version(source);
  await saveResult({ suite: suite.name, server: values.server, version, replicas, comparison });
} else await removeGone(suite.name, values.server, comparison);
process.exitCode = unexplained === 0 ? 0 : 1;
