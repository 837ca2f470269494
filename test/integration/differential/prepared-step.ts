import type { PrepareStep } from './corpus.ts';
import { readAnswer, readColumns, readRows } from './wire-answer.ts';
import type { WireClient } from './wire-client.ts';
import { Command, ServerStatus } from './wire-constants.ts';
import { WireReader } from './wire-reader.ts';
import { decodeEof, decodeErr, type WireRecord } from './wire-record.ts';

type Parameter = string | number | null;

/** Prepares, executes with each list of parameters, and closes. */
export async function runPrepared(client: WireClient, step: PrepareStep): Promise<WireRecord[]> {
  client.command(Command.stmtPrepare, Buffer.from(step.sql));
  const { payload } = await client.socket.receive();
  if (payload[0] === 0xff) return [decodeErr(payload)];
  const reader = new WireReader(payload.subarray(1));
  const id = reader.int(4);
  const columns = reader.int(2);
  const parameters = reader.int(2);
  reader.int(1);
  const records: WireRecord[] = [
    {
      kind: 'prepared',
      fields: { columns, parameters, warnings: reader.int(2), trailing: reader.remaining },
    },
  ];
  for (const count of [parameters, columns]) {
    if (!(await readColumns(client, count, records))) return records;
    if (count > 0 && !client.deprecateEof) records.push(decodeEof((await client.socket.receive()).payload));
  }
  for (const values of step.executes) records.push(...(await execute(client, id, step, values)));
  if (step.reset) {
    client.command(Command.stmtReset, int32(id));
    records.push(...(await readAnswer(client)));
  }
  client.command(Command.stmtClose, int32(id));
  return records;
}

async function execute(
  client: WireClient,
  id: number,
  step: PrepareStep,
  values: Parameter[],
): Promise<WireRecord[]> {
  for (const chunk of step.longData) {
    client.command(
      Command.stmtSendLongData,
      Buffer.concat([int32(id), Buffer.from([0, 0]), Buffer.from(chunk)]),
    );
  }
  const head = Buffer.concat([int32(id), Buffer.from([step.cursor === undefined ? 0 : 1]), int32(1)]);
  const body = values.length === 0 ? Buffer.alloc(0) : encodeParameters(values, step.longData.length > 0);
  client.command(Command.stmtExecute, Buffer.concat([head, step.short ? body.subarray(0, 1) : body]));
  const records = await readAnswer(client);
  if (step.cursor === undefined) return records;
  let status = Number(records.at(-1)?.fields.status ?? 0);
  while ((status & ServerStatus.cursorExists) !== 0 && (status & ServerStatus.lastRowSent) === 0) {
    client.command(Command.stmtFetch, Buffer.concat([int32(id), int32(step.cursor)]));
    await readRows(client, {}, records);
    status = Number(records.at(-1)?.fields.status ?? 0);
  }
  return records;
}

const FieldType = { double: 5, null: 6, longLong: 8, varString: 253 } as const;

/** NULL bitmap, new-params-bound flag, types, values; parameter 0 has no value when it was sent as long data. */
function encodeParameters(values: readonly Parameter[], firstIsLong: boolean): Buffer {
  const bitmap = Buffer.alloc((values.length + 7) >> 3);
  const types: number[] = [];
  const parts: Buffer[] = [];
  values.forEach((value, index) => {
    if (value === null) {
      bitmap[index >> 3] = (bitmap[index >> 3] as number) | (1 << (index & 7));
      types.push(FieldType.null, 0);
      return;
    }
    const { type, bytes } = encodeValue(value);
    types.push(type, 0);
    if (!(firstIsLong && index === 0)) parts.push(bytes);
  });
  return Buffer.concat([bitmap, Buffer.from([1]), Buffer.from(types), ...parts]);
}

function encodeValue(value: string | number): { type: number; bytes: Buffer } {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return { type: FieldType.varString, bytes: Buffer.concat([Buffer.from([text.length]), text]) };
  }
  const bytes = Buffer.alloc(8);
  if (Number.isInteger(value)) {
    bytes.writeBigInt64LE(BigInt(value));
    return { type: FieldType.longLong, bytes };
  }
  bytes.writeDoubleLE(value);
  return { type: FieldType.double, bytes };
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
