import fc from 'fast-check';
import t from 'tap';
import {
  type CountedDigest,
  type CountedEntry,
  DigestSketch,
  type StatementSample,
} from '../../../../src/data/statistics/digest-sketch.ts';
import { StatementContexts } from '../../../../src/data/statistics/statement-context.ts';
import { digestName } from '../../../../src/sql/digest-text.ts';

const SEED = 20_261_121;
const CONTEXTS = new StatementContexts(17);
const CONTEXT = CONTEXTS.of('app', 'shop', '');
const LIMITS = { entries: 1000, bytes: 16 << 20, textBytes: 100 };

/** As the scanner would hash them: any function of the text does. */
function digest(text: string): CountedDigest {
  let low = 7;
  let high = 11;
  for (let index = 0; index < text.length; index++) {
    low = Math.imul(low ^ text.charCodeAt(index), 0x01000193);
    high = (Math.imul(high, 31) + text.charCodeAt(index)) | 0;
  }
  return { normalized: Buffer.from(text), hashLow: low, hashHigh: high };
}

function sample(more: Partial<StatementSample> = {}): StatementSample {
  return {
    hostgroup: 1,
    durationMicros: 250,
    waitMicros: 0,
    rowsSent: 1,
    rowsAffected: 0,
    bytes: 60,
    errno: 0,
    routeSlot: 3,
    atSeconds: 1_700_000_000,
    ...more,
  };
}

function entriesOf(sketch: DigestSketch): CountedEntry[] {
  return Array.from({ length: sketch.end }, (_, place) => sketch.at(place)).filter((entry) => entry !== null);
}

t.test('what is counted of a digest', async (t) => {
  const sketch = new DigestSketch(LIMITS);
  const select = digest('SELECT * FROM t WHERE id = ?');
  sketch.add(select, CONTEXT, sample());
  sketch.add(
    select,
    CONTEXT,
    sample({
      durationMicros: 4000,
      waitMicros: 30,
      rowsSent: 5,
      bytes: 100,
      atSeconds: 1_700_000_009,
      routeSlot: 4,
    }),
  );
  sketch.add(
    select,
    CONTEXT,
    sample({ durationMicros: 10, rowsSent: 0, rowsAffected: 2, errno: 1064, atSeconds: 1_700_000_010 }),
  );
  t.strictSame(entriesOf(sketch), [
    {
      context: CONTEXT,
      hostgroup: 1,
      routeSlot: 3,
      name: digestName(select.normalized),
      text: select.normalized,
      count: 3,
      error: 0,
      firstSeen: 1_700_000_000,
      lastSeen: 1_700_000_010,
      sumMicros: 4260,
      minMicros: 10,
      maxMicros: 4000,
      waitMicros: 30,
      rowsSent: 6,
      rowsAffected: 2,
      bytes: 220,
      errors: 1,
      histogram: [9, 1, 27, 1, 43, 1],
    },
  ]);
});

t.test('hostgroup, schema, user and address are told apart', async (t) => {
  const sketch = new DigestSketch(LIMITS);
  const one = digest('SELECT ?');
  const others = [
    CONTEXTS.of('app', 'other', ''),
    CONTEXTS.of('report', 'shop', ''),
    CONTEXTS.of('app', 'shop', '10.0.0.1'),
    CONTEXTS.of('app', '', ''),
  ];
  for (const context of [CONTEXT, ...others]) sketch.add(one, context, sample());
  sketch.add(one, CONTEXT, sample({ hostgroup: -1 }));
  // A context that was made again counts as the same one.
  sketch.add(one, { ...CONTEXT }, sample());
  t.strictSame(
    entriesOf(sketch).map(({ hostgroup, context, count }) => [hostgroup, context.username, count]),
    [
      [1, 'app', 2],
      [1, 'app', 1],
      [1, 'report', 1],
      [1, 'app', 1],
      [1, 'app', 1],
      [-1, 'app', 1],
    ],
  );
});

t.test('a long text is cut, and keeps its name', async (t) => {
  const sketch = new DigestSketch(LIMITS);
  const long = digest(`SELECT ${'x'.repeat(500)}`);
  const other = digest(`SELECT ${'x'.repeat(501)}`);
  sketch.add(long, CONTEXT, sample());
  sketch.add(other, CONTEXT, sample());
  const [first, second] = entriesOf(sketch);
  t.equal(first!.text.length, 101, 'one byte more than is shown: it was cut');
  t.equal(first!.name, digestName(long.normalized));
  t.equal(second!.name, digestName(other.normalized));
});

t.test('against exact counts: nothing is counted twice, and the error holds', async () => {
  const stream = fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.nat(5) }, { weight: 2, arbitrary: fc.nat(60) }),
    { maxLength: 600 },
  );
  fc.assert(
    fc.property(stream, fc.integer({ min: 1, max: 20 }), (given, entries) => {
      const sketch = new DigestSketch({ ...LIMITS, entries });
      const exact = new Map<string, number>();
      for (const each of given) {
        const text = `SELECT ${each}`;
        exact.set(text, (exact.get(text) ?? 0) + 1);
        sketch.add(digest(text), CONTEXT, sample());
      }
      const found = entriesOf(sketch);
      let counted = 0;
      for (const { text, count, error } of found) {
        const truth = exact.get(text.toString())!;
        counted += count;
        if (count > truth || truth > count + error) return false;
        if (error > given.length / entries) return false;
      }
      const places = new Set(found.map(({ text }) => text.toString()));
      const missed = [...exact].filter(([text]) => !places.has(text)).map(([, count]) => count);
      return (
        places.size === found.length &&
        found.length === sketch.size &&
        counted + sketch.forgotten === given.length &&
        sketch.floor <= given.length / entries &&
        missed.every((count) => count <= sketch.floor)
      );
    }),
    { seed: SEED, numRuns: 300 },
  );
});

t.test(
  'one million digests stay under the configured memory, and the frequent one is not lost',
  async (t) => {
    const limits = { entries: 5000, bytes: 4 << 20, textBytes: 200 };
    const sketch = new DigestSketch(limits);
    const frequent = digest('SELECT frequent');
    global.gc?.();
    let most = 0;
    for (let each = 0; each < 1_000_000; each++) {
      const text = `SELECT c${each} FROM a_table_with_a_name WHERE id = ?`;
      const hash = Math.imul(each, 0x9e3779b1);
      sketch.add({ normalized: Buffer.from(text), hashLow: hash, hashHigh: each }, CONTEXT, sample());
      if (each % 100 === 0) sketch.add(frequent, CONTEXT, sample());
      most = Math.max(most, sketch.bytes);
    }
    t.ok(most <= limits.bytes, `${most} bytes at most`);
    t.ok(sketch.size > 4000, `${sketch.size} digests`);
    const found = entriesOf(sketch).find(({ text }) => text.equals(frequent.normalized))!;
    t.equal(found.count, 10_000, 'it never lost its place');
    t.ok(sketch.floor <= 1_010_000 / sketch.size, `no other one has come more often than ${sketch.floor}`);
  },
);

t.test('bytes are a limit of their own', async (t) => {
  const limits = { entries: 100_000, bytes: 300_000, textBytes: 10_000 };
  const sketch = new DigestSketch(limits);
  for (let each = 0; each < 500; each++) {
    sketch.add(digest(`SELECT ${each} ${'y'.repeat(each * 10)}`), CONTEXT, sample());
    if (sketch.bytes > limits.bytes) t.fail(`${sketch.bytes} bytes after ${each}`);
  }
  t.ok(sketch.size >= 10, `${sketch.size} digests`);
  t.equal(sketch.size + sketch.forgotten, 500);
});
