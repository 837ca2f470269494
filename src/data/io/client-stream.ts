/**
 * What a client's connection reads from and writes to. There is one class for each kind of transport, and layers are
 * put on top of each other (compression on TLS, say), so that a plain connection knows nothing of the others.
 */

export interface ClientStreamOwner {
  /** `buffer[0, length)` is valid until the return. */
  onBytes(buffer: Buffer, length: number): void;
  onDrain(): void;
  onClosed(error: Error | null): void;
  /** The bytes that came are not what the layer takes; it goes on only to send an error. */
  onBroken(error: Error): void;
  /** Whether bytes are of use now; asked by layers that can hold them back. */
  acceptsBytes(): boolean;
}

export interface ClientStream {
  /** Who is told; a layer that is put on top takes the place of the one before. */
  owner: ClientStreamOwner;
  readonly destroyed: boolean;
  /** Bytes that the kernel has not taken yet. */
  readonly unsentBytes: number;
  /** @returns true if the bytes are still referenced, or so much waits that the writer should look at `unsentBytes`. */
  write(bytes: Buffer): boolean;
  pause(): void;
  resume(): void;
  /** Closes when all that was written is sent. */
  end(): void;
  destroy(): void;
}

/** For a client that never reads its last packet, nor closes: it must not keep the descriptor. */
export const GOODBYE_MS = 2000;
