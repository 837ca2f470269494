/** Finds the test files, and says how each is to be run. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PlannedFile {
  /** Relative to the checkout, e.g. `test/unit/sql/lexer.test.ts`. */
  readonly file: string;
  readonly timeoutMs: number;
  /** No other file runs at the same time: it measures time or memory, or takes the whole machine. */
  readonly alone: boolean;
  /** Starts servers. */
  readonly heavy: boolean;
  /** Among the longest ones: started first, so that none of them is alone at the end. */
  readonly long: boolean;
  readonly nightly: boolean;
}

const UNIT_TIMEOUT_MS = 60_000;
const HEAVY_TIMEOUT_MS = 420_000;
const PRAGMA = /^\/\/ sluice-test:(.*)$/m;
const PRAGMA_WORD = /^(?:alone|long|nightly|timeout=(\d+))$/;

/**
 * A file may say in a comment line how it wants to be run: `// sluice-test: alone timeout=300` (seconds). A file that
 * says `nightly` runs with `--nightly` only. Those that say `long` come first, those that start no servers last.
 *
 * @param filters path prefixes below `test/`; none means all
 */
export function planTests(root: string, filters: readonly string[]): PlannedFile[] {
  const files = globSync('test/**/*.test.ts', { cwd: root }).toSorted();
  const prefixes = filters.map((filter) => filter.replace(/^(?:\.\/)?(?:test\/)?/, ''));
  const unused = prefixes.filter((prefix) => !files.some((file) => file.startsWith(`test/${prefix}`)));
  if (unused.length > 0)
    throw new Error(`no test file begins with ${unused.map((one) => `test/${one}`).join(', ')}`);
  return files
    .filter((file) => prefixes.length === 0 || prefixes.some((prefix) => file.startsWith(`test/${prefix}`)))
    .map((file) => planFile(file, readFileSync(join(root, file), 'utf8')))
    .sort((one, other) => turnOf(one) - turnOf(other));
}

function turnOf({ long, heavy }: PlannedFile): number {
  if (long) return 0;
  return heavy ? 1 : 2;
}

export function planFile(file: string, source: string): PlannedFile {
  const heavy = !file.startsWith('test/unit/') && !file.startsWith('test/spec/');
  let timeoutMs = heavy ? HEAVY_TIMEOUT_MS : UNIT_TIMEOUT_MS;
  const words = PRAGMA.exec(source)?.[1]?.trim().split(/\s+/) ?? [];
  for (const word of words) {
    const match = PRAGMA_WORD.exec(word);
    if (match === null) throw new Error(`${file}: unknown word "${word}" after "// sluice-test:"`);
    if (match[1] !== undefined) timeoutMs = Number(match[1]) * 1000;
  }
  return {
    file,
    timeoutMs,
    heavy,
    alone: words.includes('alone'),
    long: words.includes('long'),
    nightly: words.includes('nightly'),
  };
}
