/**
 * The alerts, evaluated by Prometheus' own tool (Debian's package prometheus). Skipped where that is missing: it is too
 * large for every run of the tests.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { findProgramIfAny } from '../../support/find-program.ts';
import { monitoringDirectory, readAlertRules, rulesFile } from '../../support/monitoring-kit.ts';
import { makeTemporaryDirectory } from '../../support/owned-resources.ts';
import { runProgram } from '../../support/run-program.ts';
import { ALERT_CASES, type AlertCase } from './alert-cases.ts';

const promtool = await findProgramIfAny(['promtool']);
const skip = promtool === null ? 'promtool (package prometheus) is not installed' : false;
const rules = new Map(readAlertRules().map((rule) => [rule.alert, rule]));
const directory = makeTemporaryDirectory('alerts');
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

const ADDED = { job: 'sluice', instance: 'a' };

async function run(args: readonly string[]): Promise<{ ok: boolean; output: string }> {
  const { code, stdout, stderr } = await runProgram(promtool ?? '', args, { timeout: 120_000 });
  return { ok: code === 0, output: `${stdout}${stderr}` };
}

/** `name{label="value"}` with job and instance, unless it has an instance of its own. */
function withTarget(series: string): string {
  const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
  const own = labels === '' ? [] : [labels];
  const added = Object.entries(ADDED).filter(([label]) => !labels.includes(`${label}="`));
  return `${name}{${[...own, ...added.map(([label, value]) => `${label}="${value}"`)].join(',')}}`;
}

/** As `promtool test rules` reads it. Texts are looked at by themselves. */
function promtoolTest({ alert, series, at, fires }: AlertCase) {
  const severity = rules.get(alert)?.labels.severity;
  return {
    name: alert,
    interval: '15s',
    input_series: Object.entries(series).map(([name, values]) => ({ series: withTarget(name), values })),
    alert_rule_test: [
      {
        eval_time: at,
        alertname: alert,
        exp_alerts: fires.map((labels) => {
          const all = Object.entries({ ...ADDED, severity, ...labels }).filter(([, value]) => value !== '');
          return { exp_labels: Object.fromEntries(all) };
        }),
      },
    ],
  };
}

t.test('every alert has cases in which it fires and in which it does not', async (t) => {
  for (const alert of rules.keys()) {
    const cases = ALERT_CASES.filter((each) => each.alert === alert);
    t.ok(
      cases.some(({ fires }) => fires.length > 0),
      `${alert} fires`,
    );
    t.ok(
      cases.some(({ fires }) => fires.length === 0),
      `${alert} is quiet`,
    );
  }
  for (const { alert } of ALERT_CASES) t.ok(rules.has(alert), `${alert} exists`);
});

t.test('every alert says how bad it is, what it means and where to read on', async (t) => {
  for (const [alert, { labels, annotations }] of rules) {
    t.match(labels.severity, /^(?:critical|warning|info)$/, alert);
    t.match(annotations.summary, /\S/, alert);
    t.match(annotations.description, /\.$/, alert);
    t.equal(annotations.runbook_url, `runbooks.md#${alert.toLowerCase()}`);
  }
});

t.test('promtool accepts rules and configuration', { skip }, async (t) => {
  t.match(await run(['check', 'rules', rulesFile]), { ok: true });
  t.match(await run(['check', 'config', join(monitoringDirectory, 'prometheus/prometheus.yml')]), {
    ok: true,
  });
});

t.test('alerts fire when they should, and not otherwise', { skip }, async (t) => {
  const files: string[] = [];
  for (const [alert, { annotations: _, ...rule }] of rules) {
    // Without texts: a case names labels only, and promtool compares everything that a rule has. And one rule in a file:
    // promtool evaluates all of a file's rules for all of its cases.
    const ruleFile = join(directory, `${alert}.rules.yml`);
    writeFileSync(ruleFile, stringify({ groups: [{ name: 'all', rules: [rule] }] }));
    const tests = ALERT_CASES.filter((each) => each.alert === alert).map(promtoolTest);
    const file = join(directory, `${alert}.test.yml`);
    writeFileSync(file, stringify({ rule_files: [ruleFile], evaluation_interval: '15s', tests }));
    files.push(file);
  }
  const { ok, output } = await run(['test', 'rules', ...files]);
  t.ok(ok, output);
});

t.test('a wrong expectation would be seen', { skip }, async (t) => {
  const [first] = ALERT_CASES;
  const file = join(directory, 'wrong.yml');
  const wrong = promtoolTest({ ...first!, fires: [] });
  writeFileSync(file, stringify({ rule_files: [rulesFile], evaluation_interval: '15s', tests: [wrong] }));
  t.match(await run(['test', 'rules', file]), { ok: false, output: /SluiceDown/ });
});
