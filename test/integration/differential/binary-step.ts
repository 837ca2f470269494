/** Steps of the binary protocol, one command each, on statements that a case keeps under names. */

import { z } from 'zod';
import { encodeParameter, int32, type Parameter, parameterSchema } from './binary-value.ts';
import { type AnswerOptions, readAnswer, readColumns, readRows } from './wire-answer.ts';
import type { WireClient } from './wire-client.ts';
import { Command } from './wire-constants.ts';
import { WireReader } from './wire-reader.ts';
import { decodeEof, decodeErr, type WireRecord } from './wire-record.ts';

const executeStep = z.strictObject({
  stmt: z.string(),
  params: z.array(parameterSchema).default([]),
  /** So many times the list above, for statements with very many parameters. */
  times: z.number().int().default(1),
  /** Flags; 1 opens a read-only cursor. */
  flags: z.number().int().default(0),
  iterations: z.number().int().default(1),
  /** False: the types of the execution before hold, and are not sent. */
  bound: z.boolean().default(true),
  /** So many bytes are missing at the end. */
  cut: z.number().int().default(0),
  /** Parameters that were sent as long data: they have a type and no bytes. */
  long: z.array(z.number().int()).default([]),
});

export const binaryStepSchemas = [
  /** COM_STMT_PREPARE. `{?*N}` in the statement becomes N placeholders. */
  z.strictObject({ open: z.strictObject({ as: z.string(), sql: z.string() }) }),
  z.strictObject({ execute: executeStep }),
  z.strictObject({ fetch: z.strictObject({ stmt: z.string(), rows: z.number().int() }) }),
  z.strictObject({
    longData: z.strictObject({
      stmt: z.string(),
      param: z.number().int(),
      chunks: z.array(z.union([z.string(), z.strictObject({ repeat: z.string(), times: z.number().int() })])),
    }),
  }),
  z.strictObject({ resetStatement: z.string() }),
  z.strictObject({ close: z.string() }),
] as const;
export type BinaryStep = z.output<(typeof binaryStepSchemas)[number]>;
type ExecuteStep = z.output<typeof executeStep>;

/** MariaDB's: the statement that was prepared last. For others a number that no statement has. */
const LAST_STATEMENT = 'last';

export function isBinaryStep(step: object): step is BinaryStep {
  return ['open', 'execute', 'fetch', 'longData', 'resetStatement', 'close'].some((key) => key in step);
}

/** The statements of one session, by the names that the case gave them. Ids are the server's and not compared. */
export class BinaryStatements {
  readonly #client: WireClient;
  readonly #ids = new Map<string, number>();
  readonly #text: (sql: string) => string;

  /** @param text fills in what differs from session to session. */
  constructor(client: WireClient, text: (sql: string) => string) {
    this.#client = client;
    this.#text = text;
  }

  async run(step: BinaryStep, options: AnswerOptions): Promise<WireRecord[]> {
    return (await this.#run(step, options)).map((record) => this.#withoutIds(record));
  }

  async #run(step: BinaryStep, options: AnswerOptions): Promise<WireRecord[]> {
    const client = this.#client;
    if ('open' in step) return this.#open(step.open.as, step.open.sql, options);
    if ('execute' in step) {
      client.command(Command.stmtExecute, this.#executeBody(step.execute));
      return readAnswer(client, options);
    }
    if ('fetch' in step) {
      const { stmt, rows } = step.fetch;
      client.command(Command.stmtFetch, Buffer.concat([this.#id(stmt), int32(rows)]));
      const records: WireRecord[] = [];
      await readRows(client, options, records);
      return records;
    }
    if ('longData' in step) {
      const { stmt, param, chunks } = step.longData;
      const index = Buffer.from([param & 0xff, param >> 8]);
      for (const chunk of chunks) {
        const data = typeof chunk === 'string' ? chunk : chunk.repeat.repeat(chunk.times);
        client.command(Command.stmtSendLongData, Buffer.concat([this.#id(stmt), index, Buffer.from(data)]));
      }
      return [];
    }
    if ('resetStatement' in step) {
      client.command(Command.stmtReset, this.#id(step.resetStatement));
      return readAnswer(client, options);
    }
    client.command(Command.stmtClose, this.#id(step.close));
    return [];
  }

  /** A message that names a statement has to name it by the number that its client knows. */
  #withoutIds(record: WireRecord): WireRecord {
    const { message } = record.fields;
    if (record.kind !== 'err' || typeof message !== 'string') return record;
    const named = message.replace(/\((\d+)\)/, (whole, id) => {
      const known = [...this.#ids].find(([, one]) => one === Number(id));
      return known === undefined ? whole : `(${known[0]})`;
    });
    return { ...record, fields: { ...record.fields, message: named } };
  }

  #id(name: string): Buffer {
    return int32(name === LAST_STATEMENT ? 0xffffffff : (this.#ids.get(name) ?? 0x7ffffff0));
  }

  async #open(name: string, template: string, options: AnswerOptions): Promise<WireRecord[]> {
    const sql = this.#text(template).replace(/\{\?\*(\d+)\}/g, (_, count) =>
      Array(Number(count)).fill('?').join(','),
    );
    const client = this.#client;
    client.command(Command.stmtPrepare, Buffer.from(sql));
    const records: WireRecord[] = [];
    const id = await readPrepared(client, records, options);
    if (id !== null) this.#ids.set(name, id);
    return records;
  }

  #executeBody(step: ExecuteStep): Buffer {
    const list = Array.from({ length: step.times }, () => step.params).flat();
    const body = Buffer.concat([
      this.#id(step.stmt),
      Buffer.from([step.flags]),
      int32(step.iterations),
      list.length === 0 ? Buffer.alloc(0) : encodeParameters(list, step.bound, step.long),
    ]);
    return body.subarray(0, body.length - step.cut);
  }
}

/** The answer to COM_STMT_PREPARE; null after an ERR. */
export async function readPrepared(
  client: WireClient,
  records: WireRecord[],
  options: AnswerOptions = {},
): Promise<number | null> {
  const { payload } = await client.socket.receive(options.timeoutMs);
  if (payload[0] === 0xff) {
    records.push(decodeErr(payload));
    return null;
  }
  const reader = new WireReader(payload.subarray(1));
  const id = reader.int(4);
  const columns = reader.int(2);
  const parameters = reader.int(2);
  reader.int(1);
  records.push({
    kind: 'prepared',
    fields: { columns, parameters, warnings: reader.int(2), trailing: reader.remaining },
  });
  for (const count of [parameters, columns]) {
    if (!(await readColumns(client, count, records, options))) return id;
    if (count > 0 && !client.deprecateEof) records.push(decodeEof((await client.socket.receive()).payload));
  }
  return id;
}

/** NULL bitmap, new-params-bound flag, types if they are sent, values. */
export function encodeParameters(
  values: readonly Parameter[],
  bound: boolean,
  long: readonly number[],
): Buffer {
  const bitmap = Buffer.alloc((values.length + 7) >> 3);
  const types: number[] = [];
  const parts: Buffer[] = [];
  values.forEach((value, index) => {
    const { type, bytes } = encodeParameter(value);
    types.push(...type);
    if (bytes === null) bitmap[index >> 3] = (bitmap[index >> 3] as number) | (1 << (index & 7));
    else if (!long.includes(index)) parts.push(bytes);
  });
  return Buffer.concat([bitmap, Buffer.from([bound ? 1 : 0, ...(bound ? types : [])]), ...parts]);
}
