import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import * as z from 'zod';
import type { Difference } from './comparison.ts';

const schema = z.strictObject({
  differences: z.array(
    z.strictObject({
      suite: z.string(),
      /** All servers unless told. */
      server: z.enum(['mariadb', 'mysql57']).optional(),
      /** Exact names, or beginnings of names that end with `*`. */
      tests: z.array(z.string()).min(1),
      reason: z.string(),
    }),
  ),
});

const PASSES_REPEATED = 'passes when repeated: “Reads”, another session’s write had not reached the replica';

/** With the reason that known-differences.yaml has for each; null where it has none. */
export async function explain<Each extends Pick<Difference, 'test' | 'passesRepeated'>>(
  suite: string,
  server: string,
  differences: readonly Each[],
): Promise<(Each & { readonly reason: string | null })[]> {
  const text = await readFile(new URL('known-differences.yaml', import.meta.url), 'utf8');
  const known = schema
    .parse(parse(text))
    .differences.filter((one) => one.suite === suite && (one.server === undefined || one.server === server));
  return differences.map((difference) => {
    const entry = known.find(({ tests }) => tests.some((pattern) => matches(pattern, difference.test)));
    return { ...difference, reason: entry?.reason ?? (difference.passesRepeated ? PASSES_REPEATED : null) };
  });
}

function matches(pattern: string, test: string): boolean {
  return pattern.endsWith('*') ? test.startsWith(pattern.slice(0, -1)) : test === pattern;
}
