/** One connection to a server of the second level. It knows keys and bytes, and nothing of what they mean. */

export interface SharedStoreHandlers {
  /** It was connected and is not any more; whatever was asked has failed. */
  lost(error: Error): void;
}

/** Called once for each command, never before the call that sends it has returned. */
export type Done<T> = (error: Error | null, value: T) => void;

export interface SharedStore {
  /** @throws where there is no connection, the account is refused, or the server is none that can be used. */
  connect(): Promise<void>;
  /** 8 bytes, when it is connected: others when the server may have lost something that it had acknowledged. */
  readonly incarnation: Buffer;
  /** Both at one moment, null for what is not there. */
  readPair(first: string, second: string, done: Done<readonly [Buffer | null, Buffer | null]>): void;
  /** @param ttlMs from now on. */
  write(key: string, value: Buffer, ttlMs: number, done: Done<void>): void;

  // ---- upkeep: one of these at a time

  readAll(keys: readonly string[]): Promise<readonly (Buffer | null)[]>;
  /**
   * For ever.
   * @param make of what is there; null: leave it.
   * @returns false if somebody else has changed it meanwhile.
   */
  change(key: string, make: (old: Buffer | null) => Buffer | null): Promise<boolean>;
  put(key: string, value: Buffer, ttlMs: number): Promise<void>;
  /** Takes no memory. @returns false if it is not there. */
  renew(key: string, ttlMs: number): Promise<boolean>;
  /** Takes no memory. */
  remove(key: string): Promise<void>;

  /** At once, in any state; what was asked fails. */
  close(): void;
}

export type MakeSharedStore = (handlers: SharedStoreHandlers) => SharedStore;
