/** Whatever a file, a variable or a flag holds: a configuration or a ConfigError, never another exception. */
import fc from 'fast-check';
import t from 'tap';
import { ConfigError } from '../../../config/config-error.ts';
import { loadConfig } from '../../../config/load.ts';
import { collectSettings, configJsonSchema } from '../../../config/settings.ts';

const SETTINGS = collectSettings(configJsonSchema());
const RUNS = 400;

function loadsOrRefuses(text: string, env: NodeJS.ProcessEnv, flags: Record<string, string>): boolean {
  try {
    loadConfig({ file: 'f.yaml', text, env, flags });
  } catch (error) {
    if (!(error instanceof ConfigError) || error.problems.length === 0) throw error;
  }
  return true;
}

const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('fallback', 'info', 'db:3306', '::1', '0.0.0.0'),
);
const name = fc.oneof(
  fc.constantFrom(...SETTINGS.flatMap(({ path }) => path.split('.'))),
  fc.constantFrom('username', 'host', 'tls', 'source', '__proto__', 'constructor', 'prot'),
  fc.string(),
);
const tree = fc.letrec((tie) => ({
  value: fc.oneof(scalar, tie('list'), tie('mapping')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  mapping: fc.dictionary(name, tie('value'), { maxKeys: 6 }),
}));

t.test('any mapping', async (t) => {
  fc.assert(
    fc.property(tree.mapping, (values) => loadsOrRefuses(JSON.stringify(values), {}, {})),
    { numRuns: RUNS },
  );
  t.pass();
});

t.test('one setting with any value', async (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...SETTINGS), tree.value, ({ path }, value) => {
      const [first = '', second] = path.split('.');
      const values = second === undefined ? { [first]: value } : { [first]: { [second]: value } };
      return loadsOrRefuses(JSON.stringify(values), {}, {});
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

t.test('any text', async (t) => {
  const piece = fc.constantFrom(
    'listen:',
    'servers',
    '- ',
    '\n',
    ' ',
    '{',
    '}',
    '[',
    '"',
    '*',
    '&a',
    '!x',
    '|',
    'é',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.oneof(piece, fc.string())).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (content) => loadsOrRefuses(content, {}, {})),
    { numRuns: RUNS },
  );
  t.pass();
});

t.test('any variable and any flag', async (t) => {
  const text = fc.oneof(
    fc.string(),
    tree.value.map((value) => JSON.stringify(value) ?? ''),
  );
  fc.assert(
    fc.property(fc.constantFrom(...SETTINGS), text, ({ path, variable }, value) => {
      return loadsOrRefuses('', { [variable]: value }, {}) && loadsOrRefuses('', {}, { [path]: value });
    }),
    { numRuns: RUNS },
  );
  t.pass();
});
