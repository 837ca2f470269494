/**
 * Reads that are served from the cache, packet by packet: as the server answers them, as Sluice does when they fill the cache,
 * and as it does from there, for each kind of client. Then cases of the corpus with everything cached that may be.
 */

import type { RowDataPacket } from 'mysql2/promise';
import type { Test } from 'tap';
import { isNightly } from '../../support/nightly.ts';
import { APP_ACCOUNT, type ReplicationSet } from '../../support/replication-set.ts';
import type { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { runCase } from './case-runner.ts';
import { compareChangedColumns } from './changed-columns.ts';
import { compareTranscripts } from './compare.ts';
import { type DifferentialCase, type ServerName, type Step, step } from './corpus.ts';
import { PASSWORDS } from './fixture.ts';
import { CLIENTS, runDifferential, startDifferential } from './run-differential.ts';

/** Of the cases that are run once more with the cache, unless all are. */
const SAMPLE_EVERY = isNightly ? 1 : 41;
const RESIDUE = ['SELECT FOUND_ROWS(), ROW_COUNT()', 'SELECT @@warning_count', 'SHOW WARNINGS'];

/** A table with a TIME can be cached for a while only: as a DATETIME that is one of today. Nothing is written to this one. */
const RULES = [
  { ruleId: 1, tables: ['diff.f_matrix'], class: 'weak', ttlMs: 3_600_000 },
  { ruleId: 2, class: 'strong' },
];

interface Read {
  readonly steps: readonly unknown[];
  /** How many of them are served from the cache once it has them. */
  readonly hits: number;
}

export async function runCachedReads(t: Test, set: ReplicationSet, server: ServerName): Promise<void> {
  const { fixture, sluice, proxied } = await startDifferential(t, set, {
    workers: 1,
    // Without a follower nothing but own writes decides, so that hits can be counted.
    cache: { follower: { mode: 'off' }, rules: RULES },
  });
  const columns = await columnsOf(set);
  await untilCached(sluice);

  const run = { set, server, sluice };
  await t.test('texts of each type', (t) => compareReads(t, run, textReads(columns)));
  await t.test('prepared statements of each type', (t) => compareReads(t, run, preparedReads(columns)));
  await t.test('large and empty results, warnings, errors', (t) => compareReads(t, run, oddReads()));
  await t.test('columns that change under prepared statements', (t) => {
    const direct = { host: set.primary.host, port: set.primary.port, passwords: PASSWORDS };
    const sluiceEnd = { host: sluice.host, port: sluice.port, passwords: PASSWORDS };
    return compareChangedColumns(t, direct, sluiceEnd, () => hitsOf(sluice));
  });
  await t.test('the corpus with all that may be cached', (t) =>
    runDifferential(t, {
      set,
      fixture,
      server,
      proxied,
      rounds: 2,
      only: (one, index) => index % SAMPLE_EVERY === 0 && one.file !== 'big packets',
    }),
  );
  t.equal(sluice.exit, null, 'Sluice still runs');
}

async function columnsOf(set: ReplicationSet): Promise<string[]> {
  const root = await set.primary.rootConnection();
  const [rows] = await root.query<RowDataPacket[]>(
    "SELECT COLUMN_NAME AS name FROM information_schema.columns WHERE TABLE_SCHEMA = 'diff' AND TABLE_NAME = 'f_matrix'",
  );
  await root.end();
  return rows.map(({ name }) => name as string);
}

/** What the tables are is known. */
async function untilCached(sluice: SluiceProcess): Promise<void> {
  const connection = await sluice.connect({ database: 'diff' });
  try {
    await waitUntil('something is cached', async () => {
      await connection.query('SELECT COUNT(*) FROM f_matrix');
      return (await hitsOf(sluice)) > 0;
    });
  } finally {
    await connection.end();
  }
}

async function hitsOf(sluice: SluiceProcess): Promise<number> {
  const text = await (await sluice.get('/metrics')).text();
  return Number(/^sluice_cache_hits_total\{worker="0"\} (\d+)$/m.exec(text)?.[1]);
}

function textReads(columns: readonly string[]): Read {
  const texts = [
    ...columns.map((name) => `SELECT id, ${name} FROM f_matrix ORDER BY id`),
    'SELECT * FROM f_matrix ORDER BY id',
    'SELECT  id + 1,id +1 FROM f_matrix ORDER BY 1',
    'SELECT id + 1,id +1 FROM f_matrix ORDER BY 1',
    "/* one */ SELECT id AS `two` FROM f_matrix WHERE id > 2 ORDER BY id /* route='/x' */",
  ];
  return {
    steps: texts.flatMap((text, index) => [text, ...(index % 20 === 0 ? RESIDUE : [])]),
    hits: texts.length,
  };
}

function preparedReads(columns: readonly string[]): Read {
  const steps: unknown[] = [];
  for (const [index, name] of columns.entries()) {
    const stmt = `s${index}`;
    steps.push({ open: { as: stmt, sql: `SELECT id, ${name} FROM f_matrix WHERE id < ? ORDER BY id` } });
    steps.push({ execute: { stmt, params: [['long', 1000]] } });
  }
  steps.push(
    { execute: { stmt: 's0', params: [['long', 3]] } },
    { execute: { stmt: 's0', params: [['long', 3]], bound: false } },
    { execute: { stmt: 's0', params: [['varstring', '3']] } },
    { execute: { stmt: 's0', params: [null] } },
    ...RESIDUE,
    { open: { as: 'all', sql: 'SELECT * FROM f_matrix ORDER BY id' } },
    { execute: { stmt: 'all' } },
    { execute: { stmt: 'all', flags: 1 } },
    { fetch: { stmt: 'all', rows: 100 } },
    { close: 'all' },
  );
  // The second of the equal ones is a hit even where the first one fills.
  return { steps, hits: columns.length + 5 };
}

function oddReads(): Read {
  return {
    steps: [
      'SELECT * FROM f_matrix WHERE id < 0',
      ...RESIDUE,
      "SELECT id, REPEAT('b', 70000) FROM f_matrix ORDER BY id",
      'SELECT a.id FROM f_matrix a, f_matrix b, f_matrix c ORDER BY a.id',
      "SELECT id, REPEAT('c', 400000) FROM f_matrix ORDER BY id",
      "SELECT id + 'abc' FROM f_matrix ORDER BY id",
      ...RESIDUE,
      'SELECT nosuch FROM f_matrix',
      'SHOW WARNINGS',
      'SELECT COUNT(*) FROM f_matrix; SELECT COUNT(*) FROM f_matrix',
      'BEGIN',
      'SELECT id FROM f_matrix WHERE id = 2',
      'COMMIT',
    ],
    hits: 3,
  };
}

interface Run {
  readonly set: ReplicationSet;
  readonly server: ServerName;
  readonly sluice: SluiceProcess;
}

async function compareReads(t: Test, { set, server, sluice }: Run, { steps, hits }: Read): Promise<void> {
  const testCase: DifferentialCase = {
    file: 'cached reads',
    name: t.name,
    servers: [server],
    user: APP_ACCOUNT.username,
    schema: 'diff',
    collationId: 45,
    capabilities: ['multiStatements'],
    withoutCapabilities: [],
    costly: false,
    made: true,
    steps: steps.map((one) => step.parse(one) as Step),
  };
  const direct = { host: set.primary.host, port: set.primary.port, passwords: PASSWORDS };
  const proxied = { host: sluice.host, port: sluice.port, passwords: PASSWORDS };
  for (const [index, { name, capabilities }] of CLIENTS.entries()) {
    const expected = await runCase(testCase, direct, capabilities);
    const rounds = index === 0 ? (['plain', 'plain', 'tls', 'compressed'] as const) : (['plain'] as const);
    // The first client asks MariaDB for metadata that the others do not want, and shares nothing with them there.
    const fillsAt = server === 'mariadb' ? 1 : 0;
    for (const [round, transport] of rounds.entries()) {
      const before = await hitsOf(sluice);
      const actual = await runCase(testCase, { ...proxied, transport }, capabilities);
      t.same(compareTranscripts(expected, actual), [], `${name}, ${transport}, round ${round}`);
      const isFilling = round === 0 && index <= fillsAt;
      if (!isFilling) t.equal((await hitsOf(sluice)) - before, hits, `${name}, ${transport}: hits`);
    }
  }
}
