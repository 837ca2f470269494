/**
 * Raises the epochs of single rows (`row-slots.ts`), so that what was read of other rows of the table stays true. An image tells
 * the values of each unique key: before a change and after it. What it does not tell, or not precisely, is a change of all rows
 * of that key; what cannot be read at all is one of the table's structure.
 */

import {
  decodeRowsHeader,
  type ImageColumns,
  IS_NULL,
  imageColumns,
  inflateBinlogBytes,
  MalformedPacketError,
  NOT_IN_IMAGE,
  RowImageReader,
  type RowsHeader,
  RowsOperation,
  rowsTableId,
  type TableMap,
} from '../../../protocol/index.ts';
import type { KeyCatalog, TableKeys } from '../../common/key-catalog.ts';
import { KeyColumnKind, RowHasher, type RowKey } from '../../common/row-slots.ts';
import type { TableEpochs } from '../../common/table-epochs.ts';
import { isReadAs, readInteger } from './key-values.ts';
import type { RowSink } from './row-sink.ts';
import { SettlingRows } from './settling-rows.ts';

export interface RowRaiserOptions {
  readonly epochs: TableEpochs;
  /** The same object until it is another catalogue; never older than what workers have. */
  readonly keys: () => KeyCatalog;
  readonly isMariadb: () => boolean;
}

const MAX_INFLATED_BYTES = 64 * 1_048_576;

/** How to read the rows of one table. */
interface TableReading {
  readonly keys: TableKeys;
  readonly reader: RowImageReader;
  readonly before: ImageColumns;
  readonly after: ImageColumns;
  /** For each key, where its columns are among those that are read. */
  readonly places: readonly (readonly number[])[];
}

interface MappedRows {
  readonly tableMap: TableMap;
  readonly slot: number;
}

export class RowRaiser implements RowSink {
  readonly #options: RowRaiserOptions;
  readonly #settling: SettlingRows;
  readonly #hasher = new RowHasher();
  readonly #mapped = new Map<number, MappedRows>();
  /** null: nobody can read it. */
  #readings = new WeakMap<TableMap, TableReading | null>();
  #catalog: KeyCatalog | null = null;

  constructor(options: RowRaiserOptions) {
    this.#options = options;
    this.#settling = new SettlingRows(options.epochs, options.keys);
  }

  mapped(tableMap: TableMap, slot: number): void {
    this.#mapped.set(tableMap.tableId, { tableMap, slot });
  }

  rows(eventType: number, body: Buffer): void {
    const mapped = this.#mapped.get(rowsTableId(body));
    if (mapped === undefined) throw new MalformedPacketError('table number of rows', 0);
    const { slot, tableMap } = mapped;
    const catalog = this.#options.keys();
    this.#settling.see(slot, catalog);
    const reading = this.#readingOf(tableMap, catalog);
    const header = decodeRowsHeader(eventType, body);
    // Of changes of parts of JSON it is not certain how they are told apart from the rest of the row.
    if (reading === null || header.isPartial || header.columns !== tableMap.columnTypes.length) {
      this.#settling.raiseStructure(slot);
      return;
    }
    const packed = body.subarray(header.rowsOffset);
    try {
      const rows = header.isCompressed ? inflateBinlogBytes(packed, MAX_INFLATED_BYTES) : packed;
      this.#images(reading, header, rows);
    } catch (error) {
      if (!(error instanceof MalformedPacketError)) throw error;
      this.#settling.raiseStructure(slot);
    }
  }

  ended(position: number): void {
    this.#settling.ended(position);
  }

  settled(): void {
    this.#settling.settled();
  }

  dropped(): void {
    this.#settling.dropped();
  }

  forget(): void {
    this.#settling.forget();
    this.#mapped.clear();
  }

  #readingOf(tableMap: TableMap, catalog: KeyCatalog): TableReading | null {
    if (catalog !== this.#catalog) {
      this.#catalog = catalog;
      this.#readings = new WeakMap();
    }
    const known = this.#readings.get(tableMap);
    if (known !== undefined) return known;
    const reading = this.#makeReading(tableMap, catalog);
    this.#readings.set(tableMap, reading);
    return reading;
  }

  #makeReading(tableMap: TableMap, catalog: KeyCatalog): TableReading | null {
    const keys = catalog.keysOf(tableMap.schema, tableMap.table);
    if (keys === null || keys.width !== tableMap.columnTypes.length) return null;
    if (!keys.columns.every((column) => isReadAs(tableMap, column))) return null;
    const wanted = keys.columns.map(({ index }) => index);
    const reader = RowImageReader.of(tableMap, wanted, this.#options.isMariadb());
    if (reader === null) return null;
    const places = keys.keys.map(({ columns }) => columns.map(({ index }) => wanted.indexOf(index)));
    return {
      keys,
      reader,
      before: imageColumns(wanted.length),
      after: imageColumns(wanted.length),
      places,
    };
  }

  #images(reading: TableReading, header: RowsHeader, rows: Buffer): void {
    const { reader, before, after } = reading;
    const { columnsBefore, columnsAfter, operation } = header;
    for (let at = 0; at < rows.length; ) {
      const from = at;
      at = reader.read(rows, at, columnsBefore, before);
      this.#raiseRow(reading, rows, before);
      if (operation === RowsOperation.update) {
        at = reader.read(rows, at, columnsAfter, after);
        if (keepMissing(reading)) this.#raiseRow(reading, rows, after);
      }
      if (at === from) throw new MalformedPacketError('images without columns', at);
    }
  }

  #raiseRow({ keys, places }: TableReading, rows: Buffer, image: ImageColumns): void {
    for (let i = 0; i < keys.keys.length; i++) {
      const key = keys.keys[i]!;
      const slot = this.#slotOf(key, places[i]!, rows, image);
      if (slot >= 0) this.#settling.raise(slot, key);
    }
  }

  /** @returns -1 if no comparison finds the row by this key. */
  #slotOf(key: RowKey, places: readonly number[], rows: Buffer, { starts, ends }: ImageColumns): number {
    const hasher = this.#hasher;
    hasher.begin(key);
    let isPrecise = true;
    for (let i = 0; i < places.length; i++) {
      const start = starts[places[i]!]!;
      if (start === IS_NULL) return -1;
      if (start === NOT_IN_IMAGE) {
        isPrecise = false;
        continue;
      }
      const end = ends[places[i]!]!;
      const { kind } = key.columns[i]!;
      if (kind === KeyColumnKind.text) isPrecise &&= hasher.addText(rows, start, end);
      else readInteger(rows, start, end, kind === KeyColumnKind.signed, hasher);
    }
    return isPrecise ? hasher.slot : key.keySlot;
  }
}

/** What the image after an update has not got is as it was before. @returns false if it has nothing. */
function keepMissing({ before, after }: TableReading): boolean {
  let hasSome = false;
  for (let place = 0; place < after.starts.length; place++) {
    if (after.starts[place] === NOT_IN_IMAGE) {
      after.starts[place] = before.starts[place]!;
      after.ends[place] = before.ends[place]!;
    } else hasSome = true;
  }
  return hasSome;
}
