/**
 * Fails on cycles of imports and on imports in the wrong direction.
 *
 *   node test/support/check-imports.ts [root]
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importProblem } from './import-rules.ts';
import { findCycles, readModuleGraph } from './module-graph.ts';

const FOLDERS = ['src', 'protocol', 'config', 'test', 'bench', 'docker'];

/** One line per problem; empty when all is well. */
export async function checkImports(root: string): Promise<string[]> {
  const graph = await readModuleGraph(
    root,
    FOLDERS.filter((folder) => existsSync(join(root, folder))),
  );
  const files = new Set(graph.files);
  const problems: string[] = [];
  for (const edge of graph.edges) {
    const missing = edge.to.endsWith('.ts') && !files.has(edge.to) ? `there is no ${edge.to}` : null;
    const problem = missing ?? (edge.to.endsWith('.ts') ? importProblem(edge) : null);
    if (problem !== null) problems.push(`${edge.from}:${edge.line}: ${problem}`);
  }
  for (const cycle of findCycles(graph)) problems.push(`import cycle: ${[...cycle, cycle[0]].join(' → ')}`);
  return problems;
}

if (import.meta.main) {
  const root = process.argv[2] ?? fileURLToPath(new URL('../..', import.meta.url));
  const problems = await checkImports(root);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error(`${problems.length} import ${problems.length === 1 ? 'problem' : 'problems'}`);
    process.exitCode = 1;
  }
}
