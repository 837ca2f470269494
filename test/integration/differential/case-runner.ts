import { BinaryStatements, isBinaryStep } from './binary-step.ts';
import type { DifferentialCase, Step } from './corpus.ts';
import { runPrepared } from './prepared-step.ts';
import { readAnswer, readFieldList } from './wire-answer.ts';
import { BASE_CAPABILITIES, WireClient, type WireTransport } from './wire-client.ts';
import { Capability, Command } from './wire-constants.ts';
import type { WireRecord } from './wire-record.ts';
import { WireClosedError } from './wire-socket.ts';

const STEP_TIMEOUT_MS = 30_000;
/** Stands for a number in statements: sessions that run the same case side by side write to rows of their own. */
const SESSION = '{session}';

const UNEXPECTED_BYTES: WireRecord = { kind: 'unexpected-bytes', fields: {} };

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly transport?: WireTransport;
  /** By user name; a case may name a wrong password itself. */
  readonly passwords: Readonly<Record<string, string>>;
}

export interface StepTranscript {
  /** Short text of what was sent, for messages. */
  readonly label: string;
  readonly ignore: readonly string[];
  readonly records: readonly WireRecord[];
}

export interface Transcript {
  readonly steps: readonly StepTranscript[];
  readonly sequenceErrors: readonly string[];
}

/** What a case says of its session. */
export type SessionOptions = Pick<
  DifferentialCase,
  'user' | 'password' | 'schema' | 'collationId' | 'capabilities' | 'withoutCapabilities'
>;

/** One session of a case, step by step. */
export class CaseSession {
  /** Logged in, or refused. */
  readonly opening: StepTranscript;
  readonly #client: WireClient;
  readonly #endpoint: Endpoint;
  readonly #statements: BinaryStatements;
  readonly #text: (sql: string) => string;

  private constructor(client: WireClient, endpoint: Endpoint, sessionNumber: number) {
    this.#client = client;
    this.#endpoint = endpoint;
    this.#text = (sql) => sql.replaceAll(SESSION, String(sessionNumber));
    this.#statements = new BinaryStatements(client, this.#text);
    this.opening = { label: 'connect', ignore: [], records: describeConnection(client) };
  }

  static async open(
    options: SessionOptions,
    endpoint: Endpoint,
    extra: number,
    sessionNumber = 1,
  ): Promise<CaseSession> {
    const client = await WireClient.connect({
      host: endpoint.host,
      port: endpoint.port,
      transport: endpoint.transport ?? 'plain',
      user: options.user,
      password: options.password ?? endpoint.passwords[options.user] ?? '',
      schema: options.schema,
      collationId: options.collationId,
      capabilities: capabilitiesOf(options, extra),
    });
    return new CaseSession(client, endpoint, sessionNumber);
  }

  /** Nothing has come that no step asked for. */
  get idle(): boolean {
    return this.#client.socket.idle;
  }

  get sequenceErrors(): readonly string[] {
    return this.#client.socket.sequenceErrors;
  }

