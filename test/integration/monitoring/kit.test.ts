/** Every metric, label and value that alerts and dashboards name is on the page of a Sluice that runs. */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { collectSettings, configJsonSchema } from '../../../config/settings.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import {
  commandsIn,
  monitoringDirectory,
  readAlertRules,
  readDashboards,
  readRunbooks,
  runbookText,
} from '../../support/monitoring-kit.ts';
import { type MetricFamily, parsePrometheusText } from '../../support/prometheus-text.ts';
import { labelsInTemplate, namesInExpression } from '../../support/promql-selectors.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { runProgram, runSluice } from '../../support/run-program.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const set = new ReplicationSet({ replicas: 1 });
t.teardown(() => set.dispose());
const authority = await CertificateAuthority.create();
t.teardown(() => authority.dispose());
await set.start();
const pair = await authority.issue('localhost', ['DNS:localhost']);
const sluice = await SluiceProcess.startFor(set, {
  config: {
    workers: 1,
    tls: { certificate: pair.certificate, key: pair.key },
    http: { openMetrics: false },
    failover: { automatic: true },
  },
});
t.teardown(() => sluice.dispose());

// Durations are there for hostgroups that have answered something.
const client = await sluice.connect();
await client.query('SELECT 1');
await client.end();

/** By metric: its labels, with the values that were seen. */
type Page = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** What Prometheus adds to every series, and the one that it makes itself. */
const ADDED = ['job', 'instance'];
const MADE = 'up';

function pageOf(families: readonly MetricFamily[]): Page {
  const page = new Map<string, Map<string, Set<string>>>();
  for (const { name, labels } of families.flatMap(({ samples }) => samples)) {
    const known = page.get(name) ?? new Map<string, Set<string>>();
    page.set(name, known);
    for (const [label, value] of labels) known.set(label, (known.get(label) ?? new Set<string>()).add(value));
  }
  return page;
}

const SEEN_LATER = [
  'sluice_server_lag_seconds',
  'sluice_server_replication_running',
  'sluice_statement_duration_seconds_bucket',
];
const AUTHORIZATION = `Basic ${Buffer.from('stats:stats').toString('base64')}`;
const page = await waitUntil('the page shows all that a replica has', async () => {
  const response = await fetch(`http://127.0.0.1:${sluice.httpPort}/metrics`, {
    headers: { Authorization: AUTHORIZATION },
  });
  const found = pageOf(parsePrometheusText(await response.text()));
  return SEEN_LATER.every((name) => found.has(name)) && found;
});

/** What of an expression, or of a text made with its labels, is not there. */
function missingIn(expression: string, templates: readonly string[] = []): string[] {
  const { selectors, groupingLabels } = namesInExpression(expression.replaceAll('$__rate_interval', '5m'));
  const missing: string[] = selectors.length === 0 ? ['no metric at all'] : [];
  const known = new Set(ADDED);
  for (const { metric, matchers } of selectors) {
    const labels = page.get(metric);
    if (labels === undefined && metric !== MADE) missing.push(metric);
    for (const label of labels?.keys() ?? []) known.add(label);
    for (const { label, operator, value } of matchers) {
      if (ADDED.includes(label)) continue;
      const values = labels?.get(label);
      if (values === undefined) missing.push(`${metric}{${label}}`);
      else if (!value.startsWith('$') && !isThere(operator, value, values))
        missing.push(`${metric}{${label}${operator}"${value}"}`);
    }
  }
  for (const label of [...groupingLabels, ...templates.flatMap(labelsInTemplate)])
    if (!known.has(label)) missing.push(`label ${label}`);
  return missing;
}

/** Of alternatives each; of what is excluded, too: it may be mistyped as well. */
function isThere(operator: string, value: string, values: ReadonlySet<string>): boolean {
  const wanted = operator.includes('~') ? value.split('|') : [value];
  return wanted.every((each) => values.has(each));
}

