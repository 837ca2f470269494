/**
 * The key of a result: who asks, in what state of the session, of which hostgroup, and what. One string, one byte of it for
 * each byte below, since a map needs one.
 *
 * | bytes | meaning                                                                     |
 * |-------|-----------------------------------------------------------------------------|
 * | 1     | COM_QUERY or COM_STMT_EXECUTE: their rows are written differently           |
 * | 4     | scope: account, schema, variables (`cache-scope.ts`)                        |
 * | 4     | plan, or what was prepared                                                  |
 * | 8     | the hostgroups whose servers answer                                         |
 * | rest  | the text (`statement-bytes.ts`), or the parameters with their types         |
 */

import { Command } from '../../../protocol/index.ts';
import { copyBytes } from '../../common/copy-bytes.ts';
import { hashBytes } from '../../sql/token-hash.ts';
import { statementEnd, statementStart } from './statement-bytes.ts';

/** Of the text or the parameters: what is longer is not cached. */
const MAX_KEYED_BYTES = 16 * 1024;
const HEAD_BYTES = 17;
const DESTINATION_AT = 9;
const NO_HOSTGROUP = 0xffff_ffff;

export interface KeyedDestination {
  readonly writer: number;
  /** null: the writer answers. */
  readonly readers: number | null;
}

/** A statement with values, as its client has prepared and bound it. */
export interface KeyedParameters {
  /**
   * Writes the types and values of the execution in `buffer[start, end)` to `out`, from `at` on, no more than `maxBytes`.
   * @returns where they end; below 0 if they are too long, or cannot be told.
   */
  writeParameters(
    out: Buffer,
    at: number,
    maxBytes: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): number;
}

/** Filled for each key, and read at once. */
const scratch = Buffer.allocUnsafeSlow(HEAD_BYTES + MAX_KEYED_BYTES);
let scratchLength = 0;

/** @param buffer the packet of a COM_QUERY is in `buffer[start, end)`. @returns null for a text that is too long. */
export function textKey(
  scopeId: number,
  planId: number,
  destination: KeyedDestination,
  buffer: Buffer,
  start: number,
  end: number,
): string | null {
  const from = statementStart(buffer, start + 1, end);
  const to = statementEnd(buffer, from, end);
  if (to - from > MAX_KEYED_BYTES) return null;
  writeHead(Command.COM_QUERY, scopeId, planId, destination);
  scratchLength = copyBytes(scratch, HEAD_BYTES, buffer, from, to);
  return scratch.toString('latin1', 0, scratchLength);
}

/** @param buffer the packet of a COM_STMT_EXECUTE is in `buffer[start, end)`. */
export function executionKey(
  scopeId: number,
  definitionId: number,
  destination: KeyedDestination,
  parameters: KeyedParameters,
  buffer: Buffer,
  start: number,
  end: number,
): string | null {
  writeHead(Command.COM_STMT_EXECUTE, scopeId, definitionId, destination);
  scratchLength = parameters.writeParameters(scratch, HEAD_BYTES, MAX_KEYED_BYTES, buffer, start, end);
  return scratchLength < 0 ? null : scratch.toString('latin1', 0, scratchLength);
}

/** Of a key what means the same in every process: the command, the hostgroups, and the text or the parameters. */
export function lastingParts(key: string): { readonly command: number; readonly rest: Buffer } {
  const bytes = Buffer.from(key, 'latin1');
  return { command: bytes[0]!, rest: bytes.subarray(DESTINATION_AT) };
}

/** Of the key that was made last, 32 bits. */
export function lastKeyHash(): number {
  return hashBytes(scratch, 0, scratchLength, 0);
}

function writeHead(
  command: number,
  scopeId: number,
  id: number,
  { writer, readers }: KeyedDestination,
): void {
  scratch[0] = command;
  scratch.writeUInt32LE(scopeId >>> 0, 1);
  scratch.writeUInt32LE(id >>> 0, 5);
  scratch.writeUInt32LE(writer >>> 0, 9);
  scratch.writeUInt32LE(readers === null ? NO_HOSTGROUP : readers >>> 0, 13);
}
