import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { checkImports } from '../../support/check-imports.ts';

/** A made-up tree: path → source. */
function tree(t: Test, files: Readonly<Record<string, string>>): string {
  const root = t.testdir();
  for (const [file, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), source);
  }
  return root;
}

t.test('a good tree has no problems', async (t) => {
  const root = tree(t, {
    'src/main.ts': "import { a } from './control/supervisor.ts';\nimport fs from 'node:fs';",
    'src/control/supervisor.ts': "import { x } from '../common/x.ts';\nexport const a = x;",
    'src/control/monitor/monitor.ts': "import { p } from '../../../protocol/index.ts';",
    'src/common/x.ts': 'export const x = 1;',
    'protocol/index.ts': "export { p } from './packets/p.ts';",
    'protocol/packets/p.ts': 'export const p = 1;',
    'test/unit/protocol/p.test.ts': "import { p } from '../../../protocol/packets/p.ts';",
  });
  t.strictSame(await checkImports(root), []);
});

t.test('cycles are found once, also through dynamic imports and several files', async (t) => {
  const root = tree(t, {
    'src/sql/a.ts': "import { b } from './b.ts';\nexport const a = () => b;",
    'src/sql/b.ts': "\nimport { c } from './c.ts';\nexport const b = c;",
    'src/sql/c.ts': "export const c = async () => (await import('./a.ts')).a;",
    'src/sql/self.ts': "import './self.ts';",
  });
  t.strictSame(await checkImports(root), [
    'import cycle: src/sql/a.ts → src/sql/b.ts → src/sql/c.ts → src/sql/a.ts',
    'import cycle: src/sql/self.ts → src/sql/self.ts',
  ]);
});

t.test('types may go in circles, but not against the direction', async (t) => {
  const root = tree(t, {
    'src/sql/a.ts': "import type { B } from './b.ts';\nexport interface A { b: B }",
    'src/sql/b.ts': "import { type A } from './c.ts';\nexport type { A } from './a.ts';",
    'src/sql/c.ts': 'export interface A {}',
    'src/common/low.ts': "import type { A } from '../sql/a.ts';\nexport type X = A;",
  });
  t.strictSame(await checkImports(root), [
    'src/common/low.ts:1: common must not import sql, types included',
    'src/sql/b.ts:2: re-exports belong into protocol/index.ts only: import from src/sql/a.ts where it is needed',
  ]);
});

t.test('each wrong direction is named with file and line', async (t) => {
  const root = tree(t, {
    'src/control/supervisor.ts': "import { w } from '../data/worker.ts';\nexport const s = w;",
    'src/data/worker.ts': "\n\nimport '../control/http/http-server.ts';\nexport const w = 1;",
    'src/data/router/router.ts': "import { p } from '../../../protocol/index.ts';",
    'src/data/backend/pool.ts': "import '../frontend/session.ts';",
    'src/data/frontend/session.ts': "import '../../../protocol/packets/p.ts';",
    'src/control/http/http-server.ts': "import '../../../test/support/x.ts';",
    'protocol/index.ts': "export * from './packets/p.ts';",
    'protocol/packets/p.ts': "import '../../src/common/missing.ts';",
    'config/schema.ts': "import type { P } from '../protocol/index.ts';",
    'test/support/x.ts': 'export {};',
    'src/stray/y.ts': "import '../common/z.ts';",
    'src/common/z.ts': 'export {};',
  });
  t.strictSame(await checkImports(root), [
    'config/schema.ts:1: config must not import protocol, types included',
    'protocol/index.ts:1: export * hides what a module offers: name it',
    'protocol/packets/p.ts:1: there is no src/common/missing.ts',
    'src/control/http/http-server.ts:1: control/http must not import test',
    'src/control/supervisor.ts:1: control must not import data',
    'src/data/backend/pool.ts:1: data/backend must not import data/frontend',
    'src/data/frontend/session.ts:1: import from protocol/index.ts, not from protocol/packets/p.ts',
    'src/data/router/router.ts:1: data/router must not import protocol',
    'src/data/worker.ts:3: data must not import control/http',
    'src/stray/y.ts:1: src/stray/y.ts is in none of the known folders',
  ]);
});

t.test('what only looks like an import is none', async (t) => {
  const root = tree(t, {
    'src/common/x.ts': [
      'const text = "import \'../data/worker.ts\'";',
      "// import '../data/worker.ts'",
      "/* export * from '../data/worker.ts' */",
      "const template = `import '../data/worker.ts'`;",
      'export const x = [text, template];',
    ].join('\n'),
    'src/data/worker.ts': 'export {};',
  });
  t.strictSame(await checkImports(root), []);
});
