import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

const server = z.enum(['mariadb', 'mysql57']);
const target = z.enum(['primary', 'replica']);

const step = z.strictObject({
  sql: z.string().optional(),
  /** Sent as latin1: each \xNN is one byte. */
  bytes: z.string().optional(),
  /** Prepared and executed once. */
  prepare: z.string().optional(),
  /** Sessions of a case by name; one that is not there yet is opened. */
  session: z.string().default('main'),
  /** `same`: the very server of the session's step before. Nothing: any, or none. */
  target: z.union([target, z.array(target), z.literal('same')]).optional(),
  reason: z.string().optional(),
  /** First column of the first row. */
  value: z.string().optional(),
  /** The server refuses it, wherever it went. */
  error: z.boolean().default(false),
  servers: z.array(server).default(['mariadb', 'mysql57']),
});
export type RoutingStep = z.output<typeof step>;

const caseSchema = z.strictObject({
  name: z.string(),
  servers: z.array(server).default(['mariadb', 'mysql57']),
  multiStatements: z.boolean().default(false),
  steps: z.array(step),
});
export type RoutingCase = z.output<typeof caseSchema>;

const fileSchema = z.strictObject({ name: z.string(), cases: z.array(caseSchema) });

const DIRECTORY = fileURLToPath(new URL('../../spec/routing/', import.meta.url));

export function loadRoutingTable(): RoutingCase[] {
  const files = readdirSync(DIRECTORY).filter((name) => name.endsWith('.yaml'));
  return files.sort().flatMap((name) => {
    const file = fileSchema.parse(parse(readFileSync(join(DIRECTORY, name), 'utf8')));
    return file.cases.map((one) => ({ ...one, name: `${file.name}: ${one.name}` }));
  });
}
