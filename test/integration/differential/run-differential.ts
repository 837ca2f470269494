import type { Test } from 'tap';
import { APP_ACCOUNT, type ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { type Endpoint, runCase } from './case-runner.ts';
import { compareTranscripts } from './compare.ts';
import { type DifferentialCase, loadCases, type ServerName } from './corpus.ts';
import { DifferentialFixture, LIMITED_ACCOUNT, PASSWORDS } from './fixture.ts';
import { Capability } from './wire-constants.ts';

/** A client of each kind: with and without the two capabilities that change the shape of every answer. */
const CLIENTS: ReadonlyArray<{ readonly name: string; readonly capabilities: number }> = [
  {
    name: 'DEPRECATE_EOF and SESSION_TRACK',
    capabilities: Capability.deprecateEof | Capability.sessionTrack,
  },
  { name: 'neither', capabilities: 0 },
  { name: 'DEPRECATE_EOF', capabilities: Capability.deprecateEof },
  { name: 'SESSION_TRACK', capabilities: Capability.sessionTrack },
];

export interface DifferentialRun {
  readonly set: ReplicationSet;
  readonly fixture: DifferentialFixture;
  readonly server: ServerName;
  /** Where the same statements go the second time. */
  readonly proxied: { readonly host: string; readonly port: number };
  /** All unless given. */
  readonly only?: (testCase: DifferentialCase) => boolean;
}

/** Runs the corpus twice, straight at the primary and through the other endpoint, and asserts that both are equal. */
export async function runDifferential(t: Test, run: DifferentialRun): Promise<void> {
  const { fixture } = run;
  const direct: Endpoint = { host: run.set.primary.host, port: run.set.primary.port, passwords: PASSWORDS };
  const proxied: Endpoint = { ...run.proxied, passwords: PASSWORDS };
  const wanted = new RegExp(process.env.SLUICE_TEST_CASE ?? '');
  const cases = loadCases().filter(
    (one) =>
      one.servers.includes(run.server) &&
      (run.only?.(one) ?? true) &&
      wanted.test(`${one.file}: ${one.name}`),
  );
  for (const [index, testCase] of cases.entries()) {
    await t.test(`${testCase.file}: ${testCase.name}`, { todo: pending(testCase) }, async (t) => {
      for (const client of clientsOf(testCase, index)) {
        const expected = await runCase(testCase, direct, client.capabilities);
        if (!testCase.made) await fixture.reset();
        const actual = await runCase(testCase, proxied, client.capabilities);
        if (!testCase.made) await fixture.reset();
        t.same(compareTranscripts(expected, actual), [], `a client with ${client.name} sees no difference`);
      }
    });
  }
}

function pending({ pending: reason }: DifferentialCase): string | false {
  return process.env.SLUICE_TEST_PENDING === '1' ? false : (reason ?? false);
}

/** The many made cases take turns: all kinds of client see all types, though not in each combination. */
function clientsOf(testCase: DifferentialCase, index: number): typeof CLIENTS {
  if (testCase.made) return CLIENTS.slice(index % CLIENTS.length, (index % CLIENTS.length) + 1);
  return testCase.costly ? CLIENTS.slice(0, 2) : CLIENTS;
}

export async function runThroughSluice(t: Test, set: ReplicationSet, server: ServerName): Promise<void> {
  const fixture = await DifferentialFixture.create(set);
  t.teardown(() => fixture.close());
  const sluice = await SluiceProcess.startFor(set, {
    config: { users: [APP_ACCOUNT, LIMITED_ACCOUNT], routing: { stickyAfterWriteMs: 120_000 } },
  });
  t.teardown(() => sluice.dispose());
  await runDifferential(t, { set, fixture, server, proxied: { host: sluice.host, port: sluice.port } });
  t.equal(sluice.exit, null, 'Sluice still runs');
}
