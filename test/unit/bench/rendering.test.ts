import t from 'tap';
import { summarize } from '../../../bench/e2e/measurement.ts';
import { renderReportChart } from '../../../bench/e2e/report-chart.ts';
import { renderReport } from '../../../bench/e2e/report-table.ts';
import { renderBarCharts } from '../../../bench/e2e/svg-chart.ts';
import { formatNumber, renderTable } from '../../../bench/e2e/text-table.ts';

t.test('numbers keep three digits and no more than they need', async (t) => {
  t.same([undefined, 0, 0.1234, 1.5, 45.67, 12345.6, -2.5].map(formatNumber), [
    '–',
    '0',
    '0.123',
    '1.50',
    '45.7',
    '12346',
    '-2.50',
  ]);
});

t.test('words flush left, numbers flush right', async (t) => {
  const rows = [
    ['a', '1'],
    ['long name', '1234'],
  ];
  t.equal(
    renderTable(['name', 'q/s'], rows, 1),
    ['name        q/s', '───────────────', 'a             1', 'long name  1234'].join('\n'),
  );
});

const SUMMARIES = summarize(
  (['direct', 'haproxy', 'sluice'] as const).map((target, index) => ({
    scenario: 'point-select',
    point: 'point-select, text, 64 clients',
    target,
    round: 0,
    values: { queriesPerSecond: 1000 - 100 * index, ...(index > 0 ? { cpuMicroseconds: 10 * index } : {}) },
  })),
  ['direct', 'haproxy'],
);

t.test('the table has ratios first and a dash for what does not exist', async (t) => {
  const lines = renderReport(SUMMARIES).split('\n');
  t.equal(lines.length, 5);
  t.match(lines[0], /^\s+target\s+q\/s ÷ direct\s+q\/s ÷ HAProxy\s+CPU ÷ HAProxy/);
  t.match(lines[2], /^point-select, text, 64 clients\s+direct\s+1\.00\s+1\.11\s+–/);
  t.match(lines[4], /^\s+sluice\s+0\.80\s+0\.89\s+2\.00/);
});

t.test('the chart has a panel for what was measured and none for the rest', async (t) => {
  const svg = renderReportChart('here', SUMMARIES);
  t.match(svg, /queries per second ÷ direct/);
  t.match(svg, /CPU of the proxy/);
  t.notMatch(svg, /idle client/);
});

t.test('bars are in proportion, text is escaped', async (t) => {
  const svg = renderBarCharts('a < b & "c"', [
    {
      title: 'panel',
      groups: [
        {
          label: 'group',
          bars: [
            { series: 'x', value: 2, text: '2' },
            { series: 'y', value: 1, text: '1' },
          ],
        },
      ],
    },
  ]);
  t.match(svg, '>a &lt; b &amp; &quot;c&quot;<');
  const widths = [...svg.matchAll(/<rect x="300" y="\d+" width="([\d.]+)" height="14"/g)].map(
    (match) => match[1],
  );
  t.same(widths, ['570.0', '285.0']);
});

t.test('a chart of nothing, and of zeros, is still a chart', async (t) => {
  t.match(renderBarCharts('nothing', []), /^<svg .*<\/svg>\n$/s);
  const zero = [{ title: 'p', groups: [{ label: 'g', bars: [{ series: 'x', value: 0, text: '0' }] }] }];
  t.notMatch(renderBarCharts('zeros', zero), /NaN|Infinity/);
});
