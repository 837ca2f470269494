/** Which module imports which, read from the sources without compiling them. */

import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { init, parse } from 'es-module-lexer';

export const EdgeKind = {
  import: 'import',
  /** `export { … } from` */
  reExport: 're-export',
  /** `export * from` */
  starReExport: 'star re-export',
} as const;
export type EdgeKind = (typeof EdgeKind)[keyof typeof EdgeKind];

export interface ImportEdge {
  /** Relative to the root, with `/`. */
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
  /** Gone at run time: `import type`, or a type such as `import('./x.ts').X`. */
  readonly typeOnly: boolean;
  /** Line in `from`. */
  readonly line: number;
}

export interface ModuleGraph {
  readonly files: readonly string[];
  readonly edges: readonly ImportEdge[];
}

/** Of all `.ts` files in these folders of `root`; imports of packages and of Node's own modules are left out. */
export async function readModuleGraph(root: string, folders: readonly string[]): Promise<ModuleGraph> {
  await init;
  const files = folders
    .flatMap((folder) =>
      globSync('**/*.ts', { cwd: join(root, folder) }).map((file) => posix.join(folder, file)),
    )
    .toSorted();
  return { files, edges: files.flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8'))) };
}

/** Needs `init` of es-module-lexer to have been awaited. */
function importsOf(file: string, source: string): ImportEdge[] {
  const edges: ImportEdge[] = [];
  const [records] = parse(source, file);
  for (const record of records) {
    if (record.type === 'import-meta' || record.specifier === undefined || !record.specifier.startsWith('.'))
      continue;
    edges.push({
      from: file,
      to: posix.join(posix.dirname(file), record.specifier),
      kind: edgeKind(record.type, source.slice(record.importStart, record.importEnd)),
      typeOnly: record.type === 'dynamic' ? record.probablyTypeOnly : record.typeOnly,
      line: source.slice(0, record.importStart).split('\n').length,
    });
  }
  return edges;
}

function edgeKind(type: string, statement: string): EdgeKind {
  if (type === 'reexport-star') return EdgeKind.starReExport;
  return statement.startsWith('export') ? EdgeKind.reExport : EdgeKind.import;
}

/** Every cycle of run-time imports once, as the files along it, smallest name first. */
export function findCycles(graph: ModuleGraph): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of graph.edges) {
    if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const found = new Map<string, string[]>();
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      const cycle = rotateToSmallest(path.slice(at));
      found.set(cycle.join('\n'), cycle);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of next.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.files) visit(file);
  return [...found.values()];
}

function rotateToSmallest(cycle: readonly string[]): string[] {
  const smallest = cycle.indexOf(cycle.toSorted()[0] ?? '');
  return [...cycle.slice(smallest), ...cycle.slice(0, smallest)];
}
