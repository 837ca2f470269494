import type { Test } from 'tap';
import { CertificateAuthority, LOCAL_NAMES } from '../../support/certificates.ts';
import { isNightly } from '../../support/nightly.ts';
import { APP_ACCOUNT, type ReplicationSet } from '../../support/replication-set.ts';
import { type ConfigObject, SluiceProcess } from '../../support/sluice-process.ts';
import { type Endpoint, runCase } from './case-runner.ts';
import { compareTranscripts } from './compare.ts';
import { type DifferentialCase, loadCases, type ServerName } from './corpus.ts';
import { DifferentialFixture, LIMITED_ACCOUNT, PASSWORDS } from './fixture.ts';
import type { WireTransport } from './wire-client.ts';
import { Capability } from './wire-constants.ts';

/** A client of each kind: with and without the two capabilities that change the shape of every answer. */
export const CLIENTS: ReadonlyArray<{ readonly name: string; readonly capabilities: number }> = [
  {
    name: 'DEPRECATE_EOF and SESSION_TRACK',
    capabilities: Capability.deprecateEof | Capability.sessionTrack,
  },
  { name: 'neither', capabilities: 0 },
  { name: 'DEPRECATE_EOF', capabilities: Capability.deprecateEof },
  { name: 'SESSION_TRACK', capabilities: Capability.sessionTrack },
];

/** A prime, so that the sample goes through all kinds of clients and types. */
const SAMPLE_EVERY = 7;
const BIG_PACKETS = 'big packets';

export interface DifferentialRun {
  readonly set: ReplicationSet;
  readonly fixture: DifferentialFixture;
  readonly server: ServerName;
  /** Where the same statements go the second time. */
  readonly proxied: { readonly host: string; readonly port: number };
  /** Some cases run there once more by one of these kinds of transport, which take turns. */
  readonly transports?: readonly WireTransport[];
  /** The server behind the other endpoint does not track sessions, so that only clients that do not ask for it are the same. */
  readonly untracked?: boolean;
  /** All unless given. */
  readonly only?: (testCase: DifferentialCase, index: number) => boolean;
  /** How often each case runs at the other endpoint, where what it reads may come from a cache: once unless told. */
  readonly rounds?: number;
}

/** Runs the corpus twice, straight at the primary and through the other endpoint, and asserts that both are equal. */
export async function runDifferential(t: Test, run: DifferentialRun): Promise<void> {
  const { fixture } = run;
  const direct: Endpoint = { host: run.set.primary.host, port: run.set.primary.port, passwords: PASSWORDS };
  const proxied: Endpoint = { ...run.proxied, passwords: PASSWORDS };
  const wanted = new RegExp(process.env.SLUICE_TEST_CASE ?? '');
  const cases = loadCases().filter(
    (one, index) =>
      one.servers.includes(run.server) &&
      (run.only?.(one, index) ?? true) &&
      wanted.test(`${one.file}: ${one.name}`),
  );
  for (const [index, testCase] of cases.entries()) {
    await t.test(`${testCase.file}: ${testCase.name}`, { todo: pending(testCase) }, async (t) => {
      const clients = clientsOf(testCase, index, run.server);
      for (const client of clients) {
        if (run.untracked === true && (client.capabilities & Capability.sessionTrack) !== 0) continue;
        const expected = await runCase(testCase, direct, client.capabilities);
        if (!testCase.made) await fixture.reset();
        for (let round = 0; round < (run.rounds ?? 1); round++) {
          const actual = await runCase(testCase, proxied, client.capabilities);
          if (!testCase.made) await fixture.reset();
          t.same(compareTranscripts(expected, actual), [], `a client with ${client.name} sees no difference`);
        }
        const transport = client === clients[0] ? transportOf(run, testCase, index) : undefined;
        if (transport === undefined) continue;
        const layered = await runCase(testCase, { ...proxied, transport }, client.capabilities);
        if (!testCase.made) await fixture.reset();
        t.same(compareTranscripts(expected, layered), [], `nor does a client that is ${transport}`);
      }
    });
  }
}

/** Every seventh case by turns; of those with big packets, which take long, each at one of the servers. */
function transportOf(
  { transports = [], server }: DifferentialRun,
  { file }: DifferentialCase,
  index: number,
): WireTransport | undefined {
  const other = server === 'mariadb' ? 0 : 1;
  const every = file === BIG_PACKETS ? 2 : SAMPLE_EVERY;
  const isIn = file === BIG_PACKETS ? index % every === other : index % every === 0;
  return isIn ? transports[(Math.floor(index / every) + other) % transports.length] : undefined;
}

function pending({ pending: reason }: DifferentialCase): string | false {
  return process.env.SLUICE_TEST_PENDING === '1' ? false : (reason ?? false);
}

/**
 * By night all kinds of client. Else two that differ in both capabilities (of big packets, one), and the other two at the
 * other server; the many made cases take turns: all kinds of client see all types, though not in each combination.
 */
function clientsOf(testCase: DifferentialCase, index: number, server: ServerName): typeof CLIENTS {
  if (testCase.made) return CLIENTS.slice(index % CLIENTS.length, (index % CLIENTS.length) + 1);
  if (isNightly) return testCase.costly ? CLIENTS.slice(0, 2) : CLIENTS;
  const first = (testCase.name.length + (server === 'mariadb' ? 0 : 1)) % 2;
  if (testCase.costly) return CLIENTS.slice(first, first + 1);
  return CLIENTS.slice(2 * first, 2 * first + 2);
}

export interface DifferentialStage {
  readonly fixture: DifferentialFixture;
  readonly sluice: SluiceProcess;
  readonly proxied: { readonly host: string; readonly port: number };
}

/** Each worker makes plans of its own, which is most of the work here: several of them at one of the two kinds of servers. */
export function workersFor({ flavor }: ReplicationSet): number {
  return flavor === 'mariadb' ? 2 : 1;
}

/** The schemas of the cases, and a Sluice in front of them that can do TLS; `config` is laid over what it needs. */
export async function startDifferential(
  t: Test,
  set: ReplicationSet,
  config: ConfigObject = {},
): Promise<DifferentialStage> {
  const fixture = await DifferentialFixture.create(set);
  t.teardown(() => fixture.close());
  const authority = await CertificateAuthority.create();
  t.teardown(() => authority.dispose());
  const tls = await authority.issue('sluice', LOCAL_NAMES);
  const sluice = await SluiceProcess.startFor(set, {
    config: { users: [APP_ACCOUNT, LIMITED_ACCOUNT], tls, workers: workersFor(set), ...config },
  });
  t.teardown(() => sluice.dispose());
  return { fixture, sluice, proxied: { host: sluice.host, port: sluice.port } };
}

export async function runThroughSluice(t: Test, set: ReplicationSet, server: ServerName): Promise<void> {
  const { fixture, sluice, proxied } = await startDifferential(t, set);
  await runDifferential(t, { set, fixture, server, proxied, transports: ['tls', 'compressed'] });
  t.equal(sluice.exit, null, 'Sluice still runs');
}
