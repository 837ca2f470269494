import t from 'tap';
import {
  unsafeViewsOf,
  type ViewDefinition,
  type ViewVerdict,
} from '../../../../src/control/monitor/view-safety-closure.ts';

/** `name: reads` and `!name` for one that is unsafe by itself, in schema `app`. */
function unsafe(...views: readonly string[]): string {
  const definitions = views.map((text): ViewDefinition => {
    const [name = '', reads = ''] = text.split(':');
    return {
      schema: 'app',
      name: name.replace('!', ''),
      definition: name.startsWith('!') ? '!' : reads.trim(),
    };
  });
  const judged = definitions.map((view): readonly [ViewDefinition, ViewVerdict] => [
    view,
    {
      safe: view.definition !== '!',
      varies: view.definition === '!' ? 'clock' : null,
      reads: (view.definition ?? '').split(' ').map((read) => {
        const [first = '', second] = read.split('.');
        return second === undefined ? { schema: null, table: first } : { schema: first, table: second };
      }),
    },
  ]);
  return unsafeViewsOf(judged).join(' ');
}

t.test('a view is as safe as what it reads', (t) => {
  for (const [views, expected] of [
    [[], ''],
    [['a: t'], ''],
    [['!a'], 'app.a'],
    [['!a', 'b: a'], 'app.a app.b'],
    [['c: b', 'b: a', '!a', 'd: t'], 'app.a app.b app.c'],
    [['b: app.a', '!a'], 'app.a app.b'],
    [['b: other.a', '!a'], 'app.a'],
    [['b: A', '!a'], 'app.a app.b'],
    [['a: b', 'b: a'], ''],
    [['a: b', 'b: a c', '!c'], 'app.a app.b app.c'],
    [['a: t mysql.user'], 'app.a'],
    [['a: SYS.session'], 'app.a'],
    [['a: information_schema.tables', 'b: a'], 'app.a app.b'],
  ] as const) {
    t.equal(unsafe(...views), expected, JSON.stringify(views));
  }
  t.end();
});

t.test('a long chain', (t) => {
  const views = Array.from({ length: 20_000 }, (_, index) => `v${index}: v${index + 1}`);
  t.equal(unsafe(...views, '!v20000').split(' ').length, 20_001);
  t.end();
});
