/** Answers of a server as values: encoded as a server with given capabilities sends them, and passed through a tracker. */

import {
  AnswerShape,
  Capability,
  encodeColumnCount,
  encodeColumnDefinition41,
  encodeComStmtPrepareOk,
  encodeEof,
  encodeErr,
  encodeOk,
  framePacket,
  hasCapability,
  nextSequenceId,
  type OkPacket,
  type ResponseSink,
  ResponseTracker,
  StatusFlag,
  uniteCapabilities,
} from '../../../protocol/index.ts';
import { RetainingReadBuffer } from '../../../src/data/io/retaining-read-buffer.ts';

export interface OkPart {
  readonly kind: 'ok';
  readonly status: number;
  readonly affectedRows?: number;
  readonly lastInsertId?: number;
  readonly warnings?: number;
  readonly info?: string;
  readonly state?: Buffer;
}

export interface ErrPart {
  readonly kind: 'err';
  readonly errno: number;
  readonly message: string;
}

export interface RowsPart {
  readonly kind: 'rows';
  readonly columns: number;
  /** Payloads. */
  readonly rows: readonly Buffer[];
  readonly status: number;
  readonly warnings?: number;
  readonly state?: Buffer;
  /** Of the EOF behind the definitions. */
  readonly statusBefore: number;
  /** The error that comes instead of the end. */
  readonly error?: ErrPart;
}

export type Part = OkPart | ErrPart | RowsPart;

export type Answer =
  | { readonly shape: typeof AnswerShape.query | typeof AnswerShape.single; readonly parts: readonly Part[] }
  | {
      readonly shape: typeof AnswerShape.prepare;
      readonly statementId: number;
      readonly columns: number;
      readonly parameters: number;
      readonly warnings: number;
      readonly statusBefore: number;
    }
  | { readonly shape: typeof AnswerShape.fieldList; readonly definitions: number; readonly status: number }
  | { readonly shape: typeof AnswerShape.fetch; readonly rows: readonly Buffer[]; readonly status: number }
  | { readonly shape: typeof AnswerShape.text; readonly text: string }
  | {
      readonly shape: typeof AnswerShape.stream;
      readonly events: readonly Buffer[];
      readonly error: ErrPart;
    };

const BASE = uniteCapabilities(Capability.CLIENT_PROTOCOL_41, Capability.CLIENT_TRANSACTIONS);
const EOF_GOES = Capability.CLIENT_DEPRECATE_EOF;
const TRACKS = Capability.CLIENT_SESSION_TRACK;

/** All combinations of the two capabilities that change answers. */
export const CAPABILITY_SETS: readonly number[] = [
  BASE,
  uniteCapabilities(BASE, EOF_GOES),
  uniteCapabilities(BASE, TRACKS),
  uniteCapabilities(BASE, EOF_GOES, TRACKS),
];

export function nameOfCapabilities(capabilities: number): string {
  const eof = hasCapability(capabilities, EOF_GOES) ? 'no EOF' : 'EOF';
  return hasCapability(capabilities, TRACKS) ? `${eof}, tracking` : eof;
}

export function definition(index: number): Buffer {
  return encodeColumnDefinition41(
    {
      catalog: 'def',
      schema: 'app',
      table: 't',
      orgTable: 't',
      name: `column_${index}`,
      orgName: 'c',
      extendedMetadata: [],
      collationId: 45,
      columnLength: 255,
      type: 0xfd,
      flags: 0,
      decimals: 0,
      defaultValue: undefined,
    },
    {},
  );
}

class AnswerWriter {
  readonly #packets: Buffer[] = [];
  readonly #capabilities: number;
  #sequenceId = 1;

  constructor(capabilities: number) {
    this.#capabilities = capabilities;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#packets);
  }

  get #deprecatesEof(): boolean {
    return hasCapability(this.#capabilities, EOF_GOES);
  }

  packet(payload: Uint8Array): void {
    this.#packets.push(framePacket(payload, this.#sequenceId));
    this.#sequenceId = nextSequenceId(this.#sequenceId, payload.length);
  }

  definitions(count: number): void {
    for (let index = 0; index < count; index++) this.packet(definition(index));
  }

