import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { matrixCases, matrixTables } from './binary-matrix.ts';
import { binaryStepSchemas } from './binary-step.ts';
import { Capability, type CapabilityName } from './wire-constants.ts';

export type ServerName = 'mariadb' | 'mysql57';

const parameter = z.union([z.string(), z.number(), z.null()]);

const changeUserStep = z.strictObject({
  user: z.string(),
  schema: z.string().nullable(),
  password: z.string().optional(),
});

const prepareStep = z.strictObject({
  sql: z.string(),
  /** The statement is sent as latin1, as `bytes` steps are. */
  isBytes: z.boolean().optional(),
  executes: z.array(z.array(parameter)).default([]),
  /** COM_STMT_SEND_LONG_DATA for parameter 0 before each execution, one command per string. */
  longData: z.array(z.string()).default([]),
  /** Opens a read-only cursor and fetches this many rows at a time. */
  cursor: z.number().int().optional(),
  /** Fewer parameter bytes than the statement has parameters. */
  short: z.boolean().default(false),
  /** COM_STMT_RESET after the executions. */
  reset: z.boolean().default(false),
});

const ignoring = {
  /** Fields of records (`kind.field`) that may differ in this step, with the reason. */
  ignore: z.array(z.string()).default([]),
  reason: z.string().optional(),
};

export const step = z.union([
  z.string().transform(queryStep),
  z.strictObject({
    query: z.string(),
    localData: z.string().optional(),
    localRows: z.number().optional(),
    ...ignoring,
  }),
  z.strictObject({ bytes: z.string(), ...ignoring }),
  z.strictObject({ lines: z.string() }),
  z.strictObject({ initDb: z.string() }),
  z.strictObject({ ping: z.literal(true) }),
  z.strictObject({ statistics: z.literal(true) }),
  z.strictObject({ resetConnection: z.literal(true) }),
  z.strictObject({ changeUser: changeUserStep }),
  z.strictObject({ fieldList: z.strictObject({ table: z.string(), wildcard: z.string().default('') }) }),
  z.strictObject({ setOption: z.number() }),
  z.strictObject({ raw: z.string().regex(/^[0-9a-f]+$/) }),
  z.strictObject({ lost: z.literal(true) }),
  z.strictObject({ prepare: prepareStep, ...ignoring }),
  ...binaryStepSchemas,
  z.strictObject({ executeUnknown: z.number() }),
  z.strictObject({ resetUnknown: z.number() }),
  z.strictObject({ closeUnknown: z.number() }),
  z.strictObject({ fetchUnknown: z.number() }),
  z.strictObject({ columns: z.number() }),
  z.strictObject({ bigSelect: z.number() }),
  z.strictObject({ bigStatement: z.number() }),
  z.strictObject({ bigInsert: z.strictObject({ table: z.string(), bytes: z.number() }) }),
]);
export type Step = Exclude<z.output<typeof step>, { lines: string }>;
export type PrepareStep = z.output<typeof prepareStep>;

const capabilityNames = Object.keys(Capability) as [CapabilityName, ...CapabilityName[]];

const caseSchema = z.strictObject({
  name: z.string(),
  servers: z.array(z.enum(['mariadb', 'mysql57'])).default(['mariadb', 'mysql57']),
  user: z.string().default('app'),
  password: z.string().optional(),
  schema: z.string().nullable().default('diff'),
  collationId: z.number().default(45),
  capabilities: z.array(z.enum(capabilityNames)).default([]),
  /** Left out of what every session asks for. */
  withoutCapabilities: z.array(z.enum(capabilityNames)).default([]),
  /** Takes long: runs with two kinds of client instead of four. */
  costly: z.boolean().default(false),
  /** Made for a matrix of types: runs with one kind of client, and leaves nothing behind. */
  made: z.boolean().default(false),
  /** Why a client can tell the two apart today: a defect that is known. `SLUICE_TEST_PENDING=1` runs it all the same. */
  pending: z.string().optional(),
  steps: z.array(step).optional(),
  lines: z.string().optional(),
});

const fileSchema = z.strictObject({ name: z.string(), cases: z.array(caseSchema) });
const fixtureSchema = z.strictObject({ statements: z.array(z.string()) });

export interface DifferentialCase extends Omit<z.output<typeof caseSchema>, 'steps' | 'lines'> {
  readonly file: string;
  readonly steps: readonly Step[];
}

const DIRECTORY = fileURLToPath(new URL('../../spec/differential/', import.meta.url));
const FIXTURE = 'fixture.yaml';

export function loadCases(): DifferentialCase[] {
  const files = readdirSync(DIRECTORY).filter((name) => name.endsWith('.yaml') && name !== FIXTURE);
  const written = files.sort().map((name) => parse(readFileSync(join(DIRECTORY, name), 'utf8')) as unknown);
  const made = { name: 'binary protocol, every type', cases: matrixCases() };
  return [...written, made].flatMap((content) => {
    const file = fileSchema.parse(content);
    return file.cases.map(({ lines, steps, ...rest }) => ({
      ...rest,
      file: file.name,
      steps: [...(lines === undefined ? [] : splitLines(lines)), ...(steps ?? []).flatMap(expandStep)],
    }));
  });
}

export function loadFixture(server: ServerName): readonly string[] {
  const written = fixtureSchema.parse(parse(readFileSync(join(DIRECTORY, FIXTURE), 'utf8'))).statements;
  return [...written, ...matrixTables(server)];
}

/** Commands that the case sends: executions of a prepared statement count one by one. */
export function countStatements(testCase: DifferentialCase): number {
  return testCase.steps.reduce(
    (sum, one) => sum + ('prepare' in one ? 1 + one.prepare.executes.length : 1),
    0,
  );
}

export function expandStep(one: z.output<typeof step>): Step[] {
  return 'lines' in one ? splitLines(one.lines) : [one];
}

function splitLines(lines: string): Step[] {
  const queries = lines.split('\n').filter((line) => line !== '');
  return queries.map(queryStep);
}

function queryStep(query: string) {
  return { query, ignore: [] as string[], localData: undefined, localRows: undefined };
}