t.test('the test itself finds what is not there', async (t) => {
  t.strictSame(missingIn('rate(sluice_no_such_total[5m]) > 0'), ['sluice_no_such_total']);
  t.strictSame(missingIn('sluice_server_status{status="SHUNED"} == 1'), [
    'sluice_server_status{status="SHUNED"}',
  ]);
  t.strictSame(
    missingIn('sum by (sever) (sluice_server_lag_seconds{sever="a"})', ['{{ $labels.port }} {{ $value }}']),
    ['sluice_server_lag_seconds{sever}', 'label sever', 'label port'],
  );
});

t.test('alerts', async (t) => {
  for (const { alert, expr, annotations } of readAlertRules())
    t.strictSame(missingIn(expr, [annotations.summary, annotations.description]), [], alert);
});

t.test('dashboards', async (t) => {
  for (const { file, panels, annotations, templating } of readDashboards()) {
    for (const { title, targets = [] } of panels)
      for (const { expr, legendFormat } of targets)
        t.strictSame(missingIn(expr, [legendFormat]), [], `${file}: ${title}`);
    for (const { expr } of annotations.list) t.strictSame(missingIn(expr), [], `${file}: annotation`);
    for (const { name, definition } of templating.list) {
      if (definition === undefined) continue;
      const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
      t.strictSame(missingIn(selector), [], `${file}: variable ${name}`);
      t.ok(label === 'instance' || page.get(selector.replace(/\{.*/, ''))?.has(label), `${file}: ${label}`);
    }
  }
});

t.test('the job and the targets are called as rules and compose file call them', async (t) => {
  const config = parse(readFileSync(join(monitoringDirectory, 'prometheus/prometheus.yml'), 'utf8'));
  t.strictSame(config.rule_files, ['sluice-rules.yml']);
  t.ok(config.scrape_configs.some(({ job_name }: { job_name: string }) => job_name === 'sluice'));
  const [datasource] = globSync(join(monitoringDirectory, 'grafana/provisioning/datasources/*.yaml'));
  t.match(parse(readFileSync(datasource ?? '', 'utf8')).datasources, [
    { type: 'prometheus', uid: 'prometheus' },
  ]);
});

/** `sluice check …` */
async function check(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stdout: string }> {
  const { code, stdout } = await runSluice(['check', ...args], env);
  return { code, stdout };
}

t.test(
  'sluice check, with the account of the configuration, of the environment, of a file, and none',
  async (t) => {
    const here = ['--config', sluice.configFile];
    t.strictSame(await check(['--ready', ...here]), { code: 0, stdout: 'ready\n' });
    t.strictSame(await check(['--alive'], { SLUICE_CONFIG: sluice.configFile }), {
      code: 0,
      stdout: 'alive\n',
    });
    // The certificate of the test is one of two days.
    t.match(await check([...here, '--crit', 'certificate=1h', '--warn', 'certificate=1h']), {
      code: 0,
      stdout:
        /^SLUICE OK: version \S+ \| lag=[\d.]+s;30;300;0 pool=\S+%;80;95;0;100 .* certificate=1\d{5}(?:\.\d+)?s;3600:;3600:;0 /,
    });
    const elsewhere = ['--url', `http://127.0.0.1:${sluice.httpPort}`];
    t.match(await check(elsewhere), {
      code: 3,
      stdout: 'SLUICE UNKNOWN: /metrics wants a login: see --user\n',
    });
    const password = { SLUICE_CHECK_PASSWORD: 'stats' };
    t.match(await check([...elsewhere, '--json'], password), {
      code: 2,
      stdout: /"problems":\[\{"criterion":"certificate","severity":"crit"[^}]*\}\],/,
    });
    t.match(await check(elsewhere, { SLUICE_CHECK_PASSWORD: 'wrong' }), { code: 3, stdout: /is wrong\n$/ });
    const file = join(sluice.directory, 'password');
    writeFileSync(file, 'stats\n');
    t.match(
      await check([...elsewhere, '--user', 'stats', '--password-file', file, '--ignore', 'certificate']),
      { code: 0 },
    );
  },
);

t.test('every alert has its section in the runbooks, and none is left over', async (t) => {
  const runbooks = readRunbooks();
  t.strictSame(
    runbooks.map(({ anchor }) => anchor).toSorted(),
    readAlertRules()
      .map(({ alert }) => alert.toLowerCase())
      .toSorted(),
  );
  for (const { anchor, text } of runbooks) {
    t.match(text, /^\n\*\*Means\*\*: /, `${anchor} begins with what it means`);
    t.match(text, /^(?:\*\*Look at\*\*, )?\*\*Do\*\*: /m, `${anchor} says what to do`);
  }
});