  /** @param warnings of a preparation, which tells them in front already. */
  eofBehindDefinitions(status: number, warnings = 0): void {
    if (!this.#deprecatesEof) this.packet(encodeEof({ statusFlags: status, warnings }, this.#capabilities));
  }

  end(status: number, warnings = 0, state?: Buffer): void {
    const values = { statusFlags: status, warnings };
    if (!this.#deprecatesEof) this.packet(encodeEof(values, this.#capabilities));
    else this.packet(encodeOk({ header: 0xfe, ...values, sessionState: state ?? null }, this.#capabilities));
  }

  error(error: ErrPart): void {
    this.packet(
      encodeErr({ errno: error.errno, sqlState: '42000', message: error.message }, this.#capabilities),
    );
  }

  part(part: Part): void {
    if (part.kind === 'ok')
      this.packet(
        encodeOk({ ...part, statusFlags: part.status, sessionState: part.state ?? null }, this.#capabilities),
      );
    else if (part.kind === 'err') this.error(part);
    else this.resultSet(part);
  }

  resultSet(part: RowsPart): void {
    this.packet(encodeColumnCount({ columnCount: part.columns, metadataFollows: true }, this.#capabilities));
    this.definitions(part.columns);
    const isCursor = (part.status & StatusFlag.SERVER_STATUS_CURSOR_EXISTS) !== 0;
    if (!isCursor) this.eofBehindDefinitions(part.statusBefore);
    for (const row of part.rows) this.packet(row);
    if (part.error !== undefined) this.error(part.error);
    else this.end(part.status, part.warnings, part.state);
  }
}

/** What a server with these (negotiated) capabilities sends, and so what a client with them waits for. */
export function encodeAnswer(answer: Answer, capabilities: number): Buffer {
  const writer = new AnswerWriter(capabilities);
  switch (answer.shape) {
    case AnswerShape.query:
    case AnswerShape.single:
      for (const part of answer.parts) writer.part(part);
      break;
    case AnswerShape.prepare:
      writer.packet(
        encodeComStmtPrepareOk(
          {
            statementId: answer.statementId,
            columnCount: answer.columns,
            parameterCount: answer.parameters,
            warnings: answer.warnings,
            metadataFollows: true,
          },
          capabilities,
        ),
      );
      for (const count of [answer.parameters, answer.columns]) {
        if (count === 0) continue;
        writer.definitions(count);
        writer.eofBehindDefinitions(answer.statusBefore, answer.warnings);
      }
      break;
    case AnswerShape.fieldList:
      writer.definitions(answer.definitions);
      writer.end(answer.status);
      break;
    case AnswerShape.fetch:
      for (const row of answer.rows) writer.packet(row);
      writer.end(answer.status);
      break;
    case AnswerShape.text:
      writer.packet(Buffer.from(answer.text));
      break;
    case AnswerShape.stream:
      for (const event of answer.events) writer.packet(event);
      writer.error(answer.error);
  }
  return writer.bytes;
}

/** Collects what a client would get. Bytes that it says it still refers to are looked at only in the end. */
export class ClientSink implements ResponseSink {
  readonly #views: Buffer[] = [];
  readonly #retains: () => boolean;
  readonly oks: OkPacket[] = [];
  readonly errors: number[] = [];
  infiles = 0;
  withholdsErrors = false;
  /** As `BackendSocket.retained`. */
  retained = false;

  constructor(retains: () => boolean = () => false) {
    this.#retains = retains;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#views);
  }

  forward(buffer: Buffer, start: number, end: number): boolean {
    const view = buffer.subarray(start, end);
    const retains = this.#retains();
    this.#views.push(retains ? view : Buffer.from(view));
    if (retains) this.retained = true;
    return retains;
  }

  okPacket(ok: OkPacket): Buffer | null {
    this.oks.push(ok);
    return ok.sessionState === null ? null : Buffer.from(ok.sessionState);
  }

  errPacket(errno: number): boolean {
    this.errors.push(errno);
    return this.withholdsErrors;
  }

  localInfile(): void {
    this.infiles++;
  }
}

/** One backend connection's way of reading: what is left of a read lies in front of the next one. */
export class TrackerRig {
  readonly tracker: ResponseTracker;
  readonly sink: ClientSink;
  readonly #input: RetainingReadBuffer;

  constructor(serverCapabilities: number, sink = new ClientSink(), readBytes = 4096) {
    this.sink = sink;
    this.tracker = new ResponseTracker(serverCapabilities, sink);
    this.#input = new RetainingReadBuffer(readBytes);
  }

  begin(shape: AnswerShape, clientCapabilities: number, statusBefore: number): this {
    this.tracker.begin(shape, this.sink, clientCapabilities, statusBefore);
    return this;
  }

  /** @param cut length of the next read. Returns how many bytes of the last read were left over. */
  read(bytes: Buffer, cut: () => number = () => Number.MAX_SAFE_INTEGER): number {
    let position = 0;
    let left = 0;
    while (position < bytes.length) {
      const input = this.#input;
      const length = Math.min(bytes.length - position, input.view.length, Math.max(1, cut()));
      bytes.copy(input.view, 0, position, position + length);
      position += length;
      const end = input.received(length);
      this.sink.retained = false;
      const consumed = this.tracker.advance(input.buffer, input.start, end, 0);
      input.settle(consumed, end, this.sink.retained);
      left = end - consumed;
      if (this.tracker.complete) return left + bytes.length - position;
    }
    return left;
  }
}

/** The whole way of one answer. @throws what the tracker throws. */
export function pass(
  answer: Answer,
  serverCapabilities: number,
  clientCapabilities: number,
  statusBefore: number,
  options: {
    readonly cut?: () => number;
    readonly retains?: () => boolean;
    readonly readBytes?: number;
  } = {},
): { bytes: Buffer; tracker: ResponseTracker; sink: ClientSink; left: number } {
  const rig = new TrackerRig(serverCapabilities, new ClientSink(options.retains), options.readBytes);
  rig.begin(answer.shape, clientCapabilities, statusBefore);
  const left = rig.read(encodeAnswer(answer, serverCapabilities), options.cut);
  return { bytes: rig.sink.bytes, tracker: rig.tracker, sink: rig.sink, left };
}
