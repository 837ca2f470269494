/** The lines to the servers of one operation: opened once, closed together. */

import type { ServerDescription } from '../../topology/server-description.ts';
import type { OperationContext } from './operation-context.ts';
import { openOperator } from './servers/open-operator.ts';
import type { ServerOperator } from './servers/server-operator.ts';

export type ServerPlace = Pick<ServerDescription, 'address' | 'host' | 'port' | 'tls'>;

export class OpenServers {
  readonly #context: OperationContext;
  readonly #operators = new Map<string, ServerOperator>();

  constructor(context: OperationContext) {
    this.#context = context;
  }

  /** The same one for the same server. @throws ServerOrderError */
  async open(server: ServerPlace): Promise<ServerOperator> {
    const known = this.#operators.get(server.address);
    if (known !== undefined) return known;
    const { host, port, tls } = server;
    const { statementTimeoutMs } = this.#context.settings();
    const operator = await openOperator({ host, port, tls }, this.#context.credentials(), statementTimeoutMs);
    this.#operators.set(server.address, operator);
    return operator;
  }

  close(): void {
    for (const operator of this.#operators.values()) operator.close();
    this.#operators.clear();
  }
}
