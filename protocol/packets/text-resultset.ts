import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { ColumnType } from '../constants/column-types.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { encodeBinaryRow } from './binary-row.ts';
import type { BinaryType, BinaryValue } from './binary-value.ts';
import { encodeColumnCount } from './column-count.ts';
import { encodeColumnDefinition41 } from './column-definition-41.ts';
import { EOF_HEADER, encodeEof } from './eof.ts';
import { encodeOk } from './ok.ts';
import { type TextValue, writeTextRow } from './text-row.ts';

/** A column of an answer that no server made. */
export interface ResultColumn {
  readonly name: string;
  /** One of `ColumnType`; MYSQL_TYPE_VAR_STRING if left out. */
  readonly type?: number;
  /** Collation id; utf8mb4_general_ci for texts and binary for the rest if left out. */
  readonly charset?: number;
  /** Width in bytes that clients may reserve. */
  readonly length?: number;
  readonly flags?: number;
  /** 0 for integers and 31 ("not fixed") for the rest if left out. */
  readonly decimals?: number;
}

export interface ResultsetContext {
  readonly capabilities: number;
  readonly statusFlags: number;
  readonly warnings: number;
  /** Of the first packet: 1 when it answers a command. */
  readonly sequenceId: number;
  /** MariaDB's negotiated upper half, if any. */
  readonly mariadbMetadata?: { readonly extendedMetadata: boolean; readonly cacheMetadata: boolean };
}

const UTF8MB4_GENERAL_CI = 45;
const BINARY = 63;
const DEFAULT_LENGTH = 1024;
/** "As many as the value has", what servers say of columns without a fixed number of decimals. */
const NOT_FIXED_DECIMALS = 31;

const TEXT_TYPES: ReadonlySet<number> = new Set([
  ColumnType.MYSQL_TYPE_VARCHAR,
  ColumnType.MYSQL_TYPE_VAR_STRING,
  ColumnType.MYSQL_TYPE_STRING,
  ColumnType.MYSQL_TYPE_BLOB,
  ColumnType.MYSQL_TYPE_ENUM,
  ColumnType.MYSQL_TYPE_SET,
]);
const INTEGER_TYPES: ReadonlySet<number> = new Set([
  ColumnType.MYSQL_TYPE_TINY,
  ColumnType.MYSQL_TYPE_SHORT,
  ColumnType.MYSQL_TYPE_INT24,
  ColumnType.MYSQL_TYPE_LONG,
  ColumnType.MYSQL_TYPE_LONGLONG,
  ColumnType.MYSQL_TYPE_YEAR,
]);

/** How rows are written: as COM_QUERY answers them, or COM_STMT_EXECUTE. */
export type RowFormat = 'text' | 'binary';

/**
 * A result set as framed packets, row by row, so that whoever sends it can do so in pieces: `take` what is there when
 * `pendingBytes` are many.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html
 */
export class ResultsetWriter {
  readonly #columns: readonly ResultColumn[];
  readonly #types: readonly BinaryType[];
  readonly #context: ResultsetContext;
  readonly #format: RowFormat;
  readonly #deprecateEof: boolean;
  #writer = new BufferWriter(1024);
  #sequenceId: number;

  /** Writes the definitions at once. */
  constructor(columns: readonly ResultColumn[], context: ResultsetContext, format: RowFormat = 'text') {
    const { capabilities, statusFlags, warnings } = context;
    this.#columns = columns;
    this.#types = columns.map(({ type = ColumnType.MYSQL_TYPE_VAR_STRING }) => ({ type, unsigned: false }));
    this.#context = context;
    this.#format = format;
    this.#sequenceId = context.sequenceId;
    this.#deprecateEof = hasCapability(capabilities, Capability.CLIENT_DEPRECATE_EOF);
    const options = context.mariadbMetadata ?? {};
    const columnCount = columns.length;
    this.#packet(encodeColumnCount({ columnCount, metadataFollows: true }, capabilities, options));
    for (const column of columns) this.#packet(encodeColumnDefinition41(definitionOf(column), options));
    if (!this.#deprecateEof) this.#packet(encodeEof({ statusFlags, warnings }, capabilities));
  }

  get pendingBytes(): number {
    return this.#writer.length;
  }

  /**
   * Numbers in a column of texts are written as texts.
   *
   * @throws RangeError for a row with another number of values than columns, and, in the binary format, for a value
   * that its column's type cannot hold (TypeError where it is of another kind)
   */
  row(values: readonly TextValue[]): void {
    if (values.length !== this.#columns.length) {
      throw new RangeError(`A row of ${values.length} values for ${this.#columns.length} columns`);
    }
    if (this.#format === 'binary') {
      this.#packet(
        encodeBinaryRow(
          values.map((value, index) => this.#binary(value, index)),
          this.#types,
        ),
      );
      return;
    }
    this.#writer.beginPacket(this.#sequenceId);
    writeTextRow(this.#writer, values);
    this.#sequenceId = this.#writer.endPacket();
  }

  #binary(value: TextValue, index: number): BinaryValue {
    if (typeof value === 'string') return Buffer.from(value);
    const isText = TEXT_TYPES.has(this.#types[index]!.type);
    return isText && (typeof value === 'number' || typeof value === 'bigint')
      ? Buffer.from(`${value}`)
      : value;
  }

  end(): void {
    const { capabilities, statusFlags, warnings } = this.#context;
    if (this.#deprecateEof)
      this.#packet(encodeOk({ header: EOF_HEADER, statusFlags, warnings }, capabilities));
    else this.#packet(encodeEof({ statusFlags, warnings }, capabilities));
  }

  /** What has been written since the last time. */
  take(): Buffer {
    return this.#writer.take();
  }

  #packet(payload: Uint8Array): void {
    this.#sequenceId = this.#writer.beginPacket(this.#sequenceId).writeBytes(payload).endPacket();
  }
}

/** A whole result set in the text format. */
export function encodeTextResultset(
  columns: readonly ResultColumn[],
  rows: readonly (readonly TextValue[])[],
  context: ResultsetContext,
): Buffer {
  const writer = new ResultsetWriter(columns, context);
  for (const row of rows) writer.row(row);
  writer.end();
  return writer.take();
}

/** One column's definition as a payload. */
export function encodeResultColumn(
  column: ResultColumn,
  options: { readonly extendedMetadata?: boolean } = {},
): Buffer {
  return encodeColumnDefinition41(definitionOf(column), options);
}

function definitionOf(column: ResultColumn): Parameters<typeof encodeColumnDefinition41>[0] {
  const type = column.type ?? ColumnType.MYSQL_TYPE_VAR_STRING;
  return {
    catalog: 'def',
    schema: '',
    table: '',
    orgTable: '',
    name: column.name,
    orgName: '',
    extendedMetadata: [],
    collationId: column.charset ?? (TEXT_TYPES.has(type) ? UTF8MB4_GENERAL_CI : BINARY),
    columnLength: column.length ?? DEFAULT_LENGTH,
    type,
    flags: column.flags ?? 0,
    decimals: column.decimals ?? (INTEGER_TYPES.has(type) ? 0 : NOT_FIXED_DECIMALS),
    defaultValue: undefined,
  };
}
