/** The results of whole runs: a JSON file for each suite and server, and the table of all of them. */

import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Comparison } from './comparison.ts';
import { explain } from './known-differences.ts';
import { suites } from './suite-catalog.ts';

const resultSchema = z.strictObject({
  suite: z.string(),
  version: z.string(),
  server: z.string(),
  replicas: z.int(),
  passedStraight: z.int(),
  passedThroughSluice: z.int(),
  failedStraight: z.int(),
  skippedStraight: z.int(),
  flaky: z.array(z.string()),
  differences: z.array(
    z.strictObject({ test: z.string(), throughSluice: z.string(), passesRepeated: z.boolean() }),
  ),
});

type SavedResult = z.infer<typeof resultSchema>;

export interface SuiteResult {
  readonly suite: string;
  readonly server: string;
  readonly version: string;
  readonly replicas: number;
  readonly comparison: Comparison;
}

const folder = fileURLToPath(new URL('results/', import.meta.url));
const page = new URL('RESULTS.md', import.meta.url);

export async function saveResult(result: SuiteResult): Promise<void> {
  const { comparison } = result;
  const saved: SavedResult = {
    suite: result.suite,
    version: result.version,
    server: result.server,
    replicas: result.replicas,
    passedStraight: comparison.passedStraight,
    // Of those that pass straight: a test that passes through Sluice only by luck does not make up for another.
    passedThroughSluice: comparison.passedStraight - comparison.differences.length,
    failedStraight: comparison.failedStraight.length,
    skippedStraight: comparison.skippedStraight,
    flaky: [...comparison.flaky],
    differences: comparison.differences.map(({ test, throughSluice, passesRepeated }) => ({
      test,
      throughSluice,
      passesRepeated,
    })),
  };
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}${saved.suite}-${saved.server}.json`, `${JSON.stringify(saved, null, 2)}\n`);
  await writeResultsPage();
}

/** After a fix: saved differences that a run of some files shows to be gone. */
export async function removeGone(suite: string, server: string, comparison: Comparison): Promise<void> {
  const saved = (await savedResults()).find((one) => one.suite === suite && one.server === server);
  if (saved === undefined) return;
  const differences = saved.differences.filter(({ test }) => !comparison.passed.includes(test));
  const gone = saved.differences.length - differences.length;
  const result = { ...saved, passedThroughSluice: saved.passedThroughSluice + gone, differences };
  await writeFile(`${folder}${suite}-${server}.json`, `${JSON.stringify(result, null, 2)}\n`);
  await writeResultsPage();
}

/** Writes the table of all saved results, with the reasons as they are known now. */
export async function writeResultsPage(): Promise<void> {
  await writeFile(page, await render(await savedResults()));
}

async function savedResults(): Promise<SavedResult[]> {
  const files = globSync('*.json', { cwd: folder }).toSorted();
  return Promise.all(
    files.map(async (file) => resultSchema.parse(JSON.parse(await readFile(`${folder}${file}`, 'utf8')))),
  );
}

async function render(results: readonly SavedResult[]): Promise<string> {
  const lines = [
    '<!-- Written by test/drivers/run.ts. Do not edit. -->',
    '# Drivers’ own test suites, straight and through Sluice',
    '',
    'Each suite runs twice straight at a server and once through Sluice (two workers, at most 10 connections to each of',
    'a primary and its replicas). A test counts as passed straight if it passes both times, and as flaky if once.',
    '[README.md](README.md) says how to run them.',
    '',
    '| Suite | Version | Server | Passed straight | … of these through Sluice | Failed straight | Skipped straight | Flaky straight |',
    '| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |',
  ];
  for (const result of results) {
    const cells = [
      titleOf(result.suite),
      result.version,
      result.server,
      result.passedStraight,
      result.passedThroughSluice,
      result.failedStraight,
      result.skippedStraight,
      result.flaky.length,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  lines.push('', '## Tests that pass straight and not through Sluice', '');
  const rows: string[] = [];
  for (const { suite, server, differences } of results) {
    for (const { test, reason } of await explain(suite, server, differences))
      rows.push(`| ${titleOf(suite)} | ${server} | ${asCell(test)} | ${reason ?? '**not explained**'} |`);
  }
  if (rows.length === 0) lines.push('None.');
  else lines.push('| Suite | Server | Test | Reason |', '| --- | --- | --- | --- |', ...rows);
  return `${lines.join('\n')}\n`;
}

function titleOf(name: string): string {
  return suites.find((suite) => suite.name === name)?.title ?? name;
}

function asCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
