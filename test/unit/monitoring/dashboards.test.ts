/** The form of the dashboards: what Grafana would show wrongly, or not at all, without saying so. */
import t from 'tap';
import { readDashboards } from '../../support/monitoring-kit.ts';

const dashboards = readDashboards();

t.test('four, with names of their own', async (t) => {
  t.strictSame(
    dashboards.map(({ uid, file }) => [uid, file]),
    ['sluice-cache', 'sluice-failover', 'sluice-overview', 'sluice-pools'].map((name) => [name, name]),
  );
  t.equal(new Set(dashboards.map(({ title }) => title)).size, 4);
  for (const { tags } of dashboards) t.strictSame(tags, ['sluice'], 'by which they link to each other');
});

t.test('panels neither overlap nor leave the grid', async (t) => {
  for (const { file, panels } of dashboards) {
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, `${file}: ids`);
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      const { x, y, w, h } = gridPos;
      t.ok(x >= 0 && x + w <= 24 && w > 0 && h > 0, `${file}: ${title} is in the grid`);
      for (let column = x; column < x + w; column++)
        for (let row = y; row < y + h; row++) {
          const cell = `${column} ${row}`;
          if (taken.has(cell)) t.fail(`${file}: ${title} overlaps at ${cell}`);
          taken.add(cell);
        }
    }
  }
});

t.test('every question goes to the chosen data source and the chosen Sluices', async (t) => {
  for (const { file, panels, templating } of dashboards) {
    const names = templating.list.map(({ name }) => name);
    t.ok(names.includes('datasource') && names.includes('instance'), file);
    const used = new Set<string>();
    for (const { title, targets = [] } of panels)
      for (const { expr } of targets) {
        for (const [selector] of expr.matchAll(/(?:sluice|process|nodejs)_\w+(?:\{[^}]*\})?/g))
          t.match(selector, /\{instance=~"\$instance"/, `${file}: ${title}: ${selector}`);
        for (const [, name = ''] of expr.matchAll(/\$(\w+)/g)) used.add(name);
      }
    for (const name of used)
      t.ok(name === '__rate_interval' || names.includes(name), `${file}: $${name} is a variable`);
    for (const name of names) t.ok(name === 'datasource' || used.has(name), `${file}: $${name} is used`);
  }
});
