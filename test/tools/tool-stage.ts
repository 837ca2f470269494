/** What operators' tools are let loose on: a Sluice with a folder for its data, in front of a primary and a replica. */

import { join } from 'node:path';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/owned-resources.ts';
import { APP_SCHEMA, ReplicationSet } from '../support/replication-set.ts';
import { type ConfigObject, SluiceProcess } from '../support/sluice-process.ts';

export class ToolStage {
  readonly set: ReplicationSet;
  readonly sluice: SluiceProcess;
  readonly directory: string;

  private constructor(set: ReplicationSet, sluice: SluiceProcess, directory: string) {
    this.set = set;
    this.sluice = sluice;
    this.directory = directory;
  }

  static async start(config: ConfigObject = {}, replicas = 1): Promise<ToolStage> {
    const directory = makeTemporaryDirectory('tools');
    const set = new ReplicationSet({
      replicas,
      sql: [
        `CREATE TABLE ${APP_SCHEMA}.seen (id INT PRIMARY KEY, name VARCHAR(40))`,
        `INSERT INTO ${APP_SCHEMA}.seen VALUES (1, 'one'), (2, 'two')`,
      ],
    });
    try {
      await set.start();
      const dataDir = join(directory, 'data');
      const sluice = await SluiceProcess.startFor(set, { config: { dataDir, ...config } });
      return new ToolStage(set, sluice, directory);
    } catch (error) {
      await set.dispose();
      removeTemporaryDirectory(directory);
      throw error;
    }
  }

  /** One statement on the admin port; rows of texts and numbers. */
  async admin(sql: string, user = 'admin'): Promise<Record<string, unknown>[]> {
    const connection = await this.sluice.adminConnection({ user, password: user });
    try {
      const [rows] = await connection.query(sql);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    } finally {
      await connection.end();
    }
  }

  async dispose(): Promise<void> {
    await this.sluice.dispose();
    await this.set.dispose();
    removeTemporaryDirectory(this.directory);
  }
}
