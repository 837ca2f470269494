/** One connection to a server of the second level. It knows keys and bytes, and nothing of what they mean. */

export interface SharedStoreHandlers {
  /** It was connected and is not any more; whatever was asked has failed. */
  lost(error: Error): void;
}

/** Called once for each command, never before the call that sends it has returned. */
export type Done<T> = (error: Error | null, value: T) => void;

export interface SharedStore {
  /** @throws where there is no connection, or the account is refused. */
  connect(): Promise<void>;
  /** Both at one moment, null for what is not there. */
  readPair(first: string, second: string, done: Done<readonly [Buffer | null, Buffer | null]>): void;
  /** @param ttlMs from now on. */
  write(key: string, value: Buffer, ttlMs: number, done: Done<void>): void;
  /** Only where there is nothing yet. */
  add(key: string, value: Buffer, done: Done<void>): void;
  /** For ever. */
  put(key: string, value: Buffer, done: Done<void>): void;
  /** At once, in any state; what was asked fails. */
  close(): void;
}

export type MakeSharedStore = (handlers: SharedStoreHandlers) => SharedStore;
