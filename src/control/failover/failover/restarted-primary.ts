/**
 * A primary that was restarted while nobody could take its place, and is read-only since, as its configuration file says:
 * where all servers start read-only, somebody has to make it writable again.
 *
 * Effect: with `failover.automatic`, the last primary is made writable if it has failed and was started again since it was
 *         seen to take writes, nobody else takes writes, and no replica has anything that it lacks. What an operator has
 *         set read-only stays so: a server that went on running is left alone.
 */

import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../common/clock.ts';
import type { ServerAddress, ServerDescription } from '../../../topology/server-description.ts';
import { watchedPrimary } from '../../../topology/watched-primary.ts';
import type { FailoverControl } from '../failover-control.ts';
import { OpenServers } from '../open-servers.ts';
import type { OperationContext } from '../operation-context.ts';
import { OperationKind } from '../operation-event.ts';
import { divergenceOf } from '../rejoin/divergence.ts';
import type { ServerOperator } from '../servers/server-operator.ts';
import { isReadOnly } from '../servers/server-state.ts';
import { runSteps } from '../step-run.ts';

/** Servers tell their uptime in whole seconds. */
const UPTIME_MARGIN_MS = 2000;

export interface RestartedPrimaryOptions {
  readonly context: OperationContext;
  readonly control: FailoverControl;
  readonly clock: Clock;
}

export class RestartedPrimary {
  readonly #options: RestartedPrimaryOptions;
  /** The primary that has failed, and when that was seen first; null while all is well. */
  #failed: { readonly address: ServerAddress; readonly atMs: number } | null = null;
  #running: Promise<void> | null = null;

  constructor(options: RestartedPrimaryOptions) {
    this.#options = options;
  }

  /** The monitor has seen something. */
  look(): void {
    const { context, clock } = this.#options;
    const { topology } = context.monitor;
    const watched = watchedPrimary(topology);
    if (watched === null) return;
    if (topology.primary !== null) {
      if (!watched.isSuspect) this.#failed = null;
      else if (this.#failed?.address !== watched.address)
        this.#failed = { address: watched.address, atMs: clock.monotonicMs() };
      return;
    }
    const isBack = this.#failed?.address === watched.address && !watched.isSuspect;
    if (!isBack || this.#running !== null) return;
    this.#running = this.#reopen(watched.address)
      .catch(() => {
        // It is down again, or another operation runs: the monitor's next event comes.
      })
      .finally(() => {
        this.#running = null;
      });
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  async #reopen(address: ServerAddress): Promise<void> {
    const { context, control } = this.#options;
    if (!context.settings().automatic || context.agreement.refusal() !== null) return;
    const { servers } = context.monitor.topology;
    const server = servers.find((each) => each.address === address);
    if (server === undefined || servers.some(({ readOnly }) => readOnly === false)) return;
    const open = new OpenServers(context);
    try {
      const operator = await open.open(server);
      if (await this.#mayOpen(open, operator, servers))
        await control.exclusive(OperationKind.recovery, () => this.#open(operator));
    } finally {
      open.close();
    }
  }

  async #mayOpen(
    open: OpenServers,
    operator: ServerOperator,
    servers: readonly ServerDescription[],
  ): Promise<boolean> {
    const state = await operator.readState();
    if (!isReadOnly(state) || state.channels.length > 0) return false;
    const [row] = await operator.link.query("SHOW GLOBAL STATUS LIKE 'Uptime'");
    const uptimeMs = Number(row?.Value ?? Number.POSITIVE_INFINITY) * 1000;
    const sinceMs = this.#options.clock.monotonicMs() - (this.#failed?.atMs ?? 0);
    if (uptimeMs > sinceMs + UPTIME_MARGIN_MS) return false;
    for (const server of servers) {
      if (server.address === operator.address || server.status !== 'ONLINE') continue;
      const other = await (await open.open(server)).readState();
      if (!isReadOnly(other) || divergenceOf(other, state).extra !== '') return false;
    }
    return true;
  }

  async #open(operator: ServerOperator): Promise<void> {
    const { context, control } = this.#options;
    const operation = OperationKind.recovery;
    const { address } = operator;
    const id = randomUUID();
    const note = context.monitor.note.bind(context.monitor);
    const step = {
      name: 'writable',
      plan: `make ${address} writable again`,
      run: async () => {
        await operator.setWritable();
        await context.monitor.wake(address);
        return 'it was restarted read-only';
      },
    };
    await control.announced({ operation, id, from: address, to: address }, () =>
      runSteps([step], { operation, id, note }),
    );
  }
}