t.test('links to the runbooks are made absolute as the README says', async (t) => {
  const readme = readFileSync(join(monitoringDirectory, 'README.md'), 'utf8');
  const [command = ''] = commandsIn(readme, 'sh');
  const { stdout } = await runProgram('sh', ['-c', command.replace(/ > .*/, '')], {
    cwd: monitoringDirectory,
  });
  const links = [...stdout.matchAll(/runbook_url: (.*)/g)].map(([, link]) => link);
  t.strictSame(
    links,
    readAlertRules().map(({ annotations }) => `https://wiki.example.com/sluice/${annotations.runbook_url}`),
  );
});

t.test('settings that the runbooks name exist, and so do the pages that they link to', async (t) => {
  const settings = collectSettings(configJsonSchema()).map(({ path }) => path);
  const sections = new Set(settings.map((path) => path.split('.')[0]));
  const text = runbookText();
  for (const [, name = ''] of text.matchAll(/`([a-zA-Z]+(?:\.[a-zA-Z0-9]+)+)`/g))
    if (sections.has(name.split('.')[0] ?? ''))
      t.ok(settings.includes(name) || isSection(name, settings), name);
  for (const [, link = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g))
    t.ok(existsSync(join(monitoringDirectory, link)), link);
  const anchors = new Set(readRunbooks().map(({ anchor }) => `#${anchor}`));
  for (const [, link = ''] of text.matchAll(/\]\((#[^)]*)\)/g)) t.ok(anchors.has(link), link);
});

function isSection(name: string, settings: readonly string[]): boolean {
  return settings.some((path) => path.startsWith(`${name}.`));
}

/** Understood, but not carried out: no such session, no accounts of the primary, a primary that lives. */
const REFUSED: Readonly<Record<string, number>> = {
  FAILOVER: 1210,
  'KILL 42': 1210,
  'LOAD MYSQL USERS FROM BACKEND': 1210,
};

t.test('every command of the runbooks and guides is one', async (t) => {
  const guides = globSync(join(monitoringDirectory, '../guides/{hardening,wordpress}.md'));
  const texts = [runbookText(), ...guides.map((file) => readFileSync(file, 'utf8'))];
  const text = texts.join('\n').replaceAll('db2:3306', set.replicas[0]!.address);
  const admin = await sluice.adminConnection();
  try {
    for (const command of new Set(commandsIn(text, 'sql'))) {
      const errno = await admin.query(command).then(
        () => 0,
        (error: { readonly errno?: number }) => error.errno,
      );
      t.equal(errno, REFUSED[command] ?? 0, command);
    }
  } finally {
    await admin.end();
  }
  for (const command of new Set(commandsIn(text, 'mysql')))
    t.ok(await set.replicas[0]!.query(command), command);
  for (const line of new Set(commandsIn(text, 'sh').filter((each) => each.startsWith('sluice check ')))) {
    const args = line.split(' ').slice(2);
    t.match(await check([...args, '--config', sluice.configFile]), { code: 0 }, line);
  }
});

t.test('sluice check sees a replica go, then the primary', async (t) => {
  const ask = () => check(['--config', sluice.configFile, '--ignore', 'certificate']);
  await set.replicas[0]!.stop();
  await waitUntil('the replica is shunned', async () => (await ask()).code === 2, { timeoutMs: 60_000 });
  t.match(await ask(), {
    code: 2,
    stdout:
      /^SLUICE CRITICAL: no server of hostgroup 1 serves reads; .*warning: it could not fail over: .*no-candidate/,
  });
  await set.primary.stop();
  await waitUntil(
    'there is no primary',
    async () => (await ask()).stdout.includes('no primary takes writes'),
    {
      timeoutMs: 60_000,
    },
  );
  const { code, stdout } = await check(['--ready', '--config', sluice.configFile]);
  t.strictSame({ code, stdout }, { code: 1, stdout: 'not ready: no primary is known\n' });
});
