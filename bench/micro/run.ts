/**
 * Runs every micro-benchmark of this folder and prints one table.
 *
 *   npm run bench:micro                      all
 *   npm run bench:micro -- digest lexer      those whose name holds one of the words
 *   npm run bench:micro -- --quick           shorter rounds
 *   npm run bench:micro -- --json            for machines
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatNumber, renderTable } from '../e2e/text-table.ts';
import {
  consumed,
  DEFAULT_OPTIONS,
  type Microbenchmark,
  type MicroOptions,
  type MicroResult,
  measure,
} from './harness.ts';

const NOT_BENCHMARKS = new Set(['run.ts', 'harness.ts']);
const QUICK: MicroOptions = { rounds: 5, roundMs: 10, warmUpMs: 50 };

async function loadBenchmarks(): Promise<Microbenchmark[]> {
  const files = (await readdir(import.meta.dirname))
    .filter((file) => file.endsWith('.ts') && !NOT_BENCHMARKS.has(file))
    .sort();
  const all: Microbenchmark[] = [];
  for (const file of files) {
    const module: { benchmarks?: readonly Microbenchmark[] } = await import(join(import.meta.dirname, file));
    if (!Array.isArray(module.benchmarks)) {
      throw new Error(`bench/micro/${file} exports no \`benchmarks\` (see harness.ts)`);
    }
    all.push(...module.benchmarks);
  }
  return all;
}

function row(result: MicroResult): string[] {
  const { nanoseconds, bytesPerOperation, maxNanoseconds } = result;
  const megabytes = bytesPerOperation === null ? undefined : (bytesPerOperation * 1000) / nanoseconds;
  return [
    result.name,
    formatNumber(nanoseconds),
    formatNumber(result.fastestNanoseconds),
    formatNumber(result.slowestNanoseconds),
    (1e9 / nanoseconds).toFixed(0),
    megabytes === undefined ? '' : formatNumber(megabytes),
    maxNanoseconds === null ? '' : `${maxNanoseconds}`,
    maxNanoseconds === null ? '' : nanoseconds <= maxNanoseconds ? 'yes' : 'NO',
  ];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
const benchmarks = (await loadBenchmarks()).filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
const results = benchmarks.map((benchmark) => measure(benchmark, values.quick ? QUICK : DEFAULT_OPTIONS));

if (values.json) {
  console.log(JSON.stringify({ node: process.versions.node, results }, null, 2));
} else {
  const header = ['', 'ns/op', 'fastest', 'slowest', 'op/s', 'MB/s', 'limit ns', 'reached'];
  console.log(renderTable(header, results.map(row), 1));
  console.log(
    `\nNode ${process.versions.node}, CPU time of one thread, median of the rounds (checksum ${consumed()})`,
  );
}
