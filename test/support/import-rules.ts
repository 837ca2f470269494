/**
 * The direction in which imports may go, as ARCHITECTURE.md draws it:
 * `main → control | data → sql, topology → common`, with `protocol` and `config` as libraries of their own.
 * Types count as well: a layer that names another one's types knows it.
 */

import { EdgeKind, type ImportEdge } from './module-graph.ts';

/** First match wins, so the narrower folder stands first. */
const LAYERS = [
  ['protocol', /^protocol\//],
  ['config', /^config\//],
  ['test', /^test\//],
  ['bench', /^bench\//],
  // Makes what is installed of the sources, without importing them.
  ['docker', /^docker\//],
  ['main', /^src\/(?:main\.ts$|cli\/)/],
  ['control/monitor', /^src\/control\/monitor\//],
  ['control/users', /^src\/control\/users\//],
  ['control/binlog', /^src\/control\/binlog\//],
  ['control/admin', /^src\/control\/admin\//],
  // Runs in browsers: of the rest of Sluice it may know the types of what the API answers.
  ['control/http/client', /^src\/control\/http\/dashboard\/client\//],
  ['control/http/values', /^src\/control\/http\/api\/api-values\.ts$/],
  ['control/http', /^src\/control\/http\//],
  ['control', /^src\/control\//],
  ['data/causal', /^src\/data\/causal\//],
  ['data/frontend', /^src\/data\/frontend\//],
  ['data/router', /^src\/data\/router\//],
  ['data/cache', /^src\/data\/cache\//],
  ['data/backend', /^src\/data\/backend\//],
  ['data/io', /^src\/data\/io\//],
  ['data/replay', /^src\/data\/replay\//],
  ['data/statistics', /^src\/data\/statistics\//],
  // What the composition root of a worker hands down to its parts.
  ['data/context', /^src\/data\/worker-context\.ts$/],
  ['data', /^src\/data\//],
  // A process of its own: SQL of operators.
  ['store', /^src\/store\//],
  ['sql', /^src\/sql\//],
  ['topology', /^src\/topology\//],
  ['common', /^src\/common\//],
] as const;
export type Layer = (typeof LAYERS)[number][0];

const PURE = ['sql', 'topology', 'common'] as const;

/** What each layer may import besides itself. */
const MAY_IMPORT: Readonly<Record<Layer, readonly Layer[] | 'everything'>> = {
  protocol: [],
  config: [],
  common: [],
  topology: ['common'],
  sql: ['common'],
  store: ['common'],
  'data/io': ['common'],
  'data/router': PURE,
  'data/cache': ['data/causal', 'data/router', 'data/backend', 'protocol', ...PURE],
  'data/replay': ['data/router', 'data/backend', 'protocol', ...PURE],
  'data/statistics': ['data/router', ...PURE],
  'data/backend': ['data/io', 'protocol', ...PURE],
  'data/causal': ['data/backend', 'data/router', 'protocol', ...PURE],
  'data/context': [
    'data/causal',
    'data/io',
    'data/router',
    'data/cache',
    'data/statistics',
    'data/replay',
    'data/backend',
    'protocol',
    ...PURE,
  ],
  'data/frontend': [
    'data/context',
    'data/causal',
    'data/io',
    'data/router',
    'data/cache',
    'data/statistics',
    'data/replay',
    'data/backend',
    'protocol',
    ...PURE,
  ],
  data: [
    'data/context',
    'data/causal',
    'data/io',
    'data/frontend',
    'data/router',
    'data/cache',
    'data/statistics',
    'data/replay',
    'data/backend',
    'protocol',
    ...PURE,
  ],
  'control/monitor': ['control', 'protocol', 'config', ...PURE],
  'control/users': ['control', 'control/monitor', 'protocol', 'config', ...PURE],
  'control/binlog': ['control', 'control/monitor', 'protocol', 'config', ...PURE],
  'control/admin': ['control', 'protocol', 'config', ...PURE],
  'control/http/client': ['control/http/values'],
  'control/http/values': [],
  'control/http': [
    'control',
    'control/http/values',
    'control/admin',
    'control/monitor',
    'protocol',
    'config',
    ...PURE,
  ],
  control: [
    'control/monitor',
    'control/users',
    'control/binlog',
    'control/admin',
    'control/http',
    'config',
    ...PURE,
  ],
  main: ['control', 'data', 'config', ...PURE],
  test: 'everything',
  bench: 'everything',
  docker: [],
};

/** Single imports against the direction, each with its reason. */
const EXCEPTIONS: ReadonlyArray<{ readonly from: string; readonly to: string; readonly reason: string }> = [
  {
    from: 'src/common/snapshot.ts',
    to: 'src/topology/server-description.ts',
    reason: 'the snapshot carries what the topology describes, and both threads read it',
  },
  {
    from: 'src/common/snapshot.ts',
    to: 'src/topology/hostgroup-membership.ts',
    reason: 'and the hostgroups that follow from it',
  },
];

/** Only the library's own tests look behind its public names. */
const MAY_LOOK_INTO_PROTOCOL = /^(?:protocol|test\/unit\/protocol|test\/fuzz|bench\/micro)\//;
const PUBLIC_PROTOCOL = 'protocol/index.ts';

export function layerOf(file: string): Layer | null {
  return LAYERS.find(([, pattern]) => pattern.test(file))?.[0] ?? null;
}

/** What is wrong with this import, as a sentence; null when it is allowed. */
export function importProblem(edge: ImportEdge): string | null {
  const from = layerOf(edge.from);
  const to = layerOf(edge.to);
  if (from === null) return `${edge.from} is in none of the known folders`;
  if (to === null) return `${edge.to} is in none of the known folders`;
  if (edge.kind === EdgeKind.starReExport) return 'export * hides what a module offers: name it';
  if (edge.kind === EdgeKind.reExport && edge.from !== PUBLIC_PROTOCOL) {
    return `re-exports belong into ${PUBLIC_PROTOCOL} only: import from ${edge.to} where it is needed`;
  }
  const allowed = MAY_IMPORT[from];
  if (from !== to && allowed !== 'everything' && !allowed.includes(to) && !isException(edge)) {
    return `${from} must not import ${to}${edge.typeOnly ? ', types included' : ''}`;
  }
  if (to === 'protocol' && edge.to !== PUBLIC_PROTOCOL && !MAY_LOOK_INTO_PROTOCOL.test(edge.from)) {
    return `import from ${PUBLIC_PROTOCOL}, not from ${edge.to}`;
  }
  return null;
}

function isException({ from, to, typeOnly }: ImportEdge): boolean {
  return typeOnly && EXCEPTIONS.some((exception) => exception.from === from && exception.to === to);
}
