/** Everything that changes the primary, put together for the main thread. */

import type { Config } from '../../config/schema.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import { SoleAgreement } from './failover/agreement/agreement.ts';
import { FailoverControl } from './failover/failover-control.ts';
import type { OperationContext } from './failover/operation-context.ts';
import type { WriteGate } from './failover/write-gate.ts';
import type { Monitor } from './monitor/monitor.ts';
import { monitorCredentials } from './monitor-options.ts';

export interface FailoverRoomParts {
  readonly monitor: Monitor;
  readonly gate: WriteGate;
  readonly certificates: CertificateKeeper;
  config(): Config;
}

function operationContext({ monitor, gate, certificates, config }: FailoverRoomParts): OperationContext {
  return {
    monitor,
    gate,
    agreement: new SoleAgreement(),
    settings: () => config().failover,
    credentials: () => monitorCredentials(config(), certificates),
  };
}

export class FailoverRoom {
  readonly control: FailoverControl;

  constructor(parts: FailoverRoomParts) {
    this.control = new FailoverControl(operationContext(parts));
  }

  /** What another process has left half-done is ended; servers may be missing, so nobody waits for it. */
  start(): void {
    void this.control.start();
  }

  /** Resolves when nothing runs any more: half an operation is worse than a late end. */
  stop(): Promise<void> {
    return this.control.stop();
  }
}
