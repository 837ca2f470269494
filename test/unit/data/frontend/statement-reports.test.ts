/** Which statements are logged and traced, and that the others leave nothing. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { SharedCounters, WorkerCounter } from '../../../../src/common/shared-counters.ts';
import type { Snapshot, SnapshotSettings } from '../../../../src/common/snapshot.ts';
import type { SlowQueryRecord, SpanRecord, WorkerReport } from '../../../../src/common/worker-report.ts';
import { StatementReports } from '../../../../src/data/frontend/statement-reports.ts';
import { emptyEntry } from '../../../../src/data/router/route-ring.ts';
import { madeSnapshot } from '../../../integration/data/made-snapshot.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

interface Settings {
  readonly slow?: Partial<SnapshotSettings['slowQueryLog']>;
  readonly tracing?: Partial<SnapshotSettings['tracing']>;
}

class Fixture {
  readonly posted: WorkerReport[] = [];
  readonly counters = new SharedCounters().worker(0);
  readonly reports = new StatementReports(0, this.counters, (report) => this.posted.push(report));
  readonly #entry = emptyEntry();

  constructor(settings: Settings = {}) {
    this.apply(settings);
  }

  apply({ slow = {}, tracing = {} }: Settings): void {
    const made = madeSnapshot();
    const snapshot: Snapshot = {
      ...made,
      settings: {
        ...made.settings,
        slowQueryLog: { ...made.settings.slowQueryLog, ...slow },
        tracing: { ...made.settings.tracing, ...tracing },
      },
    };
    this.reports.apply(snapshot);
  }

  /** A statement that took so long, and what a rule says of it. */
  ends(durationMs: number, ruled: boolean | null = null, text: string | null = null): void {
    const bytes = Buffer.from(text ?? '');
    const read =
      text === null || !this.reports.readsStatements ? null : this.reports.read(bytes, 0, bytes.length, true);
    this.#entry.beganAtMs = 1000;
    this.#entry.endedAtMs = 1000 + durationMs;
    this.#entry.bytes = durationMs;
    this.reports.ended(this.#entry, ruled, read);
    // Used again for the next statement.
    this.#entry.bytes = -1;
  }

  async logged(): Promise<readonly SlowQueryRecord[]> {
    await nextTurn();
    return this.posted.flatMap((report) => (report.stream === 'slowQueries' ? report.records : []));
  }

  async spans(): Promise<readonly SpanRecord[]> {
    await nextTurn();
    return this.posted.flatMap((report) => (report.stream === 'spans' ? report.records : []));
  }
}

async function durations(fixture: Fixture): Promise<number[]> {
  return (await fixture.logged()).map(({ route }) => route.bytes);
}

t.test('from the threshold on', async (t) => {
  const fixture = new Fixture({ slow: { enabled: true, thresholdMs: 100 } });
  for (const durationMs of [0, 99.9, 100, 5000]) fixture.ends(durationMs);
  t.strictSame(await durations(fixture), [100, 5000], 'and the record is a copy');
  fixture.apply({ slow: { enabled: true, thresholdMs: 0 } });
  fixture.ends(0);
  t.strictSame(await durations(fixture), [100, 5000, 0]);
  fixture.apply({ slow: { enabled: false, thresholdMs: 0 } });
  fixture.ends(7000);
  t.equal((await durations(fixture)).length, 3);
});

t.test('a rule says yes or no, whatever the settings say', async (t) => {
  const off = new Fixture();
  off.ends(1, true);
  off.ends(1, false);
  off.ends(9000);
  t.strictSame(await durations(off), [1]);
  const on = new Fixture({ slow: { enabled: true, thresholdMs: 100, sampleEvery: 1000 } });
  on.ends(200, true);
  on.ends(300, false);
  t.strictSame(await durations(on), [200]);
});

t.test('one of so many', async (t) => {
  const fixture = new Fixture({ slow: { enabled: true, thresholdMs: 100, sampleEvery: 3 } });
  for (let count = 1; count <= 10; count++) {
    fixture.ends(100 + count);
    fixture.ends(1);
  }
  t.strictSame(await durations(fixture), [103, 106, 109]);
});

t.test('no more than may wait', async (t) => {
  const fixture = new Fixture({ slow: { enabled: true, thresholdMs: 0, queueLength: 2 } });
  for (let count = 0; count < 5; count++) fixture.ends(count);
  t.strictSame(await durations(fixture), [0, 1]);
  t.equal(fixture.posted[0]?.dropped, 3);
  t.equal(fixture.counters.get(WorkerCounter.slowQueriesDropped), 3);
  fixture.ends(6);
  t.strictSame(await durations(fixture), [0, 1]);
  fixture.reports.taken('slowQueries', 2);
  fixture.ends(7);
  t.strictSame(await durations(fixture), [0, 1, 7]);
  t.equal(fixture.posted[1]?.dropped, 1);
});

t.test('texts only where they are wanted, and cut', async (t) => {
  const slow = { enabled: true, thresholdMs: 0, maxTextBytes: 64 };
  const fixture = new Fixture({ slow });
  t.notOk(fixture.reports.readsStatements);
  fixture.ends(1, null, 'SELECT 1');
  fixture.apply({ slow: { ...slow, literals: true } });
  t.ok(fixture.reports.readsStatements);
  fixture.ends(2, null, "SELECT 'x'");
  fixture.ends(3, null, `SELECT ${'y'.repeat(100)}`);
  const texts = (await fixture.logged()).map(({ text }) => text);
  t.strictSame(texts, [null, "SELECT 'x'", `SELECT ${'y'.repeat(57)}…`]);
});

t.test('spans: sampling, and the flag of a parent', async (t) => {
  const parent = (sampled: string): string => `SELECT 1 /*traceparent='00-${TRACE}-${SPAN}-${sampled}'*/`;
  const fixture = new Fixture({ tracing: { enabled: true, sampleEvery: 2 } });
  fixture.ends(1, null, 'SELECT 1');
  fixture.ends(2, null, parent('00'));
  fixture.ends(3, null, parent('01'));
  fixture.ends(4, null, 'SELECT 1');
  t.match(await fixture.spans(), [
    { route: { bytes: 3 }, parent: { traceId: TRACE, spanId: SPAN, sampled: true } },
    { route: { bytes: 4 }, parent: null },
  ]);
  fixture.apply({ tracing: { enabled: true, sampleEvery: 0 } });
  for (let count = 0; count < 5; count++) fixture.ends(5, null, 'SELECT 1');
  fixture.ends(6, null, parent('01'));
  t.strictSame(
    (await fixture.spans()).map(({ route }) => route.bytes),
    [3, 4, 6],
  );
  fixture.apply({ tracing: { enabled: false, sampleEvery: 1 } });
  fixture.ends(7, null, parent('01'));
  t.equal((await fixture.spans()).length, 3);
  t.equal((await fixture.logged()).length, 0, 'none of them is slow');
});
