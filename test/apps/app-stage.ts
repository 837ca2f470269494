/** Servers, a Sluice in front of them, and programs that run straight and through it. */

import type { Test } from 'tap';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { APP_ACCOUNT, ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { type AppCommand, type AppOutcome, type AppTarget, END_LINE, runAppProgram } from './app-program.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const PROGRAM_TIMEOUT_MS = 90_000;

/**
 * What an operator of a pooled application would set: fewer server connections than the applications open.
 */
const CONFIG = { pool: { maxConnections: 8 } };

export class AppStage {
  readonly set: ReplicationSet;
  readonly sluice: SluiceProcess;

  private constructor(set: ReplicationSet, sluice: SluiceProcess) {
    this.set = set;
    this.sluice = sluice;
  }

  static async start(t: Test, flavor: ServerFlavor): Promise<AppStage> {
    const set = new ReplicationSet({
      flavor,
      replicas: 1,
      args: ['--local-infile=1', '--log-bin-trust-function-creators=1'],
    });
    t.teardown(() => set.dispose());
    await set.start();
    const sluice = await SluiceProcess.startFor(set, { config: CONFIG });
    t.teardown(() => sluice.dispose());
    return new AppStage(set, sluice);
  }

  /** An empty schema, on all servers, with all rights for the application. */
  async createSchema(schema: string): Promise<void> {
    await this.set.primary.query(`DROP DATABASE IF EXISTS ${schema}`);
    await this.set.primary.query(`CREATE DATABASE ${schema} DEFAULT CHARACTER SET utf8mb4`);
    await this.set.primary.query(`GRANT ALL ON ${schema}.* TO '${APP_ACCOUNT.username}'@'%'`);
    await this.set.waitForSync();
  }

  target(endpoint: Endpoint, schema: string): AppTarget {
    return {
      host: endpoint.host,
      port: endpoint.port,
      ...APP_ACCOUNT,
      schema,
      sync: () => this.set.waitForSync(),
    };
  }

  /** Runs the program twice at the same time, in two schemas, and asserts that both saw the same. */
  async compare(t: Test, name: string, command: AppCommand): Promise<void> {
    const schemas = [`${name}_direct`, `${name}_sluice`] as const;
    for (const schema of schemas) await this.createSchema(schema);
    const [direct, proxied] = await Promise.all([
      runAppProgram(command, this.target(this.set.primary, schemas[0]), PROGRAM_TIMEOUT_MS),
      runAppProgram(command, this.target(this.sluice, schemas[1]), PROGRAM_TIMEOUT_MS),
    ]);
    assertSame(t, direct, proxied);
  }
}

function assertSame(t: Test, direct: AppOutcome, proxied: AppOutcome): void {
  t.equal(direct.code, 0, 'straight it works', { stderr: direct.stderr });
  t.equal(proxied.code, 0, 'through Sluice it works', { stderr: proxied.stderr });
  t.equal(direct.transcript.at(-1), END_LINE, 'straight it came to its end');
  for (let index = 0; index < Math.max(direct.transcript.length, proxied.transcript.length); index++) {
    const [expected, actual] = [direct.transcript[index], proxied.transcript[index]];
    if (expected === actual) continue;
    t.equal(actual, expected, `line ${index + 1} is the same`);
    return;
  }
  t.pass(`all ${direct.transcript.length} lines are the same`);
}
