/** What it costs each write that cached answers are known to be fresh, and each hit to know it. */

import { Command, type ResponseTracker } from '../../protocol/index.ts';
import { TableEpochs } from '../../src/common/table-epochs.ts';
import type { BackendConnection } from '../../src/data/backend/backend-connection.ts';
import { Freshness } from '../../src/data/cache/freshness.ts';
import { WorkerMarks } from '../../src/data/cache/worker-marks.ts';
import { WriteMarks } from '../../src/data/cache/write-marks.ts';
import { PlanCache } from '../../src/data/router/plan-cache.ts';
import { type TableCatalog, UNKNOWN_TABLES } from '../../src/data/router/table-catalog.ts';
import { makeLexicalContext } from '../../src/sql/lexical-context.ts';
import type { Microbenchmark } from './harness.ts';

const CONTEXT = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_119,
});
const CATALOG: TableCatalog = { ...UNKNOWN_TABLES, version: 1, complete: true, isCurrent: () => true };
const STATE = { transactionState: '________', clientTracks: false, variables: null };
const OK = { errno: 0, affectedRows: 1 } as ResponseTracker;

/** A connection, as far as marks look at it. */
class Connection {
  readonly server = { address: '127.0.0.1:3306', role: 'primary', slot: 0 };
  readonly threadId = 17;
  readonly tracksState = true;
  readonly statusFlags = 0;
  readonly holders: WriteMarks[] = [];

  beginFlux(holder: WriteMarks): void {
    this.holders.push(holder);
  }

  endFlux(): void {
    this.holders.pop();
  }
}

function statement(name: string, sql: string, maxNanoseconds: number, isEnabled = true): Microbenchmark {
  const epochs = new TableEpochs(1);
  const worker = new WorkerMarks(epochs, 0, isEnabled, () => undefined);
  const marks = new WriteMarks(worker, () => CATALOG, STATE);
  const text = Buffer.from(sql);
  const plan = new PlanCache(1, 100, { miss: () => undefined }).planFor(text, 0, text.length, CONTEXT);
  const connection = new Connection() as unknown as BackendConnection;
  return {
    name: `write marks: ${name}`,
    maxNanoseconds,
    run: (operations) => {
      for (let i = 0; i < operations; i++) {
        marks.sends(connection, Command.COM_QUERY, plan, 'app', false);
        marks.reported(2 ** 40 + i);
        marks.replied(connection, OK);
      }
      return epochs.epoch(0);
    },
  };
}

function hit(name: string, slots: Int32Array): Microbenchmark {
  const epochs = new TableEpochs(1);
  epochs.beginTerm(1);
  const freshness = new Freshness(epochs);
  freshness.apply({ term: 1, maxLagMs: 500 });
  const proof = freshness.note(slots);
  return {
    name: `freshness: ${name}`,
    maxNanoseconds: 100,
    run: (operations) => {
      let held = 0;
      for (let i = 0; i < operations; i++) if (proof !== null && freshness.holds(proof)) held++;
      return held;
    },
  };
}

/** 3 % of a write of 100 µs would be 3,000 ns. */
export const benchmarks: readonly Microbenchmark[] = [
  statement('UPDATE of one table', 'UPDATE t SET n = 1 WHERE id = 2', 500),
  statement('UPDATE of three tables', 'UPDATE t, u, v SET t.n = 1, u.n = 2, v.n = 3', 1000),
  statement('a statement that writes nothing', 'SET NAMES utf8mb4', 200),
  statement('UPDATE, no cache', 'UPDATE t SET n = 1 WHERE id = 2', 20, false),
  hit('a hit, one table', Int32Array.of(7)),
  hit('a hit, three tables', Int32Array.of(7, 8, 9)),
];
