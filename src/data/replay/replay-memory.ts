/** Whether transactions are logged, and how much the logs of all sessions of a worker may take. */

export interface ReplaySettings {
  readonly enabled: boolean;
  /** Of one transaction. */
  readonly maxBytes: number;
  readonly maxStatements: number;
  /** Of all transactions of a worker. */
  readonly maxWorkerBytes: number;
}

export class ReplayMemory implements ReplaySettings {
  enabled = false;
  maxBytes = 0;
  maxStatements = 0;
  maxWorkerBytes = 0;
  bytes = 0;

  update({ enabled, maxBytes, maxStatements, maxWorkerBytes }: ReplaySettings): void {
    this.enabled = enabled;
    this.maxBytes = maxBytes;
    this.maxStatements = maxStatements;
    this.maxWorkerBytes = maxWorkerBytes;
  }

  hasRoomFor(bytes: number): boolean {
    return this.bytes + bytes <= this.maxWorkerBytes;
  }

  take(bytes: number): void {
    this.bytes += bytes;
  }

  give(bytes: number): void {
    this.bytes -= bytes;
  }
}
