/** What the tour plays on: a primary, two replicas, and Sluice in front of them. */

import type { Connection } from 'mysql2/promise';
import { GeneralLog } from '../support/general-log.ts';
import { freePort, isPortFree } from '../support/ports.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { type SluicePorts, SluiceProcess } from '../support/sluice-process.ts';

const USUAL_PORTS: SluicePorts = { clients: 6033, admin: 6032, http: 6080 };

/** A small shop: enough to show reads, writes, time zones and a function that writes. */
const SCHEMA = [
  'CREATE TABLE app.books (id INT PRIMARY KEY, title VARCHAR(80) NOT NULL, stock INT NOT NULL, added TIMESTAMP NOT NULL)',
  "SET time_zone = '+00:00'",
  "INSERT INTO app.books VALUES (1, 'The Sea', 5, '2026-01-01 12:00:00'), (2, 'Locks and Weirs', 3, '2026-01-02 12:00:00')",
  'CREATE TABLE app.numbers (latest INT NOT NULL)',
  'INSERT INTO app.numbers VALUES (0)',
  `CREATE FUNCTION app.next_number() RETURNS INT DETERMINISTIC MODIFIES SQL DATA
   BEGIN UPDATE app.numbers SET latest = latest + 1; RETURN (SELECT latest FROM app.numbers); END`,
];

export interface Stage {
  readonly set: ReplicationSet;
  readonly sluice: SluiceProcess;
  readonly log: GeneralLog;
  /** A client's connection through Sluice. */
  connect(): Promise<Connection>;
  close(): Promise<void>;
}

export async function setStage(say: (text: string) => void): Promise<Stage> {
  say('Starting a primary and two replicas …');
  const set = await new ReplicationSet({ sql: SCHEMA }).start();
  for (const server of set.servers) say(`  ${server.name.padEnd(9)} ${server.address}`);
  const log = await GeneralLog.start(set.servers);
  const ports = await choosePorts();
  const sluice = await SluiceProcess.startFor(set, {
    ports,
    // On a busy machine a replica may need longer than the default.
    config: { log: { level: 'info' }, causalReads: { waitMs: 5000 } },
    ownGroup: true,
  });
  say(`  Sluice    ${sluice.host}:${sluice.port} (admin ${sluice.adminPort}, http ${sluice.httpPort})`);
  return { set, sluice, log, connect, close };

  function connect(): Promise<Connection> {
    return sluice.connect({ multipleStatements: true, dateStrings: true });
  }

  async function close(): Promise<void> {
    try {
      await sluice.stop();
    } finally {
      await sluice.dispose();
      await set.dispose();
    }
  }
}

async function choosePorts(): Promise<SluicePorts> {
  const choose = async (usual: number) => ((await isPortFree(usual)) ? usual : freePort());
  const { clients, admin, http } = USUAL_PORTS;
  return { clients: await choose(clients), admin: await choose(admin), http: await choose(http) };
}
