/**
 * Finds the end of the answer to a statement that gives one result set, an OK or an ERR, by packet headers alone.
 * The bench has its own, simpler than the proxy's response tracker: a measuring tool that shares the code it
 * measures shares its mistakes.
 */

import { decodeErr } from '../../../protocol/index.ts';

const HEADER_BYTES = 4;
const MAX_FRAGMENT_BYTES = 0xff_ffff;
const OK = 0x00;
const EOF = 0xfe;
const ERR = 0xff;

type Phase = 'first' | 'definitions' | 'rows' | 'error' | 'ended';

/** For connections with CLIENT_DEPRECATE_EOF, one statement at a time. `reset` before each. */
export class ResultScanner {
  #phase: Phase = 'first';
  #definitionsLeft = 0;
  /** Bytes of the current payload that are still to come. */
  #payloadLeft = 0;
  #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #atPayloadStart = false;
  #isContinuation = false;
  #nextIsContinuation = false;
  #errPieces: Buffer[] = [];

  rows = 0;
  error: Error | null = null;

  reset(): void {
    this.#phase = 'first';
    this.#errPieces = [];
    this.rows = 0;
    this.error = null;
  }

  /**
   * @returns true when the answer ends with this chunk
   * @throws Error when bytes follow the end
   */
  feed(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#phase === 'ended') throw new Error('bytes after the end of the answer');
      if (this.#headerBytes < HEADER_BYTES) {
        at = this.#readHeader(chunk, at);
        if (this.#headerBytes < HEADER_BYTES) break;
      }
      at = this.#readPayload(chunk, at);
    }
    return this.#phase === 'ended';
  }

  #readHeader(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && this.#headerBytes < HEADER_BYTES) {
      this.#header[this.#headerBytes++] = chunk[at++]!;
    }
    if (this.#headerBytes === HEADER_BYTES) {
      this.#payloadLeft = this.#header.readUIntLE(0, 3);
      this.#isContinuation = this.#nextIsContinuation;
      this.#nextIsContinuation = this.#payloadLeft === MAX_FRAGMENT_BYTES;
      this.#atPayloadStart = true;
      if (this.#payloadLeft === 0) this.#endPayload();
    }
    return at;
  }

  #readPayload(chunk: Buffer, from: number): number {
    if (from >= chunk.length || this.#payloadLeft === 0) return from;
    if (this.#atPayloadStart) {
      this.#atPayloadStart = false;
      if (!this.#isContinuation) this.#look(chunk[from]!);
    }
    const taken = Math.min(this.#payloadLeft, chunk.length - from);
    if (this.#phase === 'error') this.#errPieces.push(Buffer.from(chunk.subarray(from, from + taken)));
    this.#payloadLeft -= taken;
    if (this.#payloadLeft === 0) this.#endPayload();
    return from + taken;
  }

  #look(firstByte: number): void {
    if (firstByte === ERR && this.#phase !== 'definitions') {
      this.#phase = 'error';
    } else if (this.#phase === 'first') {
      // Statements of the bench have fewer than 251 columns: the count is one byte.
      this.#definitionsLeft = firstByte === OK ? 0 : firstByte + 1;
      this.#phase = 'definitions';
    } else if (this.#phase === 'rows') {
      if (firstByte === EOF && this.#payloadLeft < MAX_FRAGMENT_BYTES) this.#definitionsLeft = 0;
      else this.rows++;
    }
  }

  #endPayload(): void {
    this.#headerBytes = 0;
    if (this.#phase === 'error') {
      const { errno, message } = decodeErr(Buffer.concat(this.#errPieces));
      this.error = new Error(`error ${errno}: ${message}`);
      this.#phase = 'ended';
    } else if (this.#definitionsLeft === 0) {
      this.#phase = 'ended';
    } else if (this.#phase === 'definitions') {
      this.#definitionsLeft--;
      if (this.#definitionsLeft === 0) {
        this.#phase = 'rows';
        // Any number but 0: only the closing packet sets it to that.
        this.#definitionsLeft = -1;
      }
    }
  }
}
