import { encodeParameters, readPrepared } from './binary-step.ts';
import { int32, type Parameter } from './binary-value.ts';
import type { PrepareStep } from './corpus.ts';
import { readAnswer, readRows } from './wire-answer.ts';
import type { WireClient } from './wire-client.ts';
import { Command, ServerStatus } from './wire-constants.ts';
import type { WireRecord } from './wire-record.ts';

/** Prepares, executes with each list of parameters, and closes. */
export async function runPrepared(client: WireClient, step: PrepareStep): Promise<WireRecord[]> {
  client.command(Command.stmtPrepare, Buffer.from(step.sql, step.isBytes === true ? 'latin1' : 'utf8'));
  const records: WireRecord[] = [];
  const id = await readPrepared(client, records);
  if (id === null) return records;
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
  values: readonly Parameter[],
): Promise<WireRecord[]> {
  for (const chunk of step.longData) {
    client.command(
      Command.stmtSendLongData,
      Buffer.concat([int32(id), Buffer.from([0, 0]), Buffer.from(chunk)]),
    );
  }
  const head = Buffer.concat([int32(id), Buffer.from([step.cursor === undefined ? 0 : 1]), int32(1)]);
  const long = step.longData.length > 0 ? [0] : [];
  const body = values.length === 0 ? Buffer.alloc(0) : encodeParameters(values, true, long);
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
