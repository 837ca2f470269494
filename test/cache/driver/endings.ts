/** How a writer's transactions end. */

import type { Session } from './session.ts';

type Ending = (writer: TransactionRun) => Promise<void>;

/** What the endings of a transaction need of its writer. */
export interface TransactionRun {
  readonly session: Session;
  commit(sql: string): Promise<void>;
  forget(): void;
}

const COMMIT: Ending = (run) => run.commit('COMMIT');
const ROLLBACK: Ending = async ({ session, forget }) => {
  forget();
  await session.text('ROLLBACK');
};

export const CALM_ENDINGS: readonly Ending[] = [COMMIT, COMMIT, COMMIT, ROLLBACK];
export const ENDINGS: readonly Ending[] = [
  COMMIT,
  COMMIT,
  COMMIT,
  async ({ session, ...run }) => {
    await run.commit('BEGIN');
    await session.text('ROLLBACK');
  },
  async ({ session, ...run }) => {
    await run.commit('COMMIT AND CHAIN');
    await session.text('ROLLBACK');
  },
  (run) => run.commit('CREATE TABLE IF NOT EXISTS a (id INT)'),
  async ({ session, ...run }) => {
    await run.commit('LOCK TABLES p WRITE');
    await session.text('UNLOCK TABLES');
  },
  ROLLBACK,
  ROLLBACK,
  async ({ session, forget }) => {
    forget();
    session.connection.destroy();
  },
];
