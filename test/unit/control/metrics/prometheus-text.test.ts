import t from 'tap';
import { parsePrometheusText } from '../../../support/prometheus-text.ts';

const GOOD = `# HELP a_total What it is
# TYPE a_total counter
a_total{x="1",y="a\\"b\\\\c\\nd"} 5
a_total{x="2"} 1.5e3

# HELP h Times
# TYPE h histogram
h_bucket{le="0.1"} 1
h_bucket{le="+Inf"} 3
h_sum 0.5
h_count 3
`;

t.test('what is right is read', async (t) => {
  const [counter, histogram] = parsePrometheusText(GOOD);
  t.strictSame([counter!.name, counter!.type, counter!.help], ['a_total', 'counter', 'What it is']);
  t.strictSame(
    counter!.samples.map(({ value }) => value),
    [5, 1500],
  );
  t.equal(counter!.samples[0]!.labels.get('y'), 'a"b\\c\nd');
  t.equal(histogram!.samples.length, 4);
});

const WRONG: readonly (readonly [string, string, string])[] = [
  ['no end', GOOD, GOOD.trimEnd()],
  ['a sample without TYPE', '# TYPE a_total counter\n', ''],
  ['a sample without HELP', '# HELP a_total What it is\n', ''],
  ['a negative counter', '} 5', '} -5'],
  ['a series twice', '{x="2"}', '{y="a\\"b\\\\c\\nd",x="1"}'],
  ['a label twice', 'y="a', 'x="a'],
  ['an open quote', '{x="2"}', '{x="2}'],
  ['a bad escape', 'c\\nd', 'c\\td'],
  ['no number', '1.5e3', '1,5'],
  ['a bad name', 'a_total{x="2"}', 'a-total{x="2"}'],
  ['another name', 'a_total{x="2"}', 'b_total{x="2"}'],
  ['an unknown type', 'a_total counter', 'a_total count'],
  ['buckets that shrink', 'le="0.1"} 1', 'le="0.1"} 4'],
  ['a last bucket that does not hold all', '"+Inf"} 3', '"+Inf"} 2'],
  ['a histogram without a sum', 'h_sum 0.5\n', ''],
  ['metrics in pieces', 'h_count 3\n', 'h_count 3\n# TYPE a_total counter\na_total{x="3"} 1\n'],
];

for (const [name, from, to] of WRONG) {
  t.test(`${name} is refused`, async (t) => {
    const text = GOOD.replace(from, () => to);
    t.not(text, GOOD);
    t.throws(() => parsePrometheusText(text));
  });
}
