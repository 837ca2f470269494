/** Somebody on the admin port. */

import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

export class Operator {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Values as texts, whatever type they are sent with. */
  async rows(sql: string): Promise<Record<string, string | null>[]> {
    const [rows] = await this.connection.query<RowDataPacket[]>(sql);
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
      ),
    );
  }

  /** The first column of the first row. */
  async value(sql: string): Promise<string | null | undefined> {
    const [row] = await this.rows(sql);
    return row === undefined ? undefined : Object.values(row)[0];
  }

  /** How many warnings there were. */
  async run(sql: string): Promise<number> {
    const [answer] = await this.connection.query<ResultSetHeader>(sql);
    return answer.warningStatus;
  }

  async warningsOf(sql: string): Promise<string[]> {
    await this.run(sql);
    return (await this.rows('SHOW WARNINGS')).map(({ Message }) => String(Message));
  }

  async errorOf(sql: string): Promise<string> {
    try {
      await this.connection.query(sql);
    } catch (error) {
      const { errno, message } = error as Error & { errno: number };
      return `${errno} ${message}`;
    }
    return 'no error';
  }
}
