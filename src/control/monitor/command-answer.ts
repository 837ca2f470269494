/**
 * What a server answers to a command, packet by packet, with all values as texts. Behind a CALL several answers come: the rows are
 * those of the first that has any.
 */

import {
  Capability,
  decodeColumnCount,
  decodeColumnDefinition41,
  decodeEof,
  decodeErr,
  decodeOk,
  decodeTextRow,
  ERR_HEADER,
  hasStatus,
  isEof,
  StatusFlag,
  uniteCapabilities,
} from '../../../protocol/index.ts';
import { ServerError } from './server-error.ts';

/** Every value as the server's text, whatever its type: no number is rounded and no date is moved. */
export type Row = Readonly<Record<string, string | null>>;

/** What the packets look like that it reads. */
export const ANSWER_CAPABILITIES = uniteCapabilities(
  Capability.CLIENT_PROTOCOL_41,
  Capability.CLIENT_TRANSACTIONS,
);

const OK_HEADER = 0x00;
/** Collation of columns whose bytes are no text. */
const BINARY = 63;

interface Column {
  readonly name: string;
  readonly encoding: 'utf8' | 'latin1';
}

type Part = 'head' | 'columns' | 'columnsEnd' | 'rows';

export class CommandAnswer {
  #part: Part = 'head';
  #columnCount = 0;
  #columns: Column[] = [];
  #rows: Row[] | null = null;
  #first: readonly Row[] | null = null;
  #affectedRows = 0;

  get rows(): readonly Row[] {
    return this.#first ?? [];
  }

  get affectedRows(): number {
    return this.#affectedRows;
  }

  /**
   * @param payload may be used again afterwards
   * @returns whether the answer is whole
   * @throws ServerError what the server says instead; then it is whole, too
   * @throws MalformedPacketError
   */
  take(payload: Buffer): boolean {
    if (payload[0] === ERR_HEADER) throw new ServerError(decodeErr(payload));
    switch (this.#part) {
      case 'head':
        return this.#head(payload);
      case 'columns':
        this.#column(payload);
        return false;
      case 'columnsEnd':
        decodeEof(payload, ANSWER_CAPABILITIES);
        this.#part = 'rows';
        return false;
      case 'rows':
        return this.#row(payload);
    }
  }

  #head(payload: Buffer): boolean {
    if (payload[0] === OK_HEADER) {
      const { affectedRows, statusFlags } = decodeOk(payload, ANSWER_CAPABILITIES);
      this.#affectedRows = Number(affectedRows);
      return this.#isLast(statusFlags);
    }
    this.#columnCount = decodeColumnCount(payload, ANSWER_CAPABILITIES).columnCount;
    this.#columns = [];
    this.#rows = [];
    this.#part = 'columns';
    return false;
  }

  #column(payload: Buffer): void {
    const { name, collationId } = decodeColumnDefinition41(payload);
    this.#columns.push({ name, encoding: collationId === BINARY ? 'latin1' : 'utf8' });
    if (this.#columns.length === this.#columnCount) this.#part = 'columnsEnd';
  }

  #row(payload: Buffer): boolean {
    if (isEof(payload)) {
      this.#first ??= this.#rows;
      return this.#isLast(decodeEof(payload, ANSWER_CAPABILITIES).statusFlags);
    }
    const row: Record<string, string | null> = {};
    for (const [index, value] of decodeTextRow(payload, this.#columnCount).entries()) {
      const { name, encoding } = this.#columns[index]!;
      row[name] = value === null ? null : value.toString(encoding);
    }
    this.#rows?.push(row);
    return false;
  }

  #isLast(statusFlags: number): boolean {
    this.#part = 'head';
    return !hasStatus(statusFlags, StatusFlag.SERVER_MORE_RESULTS_EXISTS);
  }
}
