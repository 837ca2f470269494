// sluice-test: timeout=300
/** The admin and http ports under more than anybody would ask of them: clients of the proxy notice nothing. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import t from 'tap';
import { hammer } from '../support/admin-hammer.ts';
import { isNightly } from '../support/nightly.ts';
import { ToolStage } from './tool-stage.ts';

const REQUESTS = isNightly ? 10_000 : 500;
const CLIENTS = 6;
/** Of a client between two statements: without one they would have the machine to themselves. */
const PAUSE_MS = 3;
/** Answers, one result of the store, what a scrape builds up; far less than the join would take. */
const MOST_GROWTH_BYTES = 400 * 1024 * 1024;

interface Load {
  statements: number;
  wrong: number;
  failures: string[];
}

/** Reads and writes, one after the other, until told to stop; each answer is looked at. */
async function work(client: Connection, id: number, load: Load, isOver: () => boolean): Promise<void> {
  for (let round = 0; !isOver(); round++) {
    try {
      const [rows] = await client.query('SELECT name FROM seen WHERE id = 2');
      if (JSON.stringify(rows) !== '[{"name":"two"}]') load.wrong += 1;
      if (round % 10 === 0) await client.query(`REPLACE INTO seen VALUES (${1000 + id}, 'r${round}')`);
      load.statements += 1;
    } catch (error) {
      load.failures.push((error as Error).message);
    }
    await delay(PAUSE_MS);
  }
}

t.test('hammered', async (t) => {
  const stage = await ToolStage.start();
  t.teardown(() => stage.dispose());
  const { sluice } = stage;
  const load: Load = { statements: 0, wrong: 0, failures: [] };
  let isOver = false;
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => sluice.connect()));
  const before = await sluice.rss();
  let most = before;
  const watch = setInterval(() => void sluice.rss().then((bytes) => (most = Math.max(most, bytes))), 250);
  const working = clients.map((client, id) => work(client, id, load, () => isOver));
  const ports = { host: sluice.host, adminPort: sluice.adminPort, httpPort: sluice.httpPort };
  const report = await hammer(ports, {
    adminRequests: REQUESTS,
    httpRequests: REQUESTS,
    slowReaders: 8,
    clients: 8,
  });
  isOver = true;
  await Promise.all(working);
  clearInterval(watch);
  for (const client of clients) await client.end();

  t.strictSame(load.failures, [], 'no client of the proxy has had an error');
  t.equal(load.wrong, 0);
  t.ok(load.statements > 100, `${load.statements} statements in the meantime`);
  t.match(report.join, /^(?:1104|3024) /, 'the join was ended by a limit');
  const total = [...report.admin.values()].reduce((sum, value) => sum + value, 0);
  t.ok(total >= REQUESTS);
  // Statements wait behind the join for their turn, up to the deadline.
  const unknown = [...report.admin.keys()].filter((outcome) => !['ok', '1064', '3024'].includes(outcome));
  t.strictSame(unknown, [], `every admin statement has its answer: ${JSON.stringify([...report.admin])}`);
  const statuses = [...report.http.keys()].filter((status) => !/^(?:200|30[0-9]|404)$/.test(status));
  t.strictSame(statuses, [], `every http request has its answer: ${JSON.stringify([...report.http])}`);
  t.ok(most - before < MOST_GROWTH_BYTES, `memory has grown by ${Math.round((most - before) / 1e6)} MB`);
  t.comment(
    `${report.seconds.toFixed(1)} s, ${load.statements} statements, +${Math.round((most - before) / 1e6)} MB`,
  );
  const [workers] = await Promise.all([stage.admin('SHOW WORKERS')]);
  t.ok(workers.length > 0, 'and it is there again for others');
  t.notOk(sluice.logContains(/a worker ended|crashed/i));
});