  async run(step: Step): Promise<StepTranscript> {
    const ran = isBinaryStep(step)
      ? this.#statements.run(step, { timeoutMs: STEP_TIMEOUT_MS })
      : runStep(this.#client, this.#filledIn(step), this.#endpoint);
    const records = await ran.catch(asClosed);
    return { label: labelOf(step), ignore: 'ignore' in step ? step.ignore : [], records };
  }

  close(): void {
    this.#client.close();
  }

  #filledIn(step: Step): Step {
    return 'query' in step ? { ...step, query: this.#text(step.query) } : step;
  }
}

/** Runs the case in a session of its own and writes down every packet that came back. */
export async function runCase(
  testCase: DifferentialCase,
  endpoint: Endpoint,
  extra: number,
  sessionNumber = 1,
  between: () => Promise<void> = async () => undefined,
): Promise<Transcript> {
  const session = await CaseSession.open(testCase, endpoint, extra, sessionNumber);
  const steps: StepTranscript[] = [session.opening];
  try {
    for (const step of testCase.steps) {
      await between();
      const transcript = await session.run(step);
      steps.push(transcript);
      if (transcript.records.at(-1)?.kind === 'closed') break;
      if (!session.idle) steps.push({ ...transcript, ignore: [], records: [UNEXPECTED_BYTES] });
    }
  } finally {
    session.close();
  }
  return { steps, sequenceErrors: session.sequenceErrors };
}

function capabilitiesOf(testCase: SessionOptions, extra: number): number {
  const bits = (names: DifferentialCase['capabilities']): number =>
    names.reduce((flags, name) => flags | Capability[name], 0);
  return (BASE_CAPABILITIES | extra | bits(testCase.capabilities)) & ~bits(testCase.withoutCapabilities);
}

function describeConnection(client: WireClient): WireRecord[] {
  const { serverVersion, collationId, status, plugin } = client.handshake;
  return [{ kind: 'handshake', fields: { serverVersion, collationId, status, plugin } }, client.greeting];
}

function asClosed(error: unknown): WireRecord[] {
  if (!(error instanceof WireClosedError)) throw error;
  // How a closed connection is noticed (reset or end of stream) depends on timing, not on the server.
  const timedOut = error.message.startsWith('no packet');
  return [{ kind: 'closed', fields: { how: timedOut ? error.message : 'by the peer' } }];
}

async function runStep(client: WireClient, step: Step, endpoint: Endpoint): Promise<WireRecord[]> {
  if ('prepare' in step) return runPrepared(client, step.prepare);
  if ('fieldList' in step) {
    client.command(Command.fieldList, Buffer.from(`${step.fieldList.table}\0${step.fieldList.wildcard}`));
    return readFieldList(client);
  }
  if ('changeUser' in step) {
    const { user, schema, password } = step.changeUser;
    return [await client.changeUser(user, password ?? endpoint.passwords[user] ?? '', schema)];
  }
  if ('statistics' in step) {
    client.command(Command.statistics);
    const { payload } = await client.socket.receive();
    // The numbers are the server's own; that there is a text, and what is in it, is not.
    return [{ kind: 'statistics', fields: { text: payload.toString('latin1').replace(/[\d.]+/g, 'N') } }];
  }
  if ('lost' in step) {
    await client.socket.waitForClose();
    return [{ kind: 'closed', fields: { how: 'by the peer' } }];
  }
  if ('closeUnknown' in step) {
    client.command(Command.stmtClose, int32(step.closeUnknown));
    return [];
  }
  if ('raw' in step && step.raw === '01') {
    client.socket.sendCommand(Buffer.from([Command.quit]));
    return [];
  }
  client.socket.sendCommand(commandOf(step));
  return readAnswer(client, { localData: localDataOf(step), timeoutMs: STEP_TIMEOUT_MS });
}

/** The payload of a step that is answered like a statement. */
function commandOf(step: Step): Buffer {
  const query = (text: string | Buffer): Buffer =>
    Buffer.concat([Buffer.from([Command.query]), Buffer.from(text)]);
  if ('query' in step) return query(step.query);
  if ('bytes' in step) return query(Buffer.from(step.bytes, 'latin1'));
  if ('initDb' in step) return Buffer.concat([Buffer.from([Command.initDb]), Buffer.from(step.initDb)]);
  if ('ping' in step) return Buffer.from([Command.ping]);
  if ('resetConnection' in step) return Buffer.from([Command.resetConnection]);
  if ('setOption' in step)
    return Buffer.from([Command.setOption, step.setOption & 0xff, step.setOption >> 8]);
  if ('raw' in step) return Buffer.from(step.raw, 'hex');
  if ('executeUnknown' in step) {
    return Buffer.concat([
      Buffer.from([Command.stmtExecute]),
      int32(step.executeUnknown),
      Buffer.from([0, 1, 0, 0, 0]),
    ]);
  }
  if ('resetUnknown' in step)
    return Buffer.concat([Buffer.from([Command.stmtReset]), int32(step.resetUnknown)]);
  if ('fetchUnknown' in step) {
    return Buffer.concat([Buffer.from([Command.stmtFetch]), int32(step.fetchUnknown), int32(1)]);
  }
  if ('columns' in step) {
    return query(
      `SELECT ${Array.from({ length: step.columns }, (_, index) => `${index} AS c${index}`).join(', ')}`,
    );
  }
  if ('bigSelect' in step) return query(`SELECT REPEAT('b', ${step.bigSelect}) AS b, 1 AS one`);
  if ('bigStatement' in step) return query(sizedStatement(step.bigStatement));
  if ('bigInsert' in step) {
    const { table, bytes } = step.bigInsert;
    return query(`INSERT INTO ${table} VALUES (1, '${'v'.repeat(bytes)}')`);
  }
  throw new Error(`a step that nobody knows: ${JSON.stringify(step)}`);
}

/** A statement that makes the command packet's payload exactly so long, and so tests the frames' borders. */
function sizedStatement(payloadBytes: number): string {
  const [before, after] = ["SELECT LENGTH('", "')"];
  return before + 'x'.repeat(payloadBytes - 1 - before.length - after.length) + after;
}

function localDataOf(step: Step): Buffer | undefined {
  if (!('query' in step)) return undefined;
  if (step.localRows !== undefined) {
    return Buffer.from(Array.from({ length: step.localRows }, (_, row) => `${row + 100},v${row}\n`).join(''));
  }
  return step.localData === undefined ? undefined : Buffer.from(step.localData);
}

function labelOf(step: Step): string {
  if ('query' in step) return step.query;
  if ('bytes' in step) return step.bytes;
  return JSON.stringify(step);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
