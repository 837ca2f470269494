/** Everything that changes the primary, put together for the main thread. */

import { hostname } from 'node:os';
import type { Config } from '../../config/schema.ts';
import { systemClock } from '../common/clock.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import { type Agreement, SoleAgreement } from './failover/agreement/agreement.ts';
import { EtcdAgreement } from './failover/agreement/etcd-agreement.ts';
import { EtcdClient } from './failover/agreement/etcd-client.ts';
import { FailoverDirector } from './failover/failover/failover-director.ts';
import { FailoverControl } from './failover/failover-control.ts';
import { type FailoverObstacle, failoverObstacles } from './failover/failover-obstacles.ts';
import { LeftoverWatch } from './failover/leftovers/leftover-watch.ts';
import type { OperationContext } from './failover/operation-context.ts';
import { PrivilegeWatch } from './failover/privilege-watch.ts';
import type { WriteGate } from './failover/write-gate.ts';
import type { Monitor } from './monitor/monitor.ts';
import { monitorCredentials } from './monitor-options.ts';
import { readPem } from './tls-material.ts';

export interface FailoverRoomParts {
  readonly monitor: Monitor;
  readonly gate: WriteGate;
  readonly certificates: CertificateKeeper;
  config(): Config;
}

/** Where nothing is said of etcd this Sluice is alone. @throws TlsMaterialError */
function makeAgreement({ monitor, gate, config }: FailoverRoomParts): EtcdAgreement | SoleAgreement {
  const { endpoints, prefix, name, ttlMs, timeoutMs, username, password, ...pem } = config().failover.etcd;
  if (endpoints.length === 0) return new SoleAgreement();
  const tls = {
    ca: readPem('failover.etcd.ca', pem.ca),
    certificate: readPem('failover.etcd.certificate', pem.certificate),
    key: readPem('failover.etcd.key', pem.key),
  };
  return new EtcdAgreement({
    client: new EtcdClient({ endpoints, username, password, tls, timeoutMs }),
    name: name ?? `${hostname()}:${process.pid}`,
    prefix,
    ttlMs,
    clock: systemClock,
    changed: (change) => monitor.note({ kind: 'agreement-changed', ...change }),
    termSeen: (term) => gate.raiseTerm(term),
  });
}

function operationContext(
  { monitor, gate, certificates, config }: FailoverRoomParts,
  agreement: Agreement,
): OperationContext {
  return {
    monitor,
    gate,
    agreement,
    settings: () => config().failover,
    credentials: () => monitorCredentials(config(), certificates),
  };
}

export class FailoverRoom {
  readonly control: FailoverControl;
  readonly director: FailoverDirector;
  readonly #agreement: EtcdAgreement | SoleAgreement;
  readonly #privileges: PrivilegeWatch;
  readonly #monitor: Monitor;
  readonly #config: () => Config;
  readonly #leftovers: LeftoverWatch;
  readonly #look = () => {
    this.#leftovers.look();
    this.director.look();
  };
  #stopped: Promise<void> | null = null;

  constructor(parts: FailoverRoomParts) {
    this.#monitor = parts.monitor;
    this.#config = () => parts.config();
    this.#agreement = makeAgreement(parts);
    const context = operationContext(parts, this.#agreement);
    this.#leftovers = new LeftoverWatch(context, systemClock);
    this.control = new FailoverControl(context, this.#leftovers);
    this.director = new FailoverDirector({
      context,
      control: this.control,
      lookTimeoutMs: () => parts.config().monitor.timeoutMs,
      clock: systemClock,
    });
    const { monitor, config } = parts;
    this.#privileges = new PrivilegeWatch({
      isWanted: () => config().failover.automatic,
      credentials: context.credentials,
      servers: () => monitor.topology.servers,
      timeoutMs: () => config().monitor.timeoutMs,
      note: (event) => monitor.note(event),
      clock: systemClock,
    });
  }

  /** What another process has left half-done is ended; servers may be missing, so nobody waits for it. */
  start(): void {
    if (this.#agreement instanceof EtcdAgreement) void this.#agreement.start();
    void this.control.start();
    this.#privileges.start();
    this.#watch();
  }

  /** Nothing is begun until `resume`; resolves when nothing runs any more. */
  async pause(): Promise<void> {
    this.#unwatch();
    await this.control.pause();
  }

  resume(): void {
    if (this.#stopped !== null) return;
    this.control.resume();
    this.#watch();
  }

  /** Of a failover that nobody orders. */
  get obstacles(): readonly FailoverObstacle[] {
    return failoverObstacles({
      isAutomatic: this.#config().failover.automatic,
      topology: this.#monitor.topology,
      agreement: this.#agreement.state,
      lacksPrivileges: this.#privileges.isMissingSome,
    });
  }

  /** Resolves when nothing runs any more: half an operation is worse than a late end. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#unwatch();
    await this.#privileges.stop();
    await this.director.stop();
    await this.#leftovers.stop();
    await this.control.stop();
    await this.#agreement.stop();
  }

  #watch(): void {
    this.#monitor.on('event', this.#look);
    this.#monitor.on('change', this.#look);
    this.#look();
  }

  #unwatch(): void {
    this.#monitor.off('event', this.#look);
    this.#monitor.off('change', this.#look);
  }
}
